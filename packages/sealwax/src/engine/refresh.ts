import { AuthError, type RefusalReason } from '../errors.ts'
import type { Config } from '../options.ts'
import type { SessionAdvance, SessionRow, SessionWithUser } from '../store/contract/sessions.ts'
import { audit } from './audit.ts'
import { type AuditEventType, type Client, type Context, commit } from './context.ts'
import { networkOf } from './network.ts'
import { revokeSession } from './revocations.ts'
import { type EndReason, sessionKeyPlace } from './sessions.ts'
import {
  accessExpiry,
  checkClaims,
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

/** What a genuine refresh token does. */
export type RefreshVerdict = 'kept' | 'rotated' | 'replayed' | 'recovered' | 'replay_detected' | 'fast_forwarded'

type DecidingState = Pick<
  SessionRow,
  'generation' | 'parent_generation' | 'rotated_at' | 'presented' | 'seen_user_agent'
>

/**
 * The table of refresh. Nothing but the row, the presented generation, the user agent and the time decides.
 * A lost reply, a second tab and a retry find their way to the same successor; only a real replay ends a session.
 */
export function decide(
  session: DecidingState,
  presented: number,
  userAgent: string | null,
  now: number,
  limits: Pick<Config, 'refreshGrace' | 'refreshRecovery'>,
): RefreshVerdict {
  // A clock that stepped back gives a negative age, which counts as inside the window.
  const age = session.rotated_at === null ? Infinity : now - session.rotated_at
  const inGrace = age < limits.refreshGrace
  if (presented > session.generation) return 'fast_forwarded'
  if (presented === session.generation) return inGrace ? 'kept' : 'rotated'
  if (presented !== session.parent_generation) return 'replay_detected'
  if (inGrace) return 'replayed'
  const lostReply = age < limits.refreshRecovery && !session.presented && userAgent === session.seen_user_agent
  return lostReply ? 'recovered' : 'replay_detected'
}

/**
 * Exchanges a refresh token for fresh tokens, as the table says. Throws `invalid_grant` with a `reason`,
 * or `temporarily_unavailable` and `keys_unavailable`, after which the same token may be presented again.
 * With `scope` this one access token carries only these scopes of the session (RFC 6749 §6); beyond them `invalid_scope` is thrown, and nothing has happened.
 */
export async function refreshSession(
  context: Context,
  token: string,
  client: Client = {},
  { scope }: { scope?: string | undefined } = {},
): Promise<TokenResponse> {
  const presented = parseRefreshToken(token)
  if (presented === undefined) throw refused('malformed', 'This is not a refresh token')
  // Each lost race means that another refresh of this session was committed meanwhile, so this ends.
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const reply = await attemptRefresh(context, presented, client, scope)
    if (reply !== undefined) return reply
  }
  throw new AuthError('temporarily_unavailable', 'Too many refreshes of one session at once', { retryAfter: 1 })
}

const MOST_ATTEMPTS = 100

/** Reads, decides, writes conditionally. Undefined: the session moved on between the reading and the writing. */
async function attemptRefresh(
  context: Context,
  presented: PresentedToken,
  client: Client,
  requested: string | undefined,
): Promise<TokenResponse | undefined> {
  const session = await context.store.committed.sessions.byId(presented.sessionId)
  if (session === undefined) throw refused('session_revoked', 'There is no such session')
  const hmacKey = sessionKey(context.secrets.unwrap(session.hmac_key, sessionKeyPlace(session.id)))
  // A forged token never touches the session: else anybody who knows its id could end it.
  if (!isGenuine(presented, hmacKey)) throw refused('malformed', 'This is not a refresh token')
  const now = context.now()
  requireLive(session, now)
  const subject = await requireSubject(context, session, client)
  const userAgent = client.userAgent ?? null
  const verdict = decide(session, presented.generation, userAgent, now, context.config)
  if (verdict === 'replay_detected') return endReplayed(context, session, presented, client)
  // After the replay, which no scope may hide.
  const scope = requested === undefined ? session.scope : narrowScopes(scopesOf(session), requested).join(' ')
  const next = advanceOf(context, session, presented.generation, verdict, client, now)
  const event = eventOf(session, verdict, client)
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
  return tokenResponse(context, { ...session, scope }, subject, { generation: next.generation, hmacKey, now })
}

function advanceOf(
  context: Context,
  session: SessionRow,
  presented: number,
  verdict: RefreshVerdict,
  client: Client,
  now: number,
): SessionAdvance {
  const lives = {
    idle_expires_at: now + idleLimit(context, session.remember),
    access_expires_at: Math.max(session.access_expires_at, accessExpiry(context, now)),
  }
  if (verdict === 'kept' || verdict === 'replayed') {
    const { generation, parent_generation, rotated_at, seen_at, seen_ip, seen_user_agent } = session
    const known = session.presented || verdict === 'kept'
    return { generation, parent_generation, rotated_at, seen_at, seen_ip, seen_user_agent, ...lives, presented: known }
  }
  return {
    generation: Math.max(presented, session.generation) + 1,
    // A recovery displaces the successor that nobody has seen; the parent stays the parent.
    parent_generation: presented,
    rotated_at: now,
    presented: false,
    seen_at: now,
    seen_ip: client.ip ?? null,
    seen_user_agent: client.userAgent ?? null,
    ...lives,
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

/** Roles, version and claims for the next access token of a session; undefined: its user may no longer have one. */
export async function subjectOf(context: Context, session: SessionWithUser): Promise<TokenSubject | undefined> {
  const { loadSubject } = context
  if (loadSubject !== undefined) {
    const subject = await askApplication(() => loadSubject(session.subject))
    if (subject === undefined || subject.disabled === true) return undefined
    if (subject.claims !== undefined) checkClaims(subject.claims)
    return { ...subject, ver: session.user?.ver }
  }
  if (session.user?.disabled === true) return undefined
  const claims = session.claims === null ? {} : { claims: session.claims }
  if (session.user !== undefined) return { roles: session.user.roles, ver: session.user.ver, ...claims }
  return { ...(session.roles === null ? {} : { roles: session.roles }), ...claims }
}

function scopesOf({ scope }: SessionRow): readonly string[] {
  return scope === null ? [] : scope.split(' ')
}

/** The application's own store may be away: then nobody is refused for good. */
async function askApplication<T>(ask: () => Promise<T> | T): Promise<T> {
  try {
    return await ask()
  } catch (cause) {
    throw new AuthError('temporarily_unavailable', 'The user could not be loaded', { retryAfter: 1, cause })
  }
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
    await revokeSession(context, unit, ended)
    await audit(unit, { ...event, time: now, subject: session.subject, sessionId: session.id, ...client })
  })
}

/** Which verdicts are worth an audit row: an ordinary rotation is not, a replay only from elsewhere. */
function eventOf(session: SessionRow, verdict: RefreshVerdict, client: Client): AuditEventType | undefined {
  if (verdict === 'recovered') return 'session.recovered'
  if (verdict === 'fast_forwarded') return 'session.fast_forwarded'
  if (verdict !== 'replayed') return undefined
  const elsewhere =
    networkOf(client.ip) !== networkOf(session.seen_ip) || (client.userAgent ?? null) !== session.seen_user_agent
  return elsewhere ? 'session.replayed' : undefined
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
  return found && { ...found.session, spent: isSpent(context, found, client.userAgent ?? null) }
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

/** Whether a refresh by this user agent would be a replay. Nothing is written. */
export function isSpent(context: Context, { session, generation }: FoundSession, userAgent: string | null): boolean {
  return decide(session, generation, userAgent, context.now(), context.config) === 'replay_detected'
}
