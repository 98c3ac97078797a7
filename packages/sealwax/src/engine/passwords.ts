import { availableParallelism } from 'node:os'
import { hash, type Options, verify } from '@node-rs/argon2'
import { AuthError } from '../errors.ts'
import { APPLICATION, type Network, networksOf } from './network.ts'
import { createShares, type Place } from './shares.ts'

/** Hashes and checks passwords off the event loop, at most as many at once as there are cores. */
export interface Passwords {
  /** Takes a place in the queue before there is anything to check. Throws `overloaded` when there is none for this network. */
  enter(network: Network): Place
  /**
   * Returns a PHC string. Throws `validation_failed`, `password_too_short`, `password_too_long`, or with a network `overloaded`: without one it is
   * the application that asks, and it waits for its turn however many others wait.
   */
  hash(password: string, network?: Network): Promise<string>
  /**
   * Does the same work whether there is a hash to compare with or not. Throws `validation_failed`, or `overloaded`, also when the place went to
   * another network.
   */
  matches(password: string, hash: string | null | undefined, place?: Place): Promise<boolean>
}

/** OWASP's choice for small machines: argon2id (2 in the library's enum), 19 MiB, two passes, one lane. */
const PARAMETERS: Options = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** NIST SP 800-63B-4: at least 15 characters where the password is the only factor; long ones are welcome, bombs are not. */
const PASSWORD_LENGTH = { min: 15, max: 256 } as const

/** How many log-ins may wait for a core; more would wait longer than clients do. */
const QUEUE_LIMIT = 100

/** How many finished checks at most lie ready while others wait. */
const HANDED_ON_TOGETHER = 16

/** None waits longer than that for others to finish; checks take long while the cores have other things to do. */
const HANDED_ON_WITHIN_MS = 100

/** A hash of nothing anybody knows, with today's parameters: the work done for users that do not exist. */
const NOBODY = '$argon2id$v=19$m=19456,t=2,p=1$c2VhbHdheCBub2JvZHkhIQ$UgYkbjVeyU1wbFDgY3v+eyNAwhhov9qRfQohqaJsQGI'

export interface PasswordOptions {
  /** Milliseconds on a clock that is never set. */
  readonly elapsed: () => number
  readonly concurrency?: number
  readonly queueLimit?: number
}

export function createPasswords({
  elapsed,
  concurrency = availableParallelism(),
  queueLimit = QUEUE_LIMIT,
}: PasswordOptions): Passwords {
  const { enter, ownPlace, inTurn } = queue(concurrency, queueLimit, elapsed)
  return {
    enter,
    async hash(password, network) {
      checkWellFormed(password)
      checkLength(password)
      const place = network === undefined ? await ownPlace() : enter(network)
      return inTurn(place, () => hash(normalised(password), PARAMETERS))
    },
    async matches(password, stored, place = enter(networksOf(undefined))) {
      if (!password.isWellFormed()) place.leave()
      checkWellFormed(password)
      // A password that no policy would have let in still costs the same work, and is compared with nothing.
      const typed = normalised(password)
      const possible = typeof stored === 'string' && [...typed].length <= PASSWORD_LENGTH.max
      const candidate = possible ? typed : 'nobody'
      const equal = await inTurn(place, () => verify(possible ? stored : NOBODY, candidate))
      return possible && equal
    },
  }
}

/** The same password typed on another keyboard may be composed differently; NFC makes them one. */
function normalised(password: string): string {
  return password.normalize('NFC')
}

/** Argon2 hashes UTF-8, where every lone surrogate is U+FFFD: passwords that differ in nothing else would be one. */
function checkWellFormed(password: string): void {
  if (!password.isWellFormed()) throw new AuthError('validation_failed', LONE_SURROGATE)
}

/** What is said of a password that no keyboard types and no UTF-8 can carry. */
export const LONE_SURROGATE = 'The password must be valid Unicode: it has half of a surrogate pair'

function checkLength(password: string): void {
  const length = [...normalised(password)].length
  if (length < PASSWORD_LENGTH.min) {
    throw new AuthError('password_too_short', `The password must have at least ${PASSWORD_LENGTH.min} characters`)
  }
  if (length > PASSWORD_LENGTH.max) {
    throw new AuthError('password_too_long', `The password must have at most ${PASSWORD_LENGTH.max} characters`)
  }
}

/**
 * Runs jobs, a few at a time, their places shared out by network. Each job drives everything else out of the processor's caches, and is itself slowed
 * down by what runs beside it. So while some wait, what is finished is handed on a few together, and what follows runs warm for all but the first;
 * those left over at the end go with the last. Who is done waits a little for that; the queue as a whole is sooner done. Without a queue nobody waits.
 */
function queue(concurrency: number, limit: number, elapsed: () => number) {
  const shares = createShares({ places: concurrency, waiting: limit, refuse: overloaded })
  const finished: { readonly at: number; readonly go: () => void }[] = []
  /** Calls of the application for which there was no place. */
  const outside: (() => void)[] = []
  let endedAt = elapsed()

  function enter(network: Network): Place {
    const { turn, leave } = shares.enter(network)
    return {
      turn,
      leave() {
        const othersWaited = shares.waiting > 0
        leave()
        outside.shift()?.()
        const last = !othersWaited || (shares.waiting === 0 && finished.length === 1)
        const now = elapsed()
        // As far as the time since the one before tells.
        const nextAt = now + (now - endedAt)
        endedAt = now
        const late = nextAt - (finished[0]?.at ?? now) > HANDED_ON_WITHIN_MS
        if (last || late || finished.length >= HANDED_ON_TOGETHER) for (const { go } of finished.splice(0)) go()
      },
    }
  }

  /** A place for the application when its turn comes. It has its share like any other network; beyond that its calls wait outside, in the order they came. */
  async function ownPlace(): Promise<Place> {
    if (outside.length > 0) await new Promise<void>((next) => outside.push(next))
    for (;;) {
      try {
        const place = enter(APPLICATION)
        await place.turn
        return place
      } catch {
        // No place is free, or a network that holds less was given it.
        await new Promise<void>((next) => outside.unshift(next))
      }
    }
  }

  async function inTurn<T>(place: Place, job: () => Promise<T>): Promise<T> {
    await place.turn
    try {
      return await job()
    } finally {
      const handedOn = new Promise<void>((go) => finished.push({ at: elapsed(), go }))
      place.leave()
      await handedOn
    }
  }

  return { enter, ownPlace, inTurn }
}

function overloaded(): AuthError {
  return new AuthError('overloaded', 'Too many log-ins are under way; try again shortly', { retryAfter: 2 })
}
