import type { Context } from '../core/context.ts'
import type { Network } from '../core/network.ts'
import { AuthError } from '../errors.ts'
import { readHash } from './password-hashes.ts'
import { passwordsOf } from './passwords.ts'

/** A new user's password, or the hash of it in another system. */
interface NewPassword {
  readonly email: string
  readonly password?: string
  readonly passwordHash?: string
}

/**
 * Returns what is stored for a new user: the hash of the password, or the given hash.
 *
 * @throws {AuthError} `validation_failed` unless exactly one is given; `password_hash_invalid`, and
 * the codes of a refused password
 */
export async function hashForNewUser(context: Context, given: NewPassword, network?: Network): Promise<string> {
  const { email, password, passwordHash } = given
  if (password !== undefined && passwordHash === undefined) {
    return passwordsOf(context).hash(password, network, { email })
  }
  if (password === undefined && passwordHash !== undefined) return readHash(passwordHash).text
  throw new AuthError('validation_failed', 'users.create: either password or passwordHash must be given')
}

/**
 * Hashes a new password of a user who exists.
 *
 * @param changed the address, if it changes too
 */
export async function hashForUser(
  context: Context,
  id: string,
  password: string,
  changed: { email?: string } = {},
): Promise<string> {
  const user = await context.store.committed.users.byId(id)
  return passwordsOf(context).hash(password, undefined, { email: user?.email, name: user?.name, ...changed })
}
