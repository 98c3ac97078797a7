import { describeValue } from '@sealwax/jwt/internal'
import { audit, auditAlone } from '../core/audit.ts'
import { type Context, perContext } from '../core/context.ts'
import { purgeInPages } from '../core/purge.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { wrongOption } from '../core/strict-options.ts'
import { commit, type Unit } from '../core/unit-of-work.ts'
import { checkedKey, type ProvedKey } from '../dpop/proof-key.ts'
import { AuthError } from '../errors.ts'
import type { SessionRow, SubjectRow } from './contract.ts'
import { type FoundSession, findOldSession } from './old-session.ts'
import { parseAgent, toOrigin } from './origin.ts'
import {
  type CreateSession,
  checkCreateSession,
  isLive,
  MOST_ATTEMPTS,
  newSessionId,
  sessionKeyPlace,
  sessionsBeingEnded,
  startSession,
} from './rules.ts'
import { type Answer, callLoadSubject, disabledUser, resolveNewSubject, resolveSubject } from './subjects.ts'
import { accessExpiry, idleLimit, sessionKey, type TokenResponse, type TokenSubject, tokenResponse } from './tokens.ts'

/** Optional parameters of an exchange. */
export interface ExchangeSession {
  /** See `CreateSession.remember`. Default: what `read` returned, or else true. */
  readonly remember?: boolean | undefined
  /** See `CreateSession.device`. */
  readonly device?: string | undefined
  /** See `CreateSession.jkt`. */
  readonly jkt?: string | undefined
  /** Where the request came from. Default: only its user agent. */
  readonly client?: RequestOrigin | undefined
}

/**
 * Exchanges the session of an older system for one of this server. Each is exchanged once. If the
 * reply was lost, the same client gets the tokens of the same session again.
 *
 * @throws {AuthError} `exchange_disabled` without the option; `exchange_refused` after the date,
 * without an older session, for one that was exchanged or that is older than the last time when all
 * sessions of the user ended, for an unknown user and for an administrator
 * @throws {AuthError} `user_disabled`, `validation_failed`, `temporarily_unavailable`
 * @throws {GuardError} for a token that `auth.guard` refuses
 */
export async function exchangeSession(
  context: Context,
  request: Request,
  { remember, device, jkt, client }: ExchangeSession = {},
  key: ProvedKey | undefined = checkedKey(jkt),
): Promise<TokenResponse> {
  if (!(request instanceof Request)) {
    const given = describeValue(request)
    throw new AuthError('validation_failed', wrongOption('sessions.exchange', 'request', 'be a web Request', given))
  }
  const { exchange } = context.config
  if (exchange === null) throw new AuthError('exchange_disabled', 'Sessions of an older system are not exchanged here')
  if (context.now() >= exchange.until) {
    const date = new Date(exchange.until).toISOString()
    throw refused(`Sessions of the older system were exchanged until ${date}. Log in again`)
  }
  const old = await findOldSession(context, exchange, request)
  if (old.issuedAt * 1000 > context.now() + MOST_AHEAD) throw refused('The older session begins in the future')
  const { subject, roles, scope, claims, amr } = old
  const given = {
    roles,
    scope,
    claims,
    amr,
    remember: remember ?? old.remember,
    device,
    jkt: key?.jkt,
    client: client ?? agentOf(request),
  }
  const options = { subject, ...withoutUndefined(given) }
  checkCreateSession(options)
  await key?.use()
  for (let attempts = 0; attempts < MOST_ATTEMPTS; attempts += 1) {
    const result =
      (await attemptExchange(context, old, options, exchange.until)) ?? (await repeat(context, old, options))
    if (result instanceof AuthError) throw result
    if (result !== undefined) return result.issue()
  }
  throw sessionsBeingEnded()
}

/** How far the clock of the older system may be ahead. */
const MOST_AHEAD = 60_000

type Outcome = { readonly issue: () => TokenResponse } | AuthError | undefined

/**
 * Starts the session. Returns undefined if the older session was exchanged already, or if all
 * sessions of the subject were ended after `loadSubject` was called: its result may be stale.
 */
async function attemptExchange(
  context: Context,
  old: FoundSession,
  options: CreateSession,
  until: number,
): Promise<Outcome> {
  const { subject: id } = options
  const readVersion = ({ subjectVersions }: Pick<Unit, 'subjectVersions'>) => subjectVersions.read(id)
  const asks = context.loadSubject !== undefined
  const before = asks ? await readVersion(context.store.committed) : undefined
  const answer = await callLoadSubject(context, id)
  const session_id = newSessionId(context)
  return commit(context, async (unit): Promise<Outcome> => {
    // Locks in the order of `endSubjectSessions`, so that the two cannot deadlock.
    const user = await unit.subjects.lock(id)
    const version = await readVersion(unit)
    if (asks && version !== before) return undefined
    const subject = allowedSubject(context, old, { options, user, answer, version })
    if (subject instanceof AuthError) return subject
    const now = context.now()
    const row = { hash: old.hash, session_id, exchanged_at: now, until }
    if (!(await unit.exchangedSessions.insert(row))) return undefined
    const chosen = { id: session_id, authTime: old.authTime }
    const started = await startSession(context, unit, options, subject, chosen)
    const event = { type: 'session.exchanged', time: now, subject: id, sessionId: session_id } as const
    const data = old.issuer === undefined ? {} : { data: { issuer: old.issuer } }
    await audit(unit, { ...event, ...options.client, ...data })
    return started
  })
}

