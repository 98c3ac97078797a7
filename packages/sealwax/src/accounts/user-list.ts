import type { Context } from '../core/context.ts'
import { AuthError } from '../errors.ts'
import type { UserRow } from './contract.ts'
import { normaliseEmail } from './email-addresses.ts'
import { toUser, type User } from './users.ts'

/** Which users a list contains, and where it begins. */
export interface ListUsers {
  /** Only users whose e-mail address or name begins with this text, in any case. */
  readonly query?: string | undefined
  /** Only users with this role. */
  readonly role?: string | undefined
  /** Only users that are disabled, or only those that are not. */
  readonly disabled?: boolean | undefined
  /** Only users who have shown that the address is theirs, or only those who have not. */
  readonly emailVerified?: boolean | undefined
  /** The id of the last user of the previous page. */
  readonly after?: string | undefined
  /** At most 500. Default 50. */
  readonly limit?: number | undefined
}

/**
 * Returns a page of users, ordered by id. With `query`, first those whose address matches, ordered
 * by address, then those whose name matches, ordered by name.
 *
 * @throws {AuthError} `validation_failed` when `query` is empty, or when there is no user `after`
 */
export async function listUsers(context: Context, page: ListUsers = {}): Promise<User[]> {
  const { users, userLists } = context.store.committed
  const limit = Math.min(Math.max(page.limit ?? 50, 1), 500)
  const filter = { role: page.role, disabled: page.disabled, verified: page.emailVerified }
  if (page.query === undefined) return (await userLists.list({ ...filter, after: page.after, limit })).map(toUser)
  const prefix = toPrefix(page.query)
  const last = page.after === undefined ? undefined : await users.byId(page.after)
  if (page.after !== undefined && last === undefined) {
    throw new AuthError('validation_failed', 'after must be the id of a user from the previous page')
  }
  const found: UserRow[] = []
  const inNames = last !== undefined && !last.email.startsWith(prefix)
  if (!inNames) found.push(...(await userLists.listByEmail(prefix, { ...filter, after: last?.email, limit })))
  if (found.length < limit) {
    const after = inNames ? last : undefined
    found.push(...(await userLists.listByName(prefix, { ...filter, after, limit: limit - found.length })))
  }
  return found.map(toUser)
}

/** The longest accepted query in characters. */
const LONGEST_QUERY = 256

/** Returns a query in the form of stored addresses; names are compared in any case. */
function toPrefix(query: string): string {
  const text = query.trim().normalize('NFC')
  if (text === '' || text.length > LONGEST_QUERY || !text.isWellFormed()) {
    throw new AuthError('validation_failed', `query must be 1 to ${LONGEST_QUERY} characters`)
  }
  try {
    // The address of a domain in other scripts is stored in ASCII.
    return normaliseEmail(text)
  } catch {
    return text.toLowerCase()
  }
}
