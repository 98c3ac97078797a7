import { hash, type Options, verify } from '@node-rs/argon2'
import { perContext } from '../core/context.ts'
import { type Network, networksOf } from '../core/network.ts'
import { type PasswordAdmission, passwordAdmission } from '../core/password-admission.ts'
import type { LaneName, Place } from '../core/shares.ts'
import { AuthError } from '../errors.ts'
import { createPasswordPolicy, PASSWORD_MOST, type PasswordOwner, type PasswordPolicy } from './password-policy.ts'
import { readStoredHash } from './stored-hashes.ts'

/** Hashes and checks passwords in threads. */
export interface Passwords {
  /**
   * Takes a place in the queue for a later check.
   *
   * @throws {AuthError} `overloaded` when there is none for this network
   */
  enter(network: Network, lane?: LaneName): Place
  /**
   * Checks a new password against the policy and hashes it.
   *
   * @param network of the caller. Without it the application is the caller, which is never refused
   * @returns a PHC string
   * @throws {AuthError} `validation_failed`, `overloaded`, and the codes of `PasswordPolicy`
   */
  hash(password: string, network?: Network, owner?: PasswordOwner): Promise<string>
  /**
   * Checks a password. Without a hash it does the same work and returns false.
   *
   * @throws {AuthError} `validation_failed`, or `overloaded`, also when the place went to another
   * network
   */
  matches(password: string, hash: string | null | undefined, place?: Place): Promise<boolean>
  /**
   * Checks a password as `matches` does. If it matches an older hash, or one of another system, it
   * is hashed again in the same place.
   */
  check(password: string, hash: string | null | undefined, place?: Place): Promise<PasswordCheck>
}

/** The result of a check. */
interface PasswordCheck {
  /** Whether the password has the hash. */
  readonly matches: boolean
  /** What to store instead of the hash; undefined when it has the current parameters. */
  readonly upgraded: string | undefined
}

/** The OWASP minimum: argon2id (2 in the enum of the library), 19 MiB, two passes, one lane. */
const PARAMETERS: Options = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** What every hash with the current parameters begins with. */
const CURRENT = '$argon2id$v=19$m=19456,t=2,p=1$'

/**
 * The hash that is checked for unknown users, with the same parameters. Nobody knows its password.
 */
const NOBODY = '$argon2id$v=19$m=19456,t=2,p=1$c2VhbHdheCBub2JvZHkhIQ$UgYkbjVeyU1wbFDgY3v+eyNAwhhov9qRfQohqaJsQGI'

/** The passwords of this process. */
export const passwordsOf = perContext((context) =>
  createPasswords(passwordAdmission(context), createPasswordPolicy(context)),
)

/** Hashes and checks passwords, each in a place of `admission`. */
export function createPasswords(
  { place: enter, ownPlace, run }: PasswordAdmission,
  policy: PasswordPolicy = { check: async () => {} },
): Passwords {
  return {
    enter,
    async hash(password, network, owner = {}) {
      checkWellFormed(password)
      await policy.check(normalised(password), owner)
      const place = network === undefined ? await ownPlace() : enter(network)
      return run(place, () => hash(normalised(password), PARAMETERS))
    },
    async matches(password, stored, place) {
      return (await check(password, stored, place)).matches
    },
    check,
  }

  async function check(
    password: string,
    stored: string | null | undefined,
    place: Place = enter(networksOf(undefined)),
  ): Promise<PasswordCheck> {
    if (!password.isWellFormed()) place.leave()
    checkWellFormed(password)
    const typed = normalised(password)
    // A password that is too long costs the same work, and never matches.
    const known = typeof stored === 'string' && [...typed].length <= PASSWORD_MOST ? readStoredHash(stored) : undefined
    return run(place, async () => {
      if (known === undefined) {
        await verify(NOBODY, 'nobody')
        return { matches: false, upgraded: undefined }
      }
      // Other systems hash what was typed.
      const isCurrent = known.text.startsWith(CURRENT)
      const matches =
        (await known.matches(typed)) || (!isCurrent && typed !== password && (await known.matches(password)))
      return { matches, upgraded: matches && !isCurrent ? await hash(typed, PARAMETERS) : undefined }
    })
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
