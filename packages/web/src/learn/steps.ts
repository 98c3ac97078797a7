import type { Step } from './step.ts'
import { logIn } from './steps/log-in.tsx'
import { refresh } from './steps/refresh.tsx'

/** All steps, in order. */
export const steps: readonly Step[] = [logIn, refresh]
