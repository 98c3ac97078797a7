import { audit, auditObserved } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import type { AuditEventType } from '../core/events.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit } from '../core/unit-of-work.ts'
import type { ProvedKey } from '../dpop/proof-key.ts'
import { AuthError, type RefusalReason } from '../errors.ts'
import { revokeSessions } from '../revocations/rules.ts'
import type { SessionAdvance, SessionRow, SessionWithUser } from './contract.ts'
import type { EndReason } from './end.ts'
import { toHour } from './list.ts'
import {
  decide,
  decideConfirmation,
  isKnownOrigin,
  type Presenter,
  type RefreshDecision,
  type RefreshVerdict,
} from './refresh-decision.ts'
import { sessionKeyPlace } from './rules.ts'
import { resolveSubject } from './subjects.ts'
import {
  accessExpiry,
  idleLimit,
  isGenuine,
  narrowScopes,
  type PresentedToken,
  parseRefreshToken,
  sessionKey,
  type TokenResponse,
  tokenResponse,
} from './tokens.ts'

/** The result of a refresh. */
export interface Refreshed {
  /** The reply. */
  readonly tokens: TokenResponse
  /** What the refresh table decided. */
  readonly verdict: RefreshVerdict
}

/** Optional parameters of a refresh. */
export interface RefreshOptions {
  /** Limits this access token to these scopes of the session (RFC 6749 §6). */
  readonly scope?: string | undefined
  /** The id that the client sent when the session began. */
  readonly device?: string | undefined
  /** The key that the client has proved to have. */
  readonly key?: ProvedKey | undefined
}

/**
 * Exchanges a refresh token for new tokens, as the refresh table decides.
 *
 * @throws {AuthError} `invalid_grant` with a `reason`
 * @throws {AuthError} `invalid_dpop_proof` without the key that the session is bound to
 * @throws {AuthError} `temporarily_unavailable` or `keys_unavailable`: the same token may be used
 * again
 * @throws {AuthError} `invalid_scope` for a scope that the session does not have; nothing is
 * changed
 */
export async function refresh(
  context: Context,
  token: string,
  origin: RequestOrigin = {},
  options: RefreshOptions = {},
): Promise<Refreshed> {
  return untilWritten(token, (presented) => attemptRefresh(context, presented, origin, options))
}

/** `refresh` for callers that need only the tokens. */
export async function refreshSession(
  context: Context,
  token: string,
  origin?: RequestOrigin,
  options?: RefreshOptions,
): Promise<TokenResponse> {
  return (await refresh(context, token, origin, options)).tokens
}

/**
 * Records that a client has stored its refresh token, so that the parent is no longer recovered. An
 * invalidated token ends the session, as in a refresh.
 *
 * @throws {AuthError} `invalid_grant` with a `reason`, `temporarily_unavailable`,
 * `keys_unavailable`
 */
export async function confirmRefreshToken(context: Context, token: string, key?: ProvedKey): Promise<void> {
  await untilWritten(token, async (presented) => {
    const { session } = await liveSession(context, presented)
    await requireKey(session, key)
    const next = decideConfirmation(session, presented.generation, context.now())
    if (next.presented_at === session.presented_at) return true
    const written = await commit(context, (unit) => unit.sessions.advance(session.id, session, { ...session, ...next }))
    return written || undefined
  })
}

/**
 * Tries again when another refresh of the session was written first, so each attempt makes
 * progress.
 */
async function untilWritten<T>(
  token: string,
  attempt: (presented: PresentedToken) => Promise<T | undefined>,
): Promise<T> {
  const presented = parseRefreshToken(token)
  if (presented === undefined) throw refused('malformed', 'This is not a refresh token')
  for (let attempts = 0; attempts < MOST_ATTEMPTS; attempts += 1) {
    const result = await attempt(presented)
    if (result !== undefined) return result
  }
  throw new AuthError('temporarily_unavailable', 'Too many refreshes of one session at once', { retryAfter: 1 })
}

const MOST_ATTEMPTS = 100

/** Returns undefined when the session changed between reading and writing. */
async function attemptRefresh(
  context: Context,
  presented: PresentedToken,
  origin: RequestOrigin,
  { scope: requested, device, key }: RefreshOptions,
): Promise<Refreshed | undefined> {
  const { session, hmacKey } = await liveSession(context, presented)
  await requireKey(session, key)
  const subject = (await resolveSubject(context, session)) ?? (await endDisabled(context, session, origin))
  const now = context.now()
  const presenter = { ...origin, device }
  const decision = decide(session, presented.generation, presenter, now, context.config)
  if (decision.verdict === 'replay_detected') return endReplayed(context, session, presented, origin)
  const { verdict, handed } = decision
  // After the check for a replay, which an invalid scope must not hide.
  const scope = requested === undefined ? session.scope : narrowScopes(splitScopes(session), requested).join(' ')
  const next = toAdvance(context, session, decision, origin, now)
  const event = toEventType(session, decision, presenter)
  const written = await commit(context, async (unit) => {
    if (!(await unit.sessions.advance(session.id, session, next))) return false
    if (event !== undefined) {
      const data = describeParties(session, presented.generation, origin, now)
      const parties = { subject: session.subject, sessionId: session.id, ...origin }
      await auditObserved(context, unit, { type: event, time: now, ...parties, data })
    }
    return true
  })
  if (!written) return undefined
  context.log.info({ session: session.id, verdict }, 'refreshed')
  // A proof for a session that is not bound binds only this access token: otherwise a thief could
  // bind the session to another key.
  const bound = { ...session, scope, jkt: session.jkt ?? key?.jkt ?? null }
  const tokens = tokenResponse(context, bound, subject, { generation: handed, hmacKey, now })
  return { tokens, verdict }
}

