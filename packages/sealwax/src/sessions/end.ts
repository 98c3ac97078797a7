import { audit } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import { purgeInPages } from '../core/purge.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit, type Unit } from '../core/unit-of-work.ts'
import { revokeSessions } from '../revocations/rules.ts'
import { endSubjectSessions } from './subject-versions.ts'

/** Why a session ended: stored in its row and in the audit log. */
export type EndReason =
  | 'logout'
  | 'replaced'
  | 'too_many'
  | 'revoked'
  | 'replayed'
  | 'password_changed'
  | 'email_change_undone'
  | 'reported'
  | 'user_disabled'
  | 'user_deleted'
  | 'key_revoked'
  | 'secret_lost'

/**
 * Ends a session and revokes its tokens.
 *
 * @returns false when it is unknown, has already ended, or belongs to another subject than `owner`
 */
export async function revokeSessionById(
  context: Context,
  id: string,
  { owner, reason = 'revoked', origin }: { owner?: string; reason?: EndReason; origin?: RequestOrigin } = {},
): Promise<boolean> {
  return commit(context, async (unit) => {
    const session = await unit.sessions.byId(id)
    if (session === undefined || (owner !== undefined && session.subject !== owner)) return false
    const now = context.now()
    const ended = await unit.sessions.end(id, now, reason)
    if (ended === undefined) return false
    await revokeSessions(context, unit, [ended])
    await audit(unit, {
      type: 'session.ended',
      time: now,
      subject: session.subject,
      sessionId: id,
      ...origin,
      data: { reason },
    })
    return true
  })
}

/** Ends all sessions of a subject, except one if given. Returns how many. */
export async function revokeAllSessions(
  context: Context,
  subject: string,
  { except, reason = 'revoked', origin }: { except?: string; reason?: EndReason; origin?: RequestOrigin } = {},
): Promise<number> {
  return commit(context, async (unit) => {
    return endAllSessions(context, unit, subject, { reason, ...(except && { except }), ...(origin && { origin }) })
  })
}

/** `revokeAllSessions` inside a unit. */
export async function endAllSessions(
  context: Context,
  unit: Unit,
  subject: string,
  { except, reason, origin }: { except?: string; reason: EndReason; origin?: RequestOrigin },
): Promise<number> {
  const count = await endSubjectSessions(context, unit, subject, { except, reason })
  if (count > 0) {
    const data = { reason, count, ...(except && { except }) }
    await audit(unit, { type: 'sessions.ended', time: context.now(), subject, ...origin, data })
  }
  return count
}

/**
 * Ends every session that began before `before` and may have an access token issued since `since`,
 * one page per transaction. After an interruption it may be called again.
 *
 * @returns how many sessions have ended
 */
export async function endIssuedSessions(
  context: Context,
  { since, before }: { since: number; before: number },
  reason: EndReason,
): Promise<number> {
  let count = 0
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: { after: string; limit: number; reason: string } = { after, limit: PAGE, reason }
    const { ended, last } = await commit(context, async (unit) => {
      const found = await unit.sessions.endIssued({ since, before, now: context.now() }, page)
      await revokeSessions(context, unit, found.ended)
      return found
    })
    count += ended.length
    after = last
  }
  if (count > 0) {
    const data = { reason, count }
    await commit(context, (unit) => audit(unit, { type: 'sessions.ended', time: context.now(), data }))
  }
  return count
}

/** Sessions per transaction, so that the write lock is never held for long. */
const PAGE = 1000

const DAY = 24 * 60 * 60_000
/** How long ended and expired sessions are kept, so that administrators can look into incidents. */
const RETENTION = 30 * DAY

/** Deletes the sessions that ended or expired longer than `RETENTION` ago. */
export async function purgeSessions(
  { store, now }: Pick<Context, 'store' | 'now'>,
  signal: AbortSignal,
): Promise<void> {
  const before = now() - RETENTION
  await purgeInPages(signal, (limit) => store.transaction((facts) => facts.sessions.purge(before, limit)))
}
