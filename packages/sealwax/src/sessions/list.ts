import type { Context } from '../core/context.ts'
import { AuthError } from '../errors.ts'
import type { SessionRow, SessionUse } from './contract.ts'
import { isLive } from './rules.ts'

/** A session as its owner sees it. */
export interface Session {
  /** The `sid` of its access tokens. */
  readonly id: string
  /** The `sub` of its access tokens. */
  readonly subject: string
  /** When it began. */
  readonly createdAt: Date
  /** The hour of the last use. Uses in the current hour are not shown yet. */
  readonly lastSeenAt: Date
  /** When it ends at the latest, refreshed or not. */
  readonly expiresAt: Date
  /** The address of the last use. */
  readonly ip: string | undefined
  /** The user agent of the last use. */
  readonly userAgent: string | undefined
}

/**
 * Returns the live sessions of a subject, newest first.
 *
 * @param page `limit` is at most 500; `after` is the id of the last session of the previous page
 * @throws {AuthError} `validation_failed` when the subject has no session `after`
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
    throw new AuthError('validation_failed', 'after must be the id of a session from the previous page')
  }
  const now = context.now()
  return (await sessions.list(subject, now, { after, limit })).map((row) => toSession(row, now))
}

/** Returns a live session of a subject, or undefined. */
export async function getSession(context: Context, subject: string, id: string): Promise<Session | undefined> {
  const now = context.now()
  const row = await context.store.committed.sessions.byId(id)
  return row?.subject === subject && isLive(row, now) ? toSession(row, now) : undefined
}

function toSession(row: SessionRow, now: number): Session {
  const use = shownUse(row, now)
  return {
    id: row.id,
    subject: row.subject,
    createdAt: new Date(row.created_at),
    lastSeenAt: new Date(toHour(use.at) * HOUR),
    expiresAt: new Date(row.absolute_expires_at),
    ip: use.ip ?? undefined,
    userAgent: use.user_agent ?? undefined,
  }
}

const HOUR = 3_600_000

/** Returns the hour of a time, in hours since 1970. */
export function toHour(time: number): number {
  return Math.floor(time / HOUR)
}

/**
 * Returns the last use before the current hour, or the log-in. Someone who polls the list with a
 * stolen token must not see when the owner refreshes, neither from the time nor from the address.
 */
function shownUse(row: SessionRow, now: number): SessionUse {
  if (toHour(row.seen_at) < toHour(now)) return { at: row.seen_at, ip: row.seen_ip, user_agent: row.seen_user_agent }
  return row.earlier_use ?? { at: row.created_at, ip: row.created_ip, user_agent: row.created_user_agent }
}