/** Returns the live session of a genuine token. Otherwise it throws `invalid_grant`. */
async function liveSession(context: Context, presented: PresentedToken) {
  const session = await context.store.committed.sessions.byId(presented.sessionId)
  if (session === undefined) throw refused('session_revoked', 'There is no such session')
  const hmacKey = sessionKey(context.secrets.unwrap(session.hmac_key, sessionKeyPlace(session.id)))
  // A forged token must not end the session, or anyone who knows its id could.
  if (!isGenuine(presented, hmacKey)) throw refused('malformed', 'This is not a refresh token')
  requireLive(session, context.now())
  return { session, hmacKey }
}

function toAdvance(
  context: Context,
  session: SessionRow,
  { verdict, next }: Exclude<RefreshDecision, { verdict: 'replay_detected' }>,
  origin: RequestOrigin,
  now: number,
): SessionAdvance {
  const advance = {
    ...next,
    idle_expires_at: now + idleLimit(context, session.remember),
    access_expires_at: Math.max(session.access_expires_at, accessExpiry(context, session, now)),
  }
  const { seen_at, seen_ip, seen_user_agent, earlier_use } = session
  if (verdict === 'kept' || verdict === 'replayed') {
    return { ...advance, seen_at, seen_ip, seen_user_agent, earlier_use }
  }
  return {
    ...advance,
    seen_at: now,
    seen_ip: origin.ip ?? null,
    seen_user_agent: origin.userAgent ?? null,
    earlier_use:
      toHour(now) > toHour(seen_at) ? { at: seen_at, ip: seen_ip, user_agent: seen_user_agent } : earlier_use,
  }
}

function requireLive(session: SessionWithUser, now: number): void {
  if (session.ended_at !== null) {
    if (session.end_reason === 'user_disabled') throw refused('user_disabled', 'This user is disabled')
    throw refused('session_revoked', 'This session has ended')
  }
  if (now >= session.absolute_expires_at) throw refused('expired', 'This session has expired')
  if (now >= session.idle_expires_at) throw refused('expired', 'This session was not used for too long')
}

/**
 * A stolen refresh token is useless without the key. The session goes on.
 *
 * @throws {AuthError} `invalid_dpop_proof`, `use_dpop_nonce`, `invalid_grant`
 */
async function requireKey({ jkt }: SessionRow, key: ProvedKey | undefined): Promise<void> {
  if (jkt === null || jkt === key?.jkt) return key?.use()
  if (key !== undefined) throw refused('key_mismatch', 'This session is bound to another key')
  throw new AuthError('invalid_dpop_proof', 'This session is bound to a key: send a proof in the header DPoP')
}

function splitScopes({ scope }: SessionRow): readonly string[] {
  return scope === null ? [] : scope.split(' ')
}

async function endDisabled(context: Context, session: SessionRow, origin: RequestOrigin): Promise<never> {
  await end(context, session, 'user_disabled', { type: 'session.ended', data: { reason: 'user_disabled' } }, origin)
  throw refused('user_disabled', 'This user is disabled')
}

/** Commits the end of the session before it throws, so that the error does not roll it back. */
async function endReplayed(
  context: Context,
  session: SessionRow,
  presented: PresentedToken,
  origin: RequestOrigin,
): Promise<never> {
  const data = describeParties(session, presented.generation, origin, context.now())
  await end(context, session, 'replayed', { type: 'session.replay_detected', data }, origin)
  context.log.warn({ session: session.id }, 'replay of a refresh token: the session is ended')
  throw refused('replayed', 'This refresh token was used before; the session has been ended')
}

async function end(
  context: Context,
  session: SessionRow,
  reason: EndReason,
  event: { type: AuditEventType; data: Record<string, unknown> },
  origin: RequestOrigin,
): Promise<void> {
  await commit(context, async (unit) => {
    const now = context.now()
    const ended = await unit.sessions.end(session.id, now, reason)
    if (ended === undefined) return
    await revokeSessions(context, unit, [ended])
    await audit(unit, { ...event, time: now, subject: session.subject, sessionId: session.id, ...origin })
  })
}

/** The audit event of a verdict: none for a rotation, nor for a kept token from a known origin. */
function toEventType(
  session: SessionRow,
  { verdict }: RefreshDecision,
  presenter: Presenter,
): AuditEventType | undefined {
  if (verdict === 'forked') return 'session.forked'
  if (verdict === 'fast_forwarded') return 'session.fast_forwarded'
  return verdict === 'kept' && !isKnownOrigin(session, presenter) ? 'session.replayed' : undefined
}

/** Describes who presents which token now, and who received its successor and when. */
function describeParties(
  session: SessionRow,
  presented: number,
  origin: RequestOrigin,
  now: number,
): Record<string, unknown> {
  return {
    generations_behind: session.generation - presented,
    rotated_seconds_ago: session.rotated_at === null ? null : Math.round((now - session.rotated_at) / 1000),
    presented_by: { ip: origin.ip ?? null, user_agent: origin.userAgent ?? null },
    rotated_by: { ip: session.seen_ip, user_agent: session.seen_user_agent },
  }
}

function refused(reason: RefusalReason, detail: string): AuthError {
  return new AuthError('invalid_grant', detail, { reason })
}
