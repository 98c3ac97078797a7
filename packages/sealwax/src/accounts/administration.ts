import { type AuditPage, listAudit } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { AuthError } from '../errors.ts'
import { listSessions, type Session } from '../sessions/list.ts'
import { getUser, noSuchUser, type User } from './users.ts'

/** What an administrator sees of one user. */
export interface UserDetails {
  readonly user: User
  /** Live sessions, newest first. */
  readonly sessions: readonly Session[]
  /** The latest rows of the audit log, newest first. */
  readonly events: AuditPage['data']
}

/** How many sessions and events are shown with a user. */
const MOST_SESSIONS = 100
const MOST_EVENTS = 20

/**
 * Returns a user with sessions and latest events.
 *
 * @throws {AuthError} `not_found`
 */
export async function describeUser(context: Context, id: string): Promise<UserDetails> {
  const user = await getUser(context, id)
  if (user === undefined) throw noSuchUser()
  const sessions = await listSessions(context, id, { limit: MOST_SESSIONS })
  const { data } = await listAudit(context, { subject: id, limit: MOST_EVENTS })
  return { user, sessions, events: data }
}

/**
 * Refuses an action that an administrator would do to themselves, so that there is always one left:
 * the last administrator cannot be disabled, deleted or demoted by another one.
 *
 * @throws {AuthError} `own_account`
 */
export function refuseOwnAccount({ by }: RequestOrigin, id: string, action: string): void {
  if (by === id) throw new AuthError('own_account', `You cannot ${action}: ask another administrator`)
}
