import { AuthError } from '../errors.ts'
import type { SessionRow } from '../store/contract/sessions.ts'
import { audit } from './audit.ts'
import { refuseClientId } from './clients.ts'
import { type Client, type Context, commit, type Unit } from './context.ts'
import { revokeSessions } from './revocations.ts'
import { currentVersion, endSessionsOf } from './subject-versions.ts'
import { askApplication, disabledUser, subjectOfNew } from './subjects.ts'
import {
  accessExpiry,
  checkTokenContent,
  FIRST_PARTY,
  idleLimit,
  sessionKey,
  type TokenResponse,
  type TokenSubject,
  tokenResponse,
} from './tokens.ts'

export interface CreateSession {
  /** The `sub` of the tokens: your own user's id, 1 to 256 characters. */
  readonly subject: string
  readonly roles?: readonly string[]
  /** Space-separated (RFC 6749 §3.3). */
  readonly scope?: string
  readonly claims?: Readonly<Record<string, unknown>>
  /** How the user was authenticated (RFC 8176). Default none. */
  readonly amr?: readonly string[]
  /** False: the session ends within a day of its last use. Default true. */
  readonly remember?: boolean
  readonly client?: Client
  /**
   * An id of the device, at most 128 characters, which the client sends again with each refresh: it then gets a lost reply again, whatever its user
   * agent has become.
   */
  readonly device?: string | undefined
}

/** Why a session ended; kept with it and in the audit log. */
export type EndReason =
  | 'logout'
  | 'replaced'
  | 'too_many'
  | 'revoked'
  | 'replayed'
  | 'password_changed'
  | 'user_disabled'
  | 'user_deleted'
  | 'key_revoked'
  | 'secret_lost'

/**
 * Starts a session for a user whom the application has authenticated itself, and answers its first tokens.
 * With `loadSubject` roles and claims come from there, now and at each refresh; without it, those given here stay.
 * Throws `validation_failed`, `temporarily_unavailable` when `loadSubject` fails, or `user_disabled` when it has no such user or a disabled one,
 * or when the subject is a disabled built-in user.
 */
export async function createSession(context: Context, options: CreateSession): Promise<TokenResponse> {
  checkSubject(options.subject)
  const { claims, roles, scope, amr } = options
  checkTokenContent({ claims, roles, scope, amr }, (reason) => {
    return new AuthError('validation_failed', `No token can hold what was given: ${reason}`)
  })
  checkDevice(options.device)
  for (let attempts = 0; attempts < MOST_ATTEMPTS; attempts += 1) {
    const started = await attemptSession(context, options)
    if (started !== undefined) return started.issue()
  }
  throw sessionsBeingEnded()
}

/** How often the application is asked anew because all sessions of the subject were ended meanwhile. */
export const MOST_ATTEMPTS = 10

export function sessionsBeingEnded(): AuthError {
  return new AuthError('temporarily_unavailable', 'The sessions of this user are being ended', { retryAfter: 1 })
}

/** Undefined: all sessions of the subject were ended after the application had been asked, so its answer may be out of date. */
async function attemptSession(context: Context, options: CreateSession) {
  const { subject: id } = options
  const versionOf = ({ subjectVersions }: Pick<Unit, 'subjectVersions'>) => subjectVersions.read(id)
  const asks = context.loadSubject !== undefined
  const before = asks ? await versionOf(context.store.committed) : undefined
  const answer = await askApplication(context, id)
  return commit(context, async (unit) => {
    // In the order of `endSessionsOf`: two that lock the same in another order wait for each other.
    const user = await unit.users.lock(id)
    if (asks && (await versionOf(unit)) !== before) return undefined
    const subject = subjectOfNew(user, options, answer)
    if (subject === undefined) throw disabledUser(answer)
    return startSession(context, unit, options, subject)
  })
}

/** Inserts a session; `issue` makes its first tokens once the unit is committed. */
export async function startSession(
  context: Context,
  unit: Unit,
  options: CreateSession,
  subject: TokenSubject,
): Promise<{ issue: () => TokenResponse }> {
  const { config, secrets } = context
  const now = context.now()
  const began = context.sessionTime()
  const id = context.randomBytes(16).toString('base64url')
  const octets = context.randomBytes(32)
  const { remember = true, client: { ip = null, userAgent = null } = {} } = options
  const absolute_expires_at = now + config.refreshAbsolute
  const session: SessionRow = {
    id,
    subject: options.subject,
    client_id: FIRST_PARTY,
    generation: 0,
    parent_generation: null,
    rotated_at: null,
    presented_at: null,
    forks: null,
    device: options.device ?? null,
    hmac_key: secrets.wrap(octets, sessionKeyPlace(id)),
    scope: options.scope ?? null,
    roles: options.roles ?? null,
    claims: options.claims ?? null,
    amr: options.amr ?? [],
    auth_time: now,
    created_at: began,
    created_ip: ip,
    created_user_agent: userAgent,
    seen_at: began,
    seen_ip: ip,
    seen_user_agent: userAgent,
    earlier_use: null,
    idle_expires_at: now + idleLimit(context, remember),
    absolute_expires_at,
    access_expires_at: accessExpiry(context, { absolute_expires_at, remember }, now),
    ended_at: null,
    end_reason: null,
    remember,
    ver: await currentVersion(context, unit, options.subject),
  }
  await unit.sessions.insert(session)
  await makeRoom(context, unit, session)
  const { amr } = session
  const event = { type: 'session.created', time: now, subject: session.subject, sessionId: id } as const
  await audit(unit, { ...event, ...options.client, data: { amr } })
  return {
    issue: () => {
      context.log.info({ session: id, subject: session.subject, amr }, 'session created')
      return tokenResponse(context, session, subject, { generation: 0, hmacKey: sessionKey(octets), now })
    },
  }
}

