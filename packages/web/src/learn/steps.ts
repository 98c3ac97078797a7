import type { Step } from './step.ts'
import { exercise } from './steps/exercise.tsx'
import { expiry } from './steps/expiry.tsx'
import { guard } from './steps/guard.tsx'
import { keys } from './steps/keys.tsx'
import { logIn } from './steps/log-in.tsx'
import { logOut } from './steps/log-out.tsx'
import { parts } from './steps/parts.tsx'
import { quiz } from './steps/quiz.tsx'
import { refresh } from './steps/refresh.tsx'
import { sealed } from './steps/sealed.tsx'
import { storage } from './steps/storage.tsx'
import { tamper } from './steps/tamper.tsx'

/** All steps, in order. */
export const steps: readonly Step[] = [
  parts,
  sealed,
  logIn,
  tamper,
  expiry,
  refresh,
  logOut,
  keys,
  storage,
  guard,
  exercise,
  quiz,
]
