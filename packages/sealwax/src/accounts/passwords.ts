import { availableParallelism } from 'node:os'
import { hash, type Options, verify } from '@node-rs/argon2'
import { perContext } from '../core/context.ts'
import { APPLICATION, type Network, networksOf } from '../core/network.ts'
import { createShares, type Place } from '../core/shares.ts'
import { AuthError } from '../errors.ts'

/** Hashes and checks passwords in threads, at most one per core at a time. */
export interface Passwords {
  /**
   * Takes a place in the queue for a later check.
   *
   * @throws {AuthError} `overloaded` when there is none for this network
   */
  enter(network: Network): Place
  /**
   * Hashes a password.
   *
   * @param network of the caller. Without it the application is the caller, which is never refused
   * @returns a PHC string
   * @throws {AuthError} `validation_failed`, `password_too_short`, `password_too_long`,
   * `overloaded`
   */
  hash(password: string, network?: Network): Promise<string>
  /**
   * Checks a password. Without a hash it does the same work and returns false.
   *
   * @throws {AuthError} `validation_failed`, or `overloaded`, also when the place went to another
   * network
   */
  matches(password: string, hash: string | null | undefined, place?: Place): Promise<boolean>
}

/** The OWASP minimum: argon2id (2 in the enum of the library), 19 MiB, two passes, one lane. */
const PARAMETERS: Options = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** NIST SP 800-63B-4: at least 15 characters when the password is the only factor. */
const PASSWORD_LENGTH = { min: 15, max: 256 } as const

/** How many log-ins may wait for a core. More would wait longer than clients do. */
const QUEUE_LIMIT = 100

/** How many finished checks are released together while others wait. */
const RELEASED_TOGETHER = 16

/** How long a finished check waits for others at most. On busy cores, checks take long. */
const RELEASED_WITHIN_MS = 100

/**
 * The hash that is checked for unknown users, with the same parameters. Nobody knows its password.
 */
const NOBODY = '$argon2id$v=19$m=19456,t=2,p=1$c2VhbHdheCBub2JvZHkhIQ$UgYkbjVeyU1wbFDgY3v+eyNAwhhov9qRfQohqaJsQGI'

/** The options of {@link createPasswords}. */
export interface PasswordOptions {
  /** Milliseconds on a monotonic clock. */
  readonly elapsed: () => number
  /** How many checks run at once. Default: the number of cores. */
  readonly concurrency?: number
  /** How many checks may wait. Default 100. */
  readonly queueLimit?: number
}

/** The passwords of this process, with one queue for all hashing. */
export const passwordsOf = perContext(({ elapsed }) => createPasswords({ elapsed }))

/** Creates a queue of password checks. */
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
      // A password that is too long costs the same work, and never matches.
      const typed = normalised(password)
      const possible = typeof stored === 'string' && [...typed].length <= PASSWORD_LENGTH.max
      const candidate = possible ? typed : 'nobody'
      const equal = await inTurn(place, () => verify(possible ? stored : NOBODY, candidate))
      return possible && equal
    },
  }
}

/** Applies NFC, since keyboards compose characters differently. */
function normalised(password: string): string {
  return password.normalize('NFC')
}

/** In UTF-8 every lone surrogate becomes U+FFFD, so different passwords would become equal. */
function checkWellFormed(password: string): void {
  if (!password.isWellFormed()) throw new AuthError('validation_failed', LONE_SURROGATE)
}

/** The message about a password that UTF-8 cannot encode. */
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
 * Runs jobs, a few at a time, with places shared by network. Each job evicts everything else from
 * the CPU caches, and is slowed down by what runs next to it. So while others wait, finished jobs
 * are released a few at a time: the code after them then runs with warm caches. A finished job
 * waits a little for that, but the whole queue is done sooner. Without a queue nothing is delayed.
 */
function queue(concurrency: number, limit: number, elapsed: () => number) {
  const shares = createShares({ places: concurrency, waiting: limit, refuse: overloaded })
  const finished: { readonly at: number; readonly go: () => void }[] = []
  /** Calls of the application that wait for a place. */
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
        // An estimate from the time since the previous one.
        const nextAt = now + (now - endedAt)
        endedAt = now
        const late = nextAt - (finished[0]?.at ?? now) > RELEASED_WITHIN_MS
        if (last || late || finished.length >= RELEASED_TOGETHER) for (const { go } of finished.splice(0)) go()
      },
    }
  }

  /**
   * Waits for a place of the application. It gets the share of one network; further calls wait in
   * order.
   */
  async function ownPlace(): Promise<Place> {
    if (outside.length > 0) await new Promise<void>((next) => outside.push(next))
    for (;;) {
      try {
        const place = enter(APPLICATION)
        await place.turn
        return place
      } catch {
        // There is no free place, or it was given to a network with fewer places.
        await new Promise<void>((next) => outside.unshift(next))
      }
    }
  }

  async function inTurn<T>(place: Place, job: () => Promise<T>): Promise<T> {
    await place.turn
    try {
      return await job()
    } finally {
      const released = new Promise<void>((go) => finished.push({ at: elapsed(), go }))
      place.leave()
      await released
    }
  }

  return { enter, ownPlace, inTurn }
}

function overloaded(): AuthError {
  return new AuthError('overloaded', 'Too many log-ins at once: try again shortly', { retryAfter: 2 })
}
