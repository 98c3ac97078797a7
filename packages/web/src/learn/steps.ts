import type { Step } from './step.ts'
import { logIn } from './steps/log-in.tsx'
import { storage } from './steps/storage.tsx'

/** All steps, in order. */
export const steps: readonly Step[] = [logIn, storage]
