import type { Context } from '../core/context.ts'
import type { Network } from '../core/network.ts'
import { AuthError } from '../errors.ts'
import { passwordsOf } from './password-hashing.ts'
import { readHash } from './stored-hashes.ts'

/** A new user's password, or the hash of it in another system. */
interface NewPassword {
  readonly email: string
  readonly name?: string | null | undefined
  readonly password?: string | undefined
  readonly passwordHash?: string | undefined
}

/**
 * Returns what is stored for a new user: the hash of the password, the given hash, or null for a
 * user who has to set a password first.
 *
 * @throws {AuthError} `validation_failed` if both are given; `password_hash_invalid`, and the codes
 * of a refused password
 */
export async function hashForNewUser(context: Context, given: NewPassword, network?: Network): Promise<string | null> {
  const { email, name, password, passwordHash } = given
  if (password !== undefined && passwordHash === undefined) {
    return passwordsOf(context).hash(password, network, { email, name: name ?? undefined })
  }
  if (password === undefined && passwordHash !== undefined) return readHash(passwordHash).text
  if (password === undefined) return null
  throw notOnePassword()
}

/**
 * Refuses a new user without a password, which only an administrator can create.
 *
 * @throws {AuthError} `validation_failed`
 */
export function needPassword({ password, passwordHash }: Omit<NewPassword, 'email'>): void {
  if (password === undefined && passwordHash === undefined) throw notOnePassword()
}

function notOnePassword(): AuthError {
  return new AuthError('validation_failed', 'users.create: give either password or passwordHash')
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
  return passwordsOf(context).hash(password, undefined, {
    email: user?.email,
    name: user?.name ?? undefined,
    ...changed,
  })
}
