import type { StepWalk } from './reader.ts'
import { exercise } from './steps/exercise.ts'
import { expiry } from './steps/expiry.ts'
import { guard } from './steps/guard.ts'
import { keys } from './steps/keys.ts'
import { logIn } from './steps/log-in.ts'
import { logOut } from './steps/log-out.ts'
import { parts } from './steps/parts.ts'
import { quiz } from './steps/quiz.ts'
import { refresh } from './steps/refresh.ts'
import { sealed } from './steps/sealed.ts'
import { storage } from './steps/storage.ts'
import { tamper } from './steps/tamper.ts'

/** How to walk each step of the lesson, in any order. */
export const walks: readonly StepWalk[] = [
  ...[parts, sealed, logIn, tamper, expiry, refresh, logOut, keys, storage, guard, exercise, quiz],
]
