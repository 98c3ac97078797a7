import { AuthError, type RefusalReason } from '../errors.ts'
import type { SessionAdvance, SessionRow, SessionWithUser } from '../store/contract/sessions.ts'
import { audit } from './audit.ts'
import { type AuditEventType, type Client, type Context, commit } from './context.ts'
import {
  decide,
  decideConfirmation,
  isKnownOrigin,
  type Presenter,
  type RefreshDecision,
  type RefreshVerdict,
} from './refresh-table.ts'
import { revokeSessions } from './revocations.ts'
import { hourOf } from './session-list.ts'
import { type EndReason, sessionKeyPlace } from './sessions.ts'
import { subjectOf } from './subjects.ts'
import {
  accessExpiry,
  idleLimit,
  isGenuine,
  narrowScopes,
  type PresentedToken,
  parseRefreshToken,
  sessionKey,
  type TokenResponse,
  type TokenSubject,
  tokenResponse,
} from './tokens.ts'

/** How a refresh went. */
export interface Refreshed {
  readonly tokens: TokenResponse
  readonly verdict: RefreshVerdict
}

/** What a refresh may say beside the token. */
export interface RefreshOptions {
  /** Only these scopes of the session, for this one access token (RFC 6749 §6). */
  readonly scope?: string | undefined
  /** The id that the client sent when the session began. */
  readonly device?: string | undefined
}

/**
 * Exchanges a refresh token for fresh tokens, as the refresh table decides. Throws `invalid_grant` with a `reason`,
 * or `temporarily_unavailable` and `keys_unavailable`, after which the same token may be presented again.
 * A `scope` beyond those of the session throws `invalid_scope`, and nothing has happened.
 */
export async function refresh(
  context: Context,
  token: string,
  client: Client = {},
  options: RefreshOptions = {},
): Promise<Refreshed> {
  return untilWritten(token, (presented) => attemptRefresh(context, presented, client, options))
}

/** The same for callers that need the tokens alone. */
export async function refreshSession(
  context: Context,
  token: string,
  client?: Client,
  options?: RefreshOptions,
): Promise<TokenResponse> {
  return (await refresh(context, token, client, options)).tokens
}

/**
 * Notes that a client has stored its refresh token, so that the parent is not recovered any more. A displaced token ends the session, as in a refresh.
 * Throws `invalid_grant` with a `reason`, `temporarily_unavailable`, `keys_unavailable`.
 */
export async function confirmRefreshToken(context: Context, token: string, client: Client = {}): Promise<void> {
  await untilWritten(token, async (presented) => {
    const { session } = await liveSession(context, presented)
    const next = decideConfirmation(session, presented.generation, context.now())
    if (next === undefined) return endReplayed(context, session, presented, client)
    if (next.presented_at === session.presented_at) return true
    const written = await commit(context, (unit) => unit.sessions.advance(session.id, session, { ...session, ...next }))
    return written || undefined
  })
}

/** Tries again while other refreshes of the session come in between. Each lost race means that another was committed, so this ends. */
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

/** Reads, decides, writes conditionally. Undefined: the session moved on between the reading and the writing. */
async function attemptRefresh(
  context: Context,
  presented: PresentedToken,
  client: Client,
  { scope: requested, device }: RefreshOptions,
): Promise<Refreshed | undefined> {
  const { session, hmacKey } = await liveSession(context, presented)
  const subject = await requireSubject(context, session, client)
  const now = context.now()
  const presenter = { ...client, device }
  const decision = decide(session, presented.generation, presenter, now, context.config)
  if (decision.verdict === 'replay_detected') return endReplayed(context, session, presented, client)
  const { verdict, handed } = decision
  // After the replay, which no scope may hide.
  const scope = requested === undefined ? session.scope : narrowScopes(scopesOf(session), requested).join(' ')
  const next = advanceOf(context, session, decision, client, now)
  const event = eventOf(session, decision, presenter)
  const written = await commit(context, async (unit) => {
    if (!(await unit.sessions.advance(session.id, session, next))) return false
    if (event !== undefined) {
      const data = both(session, presented.generation, client, now)
      await audit(unit, { type: event, time: now, subject: session.subject, sessionId: session.id, ...client, data })
    }
    return true
  })
  if (!written) return undefined
  context.log.info({ session: session.id, verdict }, 'refreshed')
  const tokens = tokenResponse(context, { ...session, scope }, subject, { generation: handed, hmacKey, now })
  return { tokens, verdict }
}

/** The live session of a genuine token. Throws `invalid_grant`. */
async function liveSession(context: Context, presented: PresentedToken) {
  const session = await context.store.committed.sessions.byId(presented.sessionId)
  if (session === undefined) throw refused('session_revoked', 'There is no such session')
  const hmacKey = sessionKey(context.secrets.unwrap(session.hmac_key, sessionKeyPlace(session.id)))
  // A forged token never touches the session: else anybody who knows its id could end it.
  if (!isGenuine(presented, hmacKey)) throw refused('malformed', 'This is not a refresh token')
  requireLive(session, context.now())
  return { session, hmacKey }
}

