import { hash, type Options, verify } from '@node-rs/argon2'
import { perContext } from '../core/context.ts'
import { type Network, networksOf } from '../core/network.ts'
import { type PasswordAdmission, passwordAdmission } from '../core/password-admission.ts'
import type { Place } from '../core/shares.ts'
import { AuthError } from '../errors.ts'
import { createPasswordPolicy, PASSWORD_MOST, type PasswordOwner, type PasswordPolicy } from './password-policy.ts'

/** Hashes and checks passwords in threads. */
export interface Passwords {
  /**
   * Takes a place in the queue for a later check.
   *
   * @throws {AuthError} `overloaded` when there is none for this network
   */
  enter(network: Network): Place
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
}

/** The OWASP minimum: argon2id (2 in the enum of the library), 19 MiB, two passes, one lane. */
const PARAMETERS: Options = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

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
    async matches(password, stored, place = enter(networksOf(undefined))) {
      if (!password.isWellFormed()) place.leave()
      checkWellFormed(password)
      // A password that is too long costs the same work, and never matches.
      const typed = normalised(password)
      const possible = typeof stored === 'string' && [...typed].length <= PASSWORD_MOST
      const candidate = possible ? typed : 'nobody'
      const equal = await run(place, () => verify(possible ? stored : NOBODY, candidate))
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