interface Looked {
  readonly options: CreateSession
  readonly user: SubjectRow | undefined
  readonly answer: Answer | undefined
  readonly version: number | undefined
}

/** Returns what the tokens contain about the user, or why there are none. */
function allowedSubject(
  { config }: Context,
  { issuedAt, authTime, issuer }: FoundSession,
  { options, user, answer, version }: Looked,
): TokenSubject | AuthError {
  // In the same second, nobody knows which was first. Without the time of the log-in, the older
  // system may have renewed the token of an older session.
  if (version !== undefined && (issuedAt <= version || authTime === 0)) {
    return refused('All sessions of this user have ended since this one began. Log in again')
  }
  const subject = resolveNewSubject(user, options, answer)
  if (subject === undefined) return disabledUser(answer)
  // What `read` returned, the application vouches for.
  if (user === undefined && answer === undefined && issuer !== undefined) {
    return refused('There is no such user here. Log in again')
  }
  // Otherwise the keys of the older system would open /admin.
  if (subject.roles?.includes(config.adminRole)) return refused('Administrators must log in again')
  return subject
}

/**
 * Repeats an exchange whose reply may have been lost, also for tabs that exchange at the same time:
 * the same client gets the first tokens of the same session, unless it has used them. Returns
 * undefined if there was no exchange, or if the session has changed meanwhile.
 */
async function repeat(context: Context, { hash }: FoundSession, options: CreateSession): Promise<Outcome> {
  const { store, secrets, now } = context
  const exchanged = await store.committed.exchangedSessions.byHash(hash)
  if (exchanged === undefined) return undefined
  const session = await store.committed.sessions.byId(exchanged.session_id)
  const age = now() - exchanged.exchanged_at
  if (session === undefined || !isLive(session, now()) || !isRepeat(context, session, options, age)) {
    const event = { type: 'session.exchange_refused', time: now(), subject: options.subject } as const
    await auditAlone(context, { ...event, sessionId: exchanged.session_id, ...options.client })
    return refused('This session was exchanged before. Log in again')
  }
  const subject = await resolveSubject(context, session)
  if (subject === undefined) return new AuthError('user_disabled', 'This user is disabled', { reason: 'user_disabled' })
  const at = now()
  const next = {
    ...session,
    idle_expires_at: at + idleLimit(context, session.remember),
    access_expires_at: Math.max(session.access_expires_at, accessExpiry(context, session, at)),
  }
  if (!(await commit(context, (unit) => unit.sessions.advance(session.id, session, next)))) return undefined
  const hmacKey = sessionKey(secrets.unwrap(session.hmac_key, sessionKeyPlace(session.id)))
  return { issue: () => tokenResponse(context, session, subject, { generation: 0, hmacKey, now: at }) }
}

/** Whether the client is the one that exchanged first, and has not used its refresh token yet. */
function isRepeat(
  { config: { refreshGrace, refreshRecovery } }: Context,
  session: SessionRow,
  { client = {}, device, jkt }: CreateSession,
  age: number,
): boolean {
  if (session.generation > 0 || session.jkt !== (jkt ?? null)) return false
  const { created_ip, created_user_agent } = session
  const first = toOrigin({ ip: created_ip ?? undefined, userAgent: created_user_agent ?? undefined })
  const sent = toOrigin(client)
  if (age < refreshGrace && first === sent) return true
  if (age >= Math.max(refreshGrace, refreshRecovery)) return false
  if (device !== undefined && device === session.device) return true
  return parseAgent(first) !== '' && parseAgent(first) === parseAgent(sent)
}

function agentOf(request: Request): RequestOrigin {
  const userAgent = request.headers.get('User-Agent')?.slice(0, 256)
  return userAgent === undefined ? {} : { userAgent }
}

function withoutUndefined<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never
}

function refused(detail: string): AuthError {
  return new AuthError('exchange_refused', detail)
}

/** Whether the log contains the warning. */
const warned = perContext(() => ({ already: false }))

/**
 * Deletes what is known of exchanged sessions when none is exchanged any more. Logs a warning when
 * the date has passed.
 */
export async function purgeExchanged(context: Context, signal: AbortSignal): Promise<void> {
  const { store, now, log } = context
  const { exchange } = context.config
  if (exchange !== null) {
    if (now() < exchange.until) return
    if (!warned(context).already) {
      const until = new Date(exchange.until).toISOString()
      log.warn({ until }, 'sessions of the older system are no longer exchanged: remove the option exchange')
      warned(context).already = true
    }
  }
  await purgeInPages(signal, (limit) => store.transaction((facts) => facts.exchangedSessions.purge(now(), limit)))
}
