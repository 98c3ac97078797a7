import type { Attack } from './attack.ts'
import { newDevice } from './new-device.ts'
import { parallelGuesses } from './parallel-guesses.ts'
import { spray } from './spray.ts'

/** All attacks. */
export const ATTACKS: readonly Attack[] = [parallelGuesses, spray, newDevice]
