import { type Duration, toSeconds } from '@sealwax/jwt'
import { audit } from '../core/audit.ts'
import { refuseClientId } from '../core/client-id.ts'
import { type Context, perContext } from '../core/context.ts'
import { durationInWords } from '../core/options.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit, type Unit } from '../core/unit-of-work.ts'
import { AuthError } from '../errors.ts'
import { revokeSessions } from '../revocations/rules.ts'
import type { SessionRow } from './contract.ts'
import { currentVersion } from './subject-versions.ts'
import { callLoadSubject, disabledUser, resolveNewSubject } from './subjects.ts'
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

/** The options of `auth.sessions.create`. */
export interface CreateSession {
  /** The `sub` of the tokens: the id of your user, 1 to 256 characters. */
  readonly subject: string
  /**
   * The roles of the user, unless a built-in user or `loadSubject` determines them. Default none.
   */
  readonly roles?: readonly string[]
  /** Scopes, separated by spaces (RFC 6749 §3.3). Default none. */
  readonly scope?: string
  /** Extra claims of the access tokens, unless `loadSubject` determines them. Default none. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** How the user was authenticated (RFC 8176). Default none. */
  readonly amr?: readonly string[]
  /** With false, the session ends within a day of its last use. Default true. */
  readonly remember?: boolean
  /**
   * How long the access tokens of this session are valid: `'2m'`, or seconds; at most the server's
   * `accessTtl`, which is the default.
   */
  readonly accessTtl?: Duration
  /** Where the log-in came from. */
  readonly client?: RequestOrigin
  /**
   * An id of the device, 1 to 128 visible ASCII characters, which the client sends with each
   * refresh. It identifies the client when a reply was lost, even if its user agent has changed.
   */
  readonly device?: string | undefined
  /**
   * The RFC 7638 thumbprint of a key of the client, which has proved to have it: all tokens of the
   * session are bound to the key (RFC 9449). Default: they are bearer tokens.
   */
  readonly jkt?: string | undefined
}

/**
 * Starts a session for a user whom the application has authenticated, and returns its first tokens.
 * With `loadSubject`, roles and claims come from there, now and at each refresh; without it, those
 * given here are kept.
 *
 * @throws {AuthError} `validation_failed`
 * @throws {AuthError} `user_disabled` when the user is disabled, or unknown to `loadSubject`
 * @throws {AuthError} `temporarily_unavailable` when `loadSubject` fails
 */
export async function createSession(context: Context, options: CreateSession): Promise<TokenResponse> {
  checkCreateSession(options)
  for (let attempts = 0; attempts < MOST_ATTEMPTS; attempts += 1) {
    const started = await attemptSession(context, options)
    if (started !== undefined) return started.issue()
  }
  throw sessionsBeingEnded()
}

/** @throws {AuthError} `validation_failed` for a subject, device or content that is not allowed */
export function checkCreateSession({ subject, device, jkt, claims, roles, scope, amr }: CreateSession): void {
  checkSubject(subject)
  checkTokenContent({ claims, roles, scope, amr }, (reason) => {
    return new AuthError('validation_failed', `No token can hold what was given: ${reason}`)
  })
  checkDevice(device)
  checkThumbprint(jkt)
}

/**
 * How often `loadSubject` is called again because all sessions of the subject were ended meanwhile.
 */
export const MOST_ATTEMPTS = 10

/** The error after the last of these attempts. */
export function sessionsBeingEnded(): AuthError {
  return new AuthError('temporarily_unavailable', 'The sessions of this user are being ended', { retryAfter: 1 })
}

/**
 * Returns undefined if all sessions of the subject were ended after `loadSubject` was called: its
 * result may be stale.
 */
async function attemptSession(context: Context, options: CreateSession) {
  const { subject: id } = options
  const readVersion = ({ subjectVersions }: Pick<Unit, 'subjectVersions'>) => subjectVersions.read(id)
  const asks = context.loadSubject !== undefined
  const before = asks ? await readVersion(context.store.committed) : undefined
  const answer = await callLoadSubject(context, id)
  return commit(context, async (unit) => {
    // Locks in the order of `endSubjectSessions`, so that the two cannot deadlock.
    const user = await unit.subjects.lock(id)
    if (asks && (await readVersion(unit)) !== before) return undefined
    const subject = resolveNewSubject(user, options, answer)
    if (subject === undefined) throw disabledUser(answer)
    return startSession(context, unit, options, subject)
  })
}

/**
 * Inserts a session. `issue` creates its first tokens after the unit is committed.
 *
 * @param chosen an id for the session, and when the user logged in if that was not now
 */
