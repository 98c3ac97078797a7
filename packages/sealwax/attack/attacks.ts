import type { Attack } from './attack.ts'
import { fullQueue } from './full-queue.ts'
import { newDevice } from './new-device.ts'
import { parallelGuesses } from './parallel-guesses.ts'
import { secretsAtRest } from './secrets-at-rest.ts'
import { spray } from './spray.ts'
import { takeover } from './takeover.ts'
import { whoIsThere } from './who-is-there.ts'

/** All attacks. */
export const ATTACKS: readonly Attack[] = [
  parallelGuesses,
  spray,
  newDevice,
  fullQueue,
  whoIsThere,
  secretsAtRest,
  takeover,
]

/** The scale of the short run, which is part of `npm test`. */
export const QUICK = 0.02