/** Keeps to `maxSessions`: the sessions used least recently make room for the new one, expired ones before all others. */
async function makeRoom(context: Context, unit: Unit, begun: Pick<SessionRow, 'id' | 'subject'>): Promise<void> {
  const { maxSessions } = context.config
  if (maxSessions === Infinity) return
  const { subject } = begun
  const now = context.now()
  const excess = { except: begun.id, keep: maxSessions - 1, now, limit: MOST_ENDED_AT_ONCE }
  for (const { id } of await unit.sessions.excess(subject, excess)) {
    const ended = await unit.sessions.end(id, now, 'too_many')
    if (ended === undefined) continue
    await revokeSessions(context, unit, [ended])
    await audit(unit, { type: 'session.ended', time: now, subject, sessionId: id, data: { reason: 'too_many' } })
  }
}

/** Who has more sessions than that beyond the limit (it was lowered) reaches it in several log-ins, so that each is quick. */
const MOST_ENDED_AT_ONCE = 100

/** A clock that returns no time twice, so that of sessions which begin together it is known which began first. It runs ahead by a second at most. */
export function distinctTimes(now: () => number): () => number {
  let last = 0
  return () => {
    const time = now()
    last = time > last || last - time >= 1000 ? time : last + 1
    return last
  }
}

/** Binds a wrapped session key to its row. */
export function sessionKeyPlace(id: string): string {
  return `sessions\0${id}\0hmac_key`
}

/** Whether a session has neither ended nor expired. */
export function isLive(
  session: Pick<SessionRow, 'ended_at' | 'idle_expires_at' | 'absolute_expires_at'>,
  now: number,
): boolean {
  return session.ended_at === null && now < session.idle_expires_at && now < session.absolute_expires_at
}

/** Ends one session: its refresh token and, at once, its access tokens. False when it is unknown, ended, or not `owner`'s. */
export async function revokeSessionById(
  context: Context,
  id: string,
  { owner, reason = 'revoked', client }: { owner?: string; reason?: EndReason; client?: Client } = {},
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
      ...client,
      data: { reason },
    })
    return true
  })
}

/** Ends all sessions of a subject, but one if asked; answers how many. */
export async function revokeAllSessions(
  context: Context,
  subject: string,
  { except, reason = 'revoked', client }: { except?: string; reason?: EndReason; client?: Client } = {},
): Promise<number> {
  return commit(context, async (unit) => {
    return endAllSessions(context, unit, subject, { reason, ...(except && { except }), ...(client && { client }) })
  })
}

/** The same inside a unit. */
export async function endAllSessions(
  context: Context,
  unit: Unit,
  subject: string,
  { except, reason, client }: { except?: string; reason: EndReason; client?: Client },
): Promise<number> {
  const count = await endSessionsOf(context, unit, subject, { except, reason })
  if (count > 0) {
    const data = { reason, count, ...(except && { except }) }
    await audit(unit, { type: 'sessions.ended', time: context.now(), subject, ...client, data })
  }
  return count
}

/**
 * Ends every session that may hold an access token issued after `since` and was begun before `before`, however many there are, a page in each unit;
 * answers how many. May be called again after it was interrupted.
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

/** Sessions a unit looks at: the write lock is never held for long. */
const PAGE = 1000

function checkSubject(subject: unknown): asserts subject is string {
  const plain = typeof subject === 'string' && subject.trim() !== '' && subject.length <= 256
  // In UTF-8 each lone surrogate becomes U+FFFD, and two subjects would be one.
  if (!plain || hasControlCharacter(subject) || !subject.isWellFormed()) {
    throw new AuthError(
      'validation_failed',
      'subject must be a string of 1 to 256 characters without control characters or lone surrogates',
    )
  }
  refuseClientId(subject)
}

function checkDevice(device: unknown): void {
  if (device === undefined) return
  if (typeof device !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(device)) {
    throw new AuthError('validation_failed', 'device must be 1 to 128 visible ASCII characters')
  }
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f')
}