export async function startSession(
  context: Context,
  unit: Unit,
  options: CreateSession,
  subject: TokenSubject,
  chosen: { readonly id?: string; readonly authTime?: number } = {},
): Promise<{ issue: () => TokenResponse; sessionId: string }> {
  const { config, secrets } = context
  const now = context.now()
  const began = sessionTimes(context)()
  const id = chosen.id ?? newSessionId(context)
  const octets = context.randomBytes(32)
  const { remember = true, client: { ip = null, userAgent = null } = {} } = options
  const absolute_expires_at = now + config.refreshAbsolute
  const access_ttl = readAccessTtl(context, options.accessTtl)
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
    auth_time: chosen.authTime ?? now,
    created_at: began,
    created_ip: ip,
    created_user_agent: userAgent,
    seen_at: began,
    seen_ip: ip,
    seen_user_agent: userAgent,
    earlier_use: null,
    idle_expires_at: now + idleLimit(context, remember),
    absolute_expires_at,
    access_expires_at: accessExpiry(context, { absolute_expires_at, remember, access_ttl }, now),
    ended_at: null,
    end_reason: null,
    remember,
    access_ttl,
    jkt: options.jkt ?? null,
    ver: await currentVersion(context, unit, options.subject),
  }
  await unit.sessions.insert(session)
  await makeRoom(context, unit, session)
  const { amr } = session
  const event = { type: 'session.created', time: now, subject: session.subject, sessionId: id } as const
  await audit(unit, { ...event, ...options.client, data: { amr } })
  return {
    sessionId: id,
    issue: () => {
      context.log.info({ session: id, subject: session.subject, amr }, 'session created')
      return tokenResponse(context, session, subject, { generation: 0, hmacKey: sessionKey(octets), now })
    },
  }
}

/**
 * A longer life than that of the server would outlast the keys that it publishes.
 *
 * @returns milliseconds, or null for the default
 * @throws {AuthError} `validation_failed`
 */
function readAccessTtl({ config }: Context, accessTtl: Duration | undefined): number | null {
  if (accessTtl === undefined) return null
  let milliseconds = -1
  try {
    milliseconds = toSeconds(accessTtl) * 1000
  } catch {
    // Refused below.
  }
  if (milliseconds >= 1000 && milliseconds <= config.accessTtl) return milliseconds
  const allowed = `a number of seconds or a duration such as '2m', at most ${durationInWords(config.accessTtl)}`
  throw new AuthError('validation_failed', `sessions.create: accessTtl must be ${allowed}`)
}

/** Returns an id for a new session. */
export function newSessionId({ randomBytes }: Context): string {
  return randomBytes(16).toString('base64url')
}

/** Enforces `maxSessions`: ends expired sessions first, then the least recently used ones. */
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

/**
 * Sessions ended per log-in. After `maxSessions` was lowered, it may take several log-ins to reach
 * it.
 */
const MOST_ENDED_AT_ONCE = 100

/** The times at which sessions begin: no two of one process are equal. */
const sessionTimes = perContext(({ now }) => distinctTimes(now))

/**
 * A clock that never returns the same time twice, so that sessions are ordered. At most a second
 * ahead.
 */
function distinctTimes(now: () => number): () => number {
  let last = 0
  return () => {
    const time = now()
    last = time > last || last - time >= 1000 ? time : last + 1
    return last
  }
}

/** The place of a wrapped session key, see `WrappedValue`. */
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

function checkSubject(subject: unknown): asserts subject is string {
  const plain = typeof subject === 'string' && subject.trim() !== '' && subject.length <= 256
  // In UTF-8 every lone surrogate becomes U+FFFD, so two subjects would become equal.
  if (!plain || hasControlCharacter(subject) || !subject.isWellFormed()) {
    throw new AuthError(
      'validation_failed',
      'subject must be a string of 1 to 256 characters without control characters or lone surrogates',
    )
  }
  refuseClientId(subject)
}

/** @throws {AuthError} `validation_failed` */
export function checkDevice(device: unknown): void {
  if (device === undefined) return
  if (typeof device !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(device)) {
    throw new AuthError('validation_failed', 'device must be 1 to 128 visible ASCII characters')
  }
}

/** @throws {AuthError} `validation_failed` */
export function checkThumbprint(jkt: unknown): void {
  if (jkt === undefined || (typeof jkt === 'string' && /^[\w-]{43}$/.test(jkt))) return
  throw new AuthError('validation_failed', 'jkt must be the SHA-256 thumbprint of a key: 43 characters of base64url')
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f')
}
