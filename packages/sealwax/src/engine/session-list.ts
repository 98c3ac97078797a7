import { AuthError } from '../errors.ts'
import type { SessionRow, SessionUse } from '../store/contract/sessions.ts'
import type { Context } from './context.ts'
import { isLive } from './sessions.ts'

/** A session as its owner sees it. No time is finer than an hour, and no generation shows. */
export interface Session {
  readonly id: string
  readonly subject: string
  readonly createdAt: Date
  /** The hour of the last use; what happened in the hour that is running does not show yet. */
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  /** Where that use came from. */
  readonly ip: string | undefined
  readonly userAgent: string | undefined
}

/**
 * Live sessions of a subject, newest first; with `limit` at most so many (500), with `after` those behind the session of this id. Throws
 * `validation_failed` when the subject has no such session.
 */
export async function listSessions(
  context: Context,
  subject: string,
  page: { after?: string | undefined; limit?: number | undefined } = {},
): Promise<Session[]> {
  const { sessions } = context.store.committed
  const limit = page.limit === undefined ? undefined : Math.min(Math.max(page.limit, 1), 500)
  const after = page.after === undefined ? undefined : await sessions.byId(page.after)
  if (page.after !== undefined && after?.subject !== subject) {
    throw new AuthError('validation_failed', 'after must be the id of a session that the page before has shown')
  }
  const now = context.now()
  return (await sessions.list(subject, now, { after, limit })).map((row) => sessionOf(row, now))
}

/** A live session of a subject, or undefined. */
export async function getSession(context: Context, subject: string, id: string): Promise<Session | undefined> {
  const now = context.now()
  const row = await context.store.committed.sessions.byId(id)
  return row?.subject === subject && isLive(row, now) ? sessionOf(row, now) : undefined
}

function sessionOf(row: SessionRow, now: number): Session {
  const use = shownUse(row, now)
  return {
    id: row.id,
    subject: row.subject,
    createdAt: new Date(row.created_at),
    lastSeenAt: new Date(hourOf(use.at) * HOUR),
    expiresAt: new Date(row.absolute_expires_at),
    ip: use.ip ?? undefined,
    userAgent: use.user_agent ?? undefined,
  }
}

const HOUR = 3_600_000

/** The hour since 1970 that a time is in. */
export function hourOf(time: number): number {
  return Math.floor(time / HOUR)
}

/**
 * The last use before the hour that is running, or the log-in. Whoever watches the list with a stolen token must not learn when the owner refreshes,
 * neither by the time nor by the address.
 */
function shownUse(row: SessionRow, now: number): SessionUse {
  if (hourOf(row.seen_at) < hourOf(now)) return { at: row.seen_at, ip: row.seen_ip, user_agent: row.seen_user_agent }
  return row.earlier_use ?? { at: row.created_at, ip: row.created_ip, user_agent: row.created_user_agent }
}