function advanceOf(
  context: Context,
  session: SessionRow,
  { verdict, next }: Exclude<RefreshDecision, { verdict: 'replay_detected' }>,
  client: Client,
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
    seen_ip: client.ip ?? null,
    seen_user_agent: client.userAgent ?? null,
    earlier_use:
      hourOf(now) > hourOf(seen_at) ? { at: seen_at, ip: seen_ip, user_agent: seen_user_agent } : earlier_use,
  }
}

function requireLive(session: SessionWithUser, now: number): void {
  if (session.ended_at !== null) {
    if (session.end_reason === 'user_disabled') throw refused('user_disabled', 'This user is disabled')
    throw refused('session_revoked', 'This session has ended')
  }
  if (now >= session.absolute_expires_at) throw refused('expired', 'This session has reached its end')
  if (now >= session.idle_expires_at) throw refused('expired', 'This session was not used for too long')
}

/** Roles, version and claims for the next access token, or the end of the session of a user who may no longer have one. */
async function requireSubject(context: Context, session: SessionWithUser, client: Client): Promise<TokenSubject> {
  return (await subjectOf(context, session)) ?? endDisabled(context, session, client)
}

function scopesOf({ scope }: SessionRow): readonly string[] {
  return scope === null ? [] : scope.split(' ')
}

async function endDisabled(context: Context, session: SessionRow, client: Client): Promise<never> {
  await end(context, session, 'user_disabled', { type: 'session.ended', data: { reason: 'user_disabled' } }, client)
  throw refused('user_disabled', 'This user is disabled')
}

/** The verdict is committed before the refusal is thrown, so that the session's end survives its own error. */
async function endReplayed(
  context: Context,
  session: SessionRow,
  presented: PresentedToken,
  client: Client,
): Promise<never> {
  const data = both(session, presented.generation, client, context.now())
  await end(context, session, 'replayed', { type: 'session.replay_detected', data }, client)
  context.log.warn({ session: session.id }, 'replay of a refresh token: the session is ended')
  throw refused('replayed', 'This refresh token was used before; the session has been ended')
}

async function end(
  context: Context,
  session: SessionRow,
  reason: EndReason,
  event: { type: AuditEventType; data: Record<string, unknown> },
  client: Client,
): Promise<void> {
  await commit(context, async (unit) => {
    const now = context.now()
    const ended = await unit.sessions.end(session.id, now, reason)
    if (ended === undefined) return
    await revokeSessions(context, unit, [ended])
    await audit(unit, { ...event, time: now, subject: session.subject, sessionId: session.id, ...client })
  })
}

/** Which verdicts are worth an audit row: an ordinary rotation is not, a token that is kept only when it comes from elsewhere. */
function eventOf(session: SessionRow, { verdict }: RefreshDecision, presenter: Presenter): AuditEventType | undefined {
  if (verdict === 'forked') return 'session.forked'
  if (verdict === 'fast_forwarded') return 'session.fast_forwarded'
  return verdict === 'kept' && !isKnownOrigin(session, presenter) ? 'session.replayed' : undefined
}

/** Both sides of the story: who presents which token now, and who was handed its successor when. */
function both(session: SessionRow, presented: number, client: Client, now: number): Record<string, unknown> {
  return {
    generations_behind: session.generation - presented,
    rotated_seconds_ago: session.rotated_at === null ? null : Math.round((now - session.rotated_at) / 1000),
    presented_by: { ip: client.ip ?? null, user_agent: client.userAgent ?? null },
    rotated_by: { ip: session.seen_ip, user_agent: session.seen_user_agent },
  }
}

function refused(reason: RefusalReason, detail: string): AuthError {
  return new AuthError('invalid_grant', detail, { reason })
}

/**
 * The session a genuine refresh token belongs to, live or not; undefined for any other token. For log-out.
 * `spent`: a refresh with it would be a replay, so its bearer may be anybody who found it.
 */
export async function sessionOfToken(
  context: Context,
  token: string,
  client: Client = {},
): Promise<(SessionWithUser & { readonly spent: boolean }) | undefined> {
  const found = await genuineSession(context, token)
  return found && { ...found.session, spent: isSpent(context, found, client) }
}

/** A session, and the generation of its that a genuine token names. */
export interface FoundSession {
  readonly session: SessionWithUser
  readonly generation: number
}

/** Undefined for a token that no session's key has made. */
export async function genuineSession(context: Context, token: string): Promise<FoundSession | undefined> {
  const presented = parseRefreshToken(token)
  if (presented === undefined) return undefined
  const session = await context.store.committed.sessions.byId(presented.sessionId)
  if (session === undefined) return undefined
  const hmacKey = sessionKey(context.secrets.unwrap(session.hmac_key, sessionKeyPlace(session.id)))
  return isGenuine(presented, hmacKey) ? { session, generation: presented.generation } : undefined
}

/** Whether a refresh by this presenter would be a replay. Nothing is written. */
export function isSpent(context: Context, { session, generation }: FoundSession, presenter: Presenter): boolean {
  return decide(session, generation, presenter, context.now(), context.config).verdict === 'replay_detected'
}
