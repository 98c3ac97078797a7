import type { Step } from './step.ts'
import { exercise } from './steps/exercise.tsx'
import { logIn } from './steps/log-in.tsx'
import { quiz } from './steps/quiz.tsx'

/** All steps, in order. */
export const steps: readonly Step[] = [logIn, exercise, quiz]
