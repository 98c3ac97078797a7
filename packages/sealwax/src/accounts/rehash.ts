import type { Context } from '../core/context.ts'
import { commit } from '../core/unit-of-work.ts'
import type { UserRow } from './contract.ts'
import { passwordsOf } from './password-hashing.ts'

/**
 * Stores the hash with the current parameters that a successful check made of an older one, unless
 * the password has changed since. It ends no session, and its failure refuses no log-in.
 *
 * @returns the user with the hash that is stored now, if the password has it
 */
export async function storeUpgrade(
  context: Context,
  user: UserRow,
  upgraded: string | undefined,
  password: string,
): Promise<UserRow> {
  if (upgraded === undefined || user.password_hash === null) return user
  const change = { from: user.password_hash, to: upgraded }
  let stored: boolean
  try {
    stored = await commit(context, (unit) => unit.users.replaceHash(user.id, change))
  } catch (error) {
    context.log.warn(
      { err: error, subject: user.id },
      'A password hash could not be upgraded; the next log-in tries again',
    )
    return user
  }
  if (stored) return { ...user, password_hash: upgraded }
  // Another log-in upgraded it meanwhile, or the password was changed.
  const current = await context.store.committed.users.byId(user.id)
  const isSame = current !== undefined && (await passwordsOf(context).matches(password, current.password_hash))
  return isSame ? { ...user, password_hash: current.password_hash } : user
}
