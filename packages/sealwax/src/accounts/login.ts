import type { Context } from '../core/context.ts'
import { networksOf } from '../core/network.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit, type Unit } from '../core/unit-of-work.ts'
import { AuthError } from '../errors.ts'
import { type CreateSession, MOST_ATTEMPTS, sessionsBeingEnded, startSession } from '../sessions/rules.ts'
import { callLoadSubject, disabledUser, resolveNewSubject } from '../sessions/subjects.ts'
import type { TokenResponse, TokenSubject } from '../sessions/tokens.ts'
import { issueDeviceToken } from '../throttling/devices.ts'
import { throttle } from '../throttling/throttle.ts'
import { callBeforeRegister, callCheckAttributes } from './application-hooks.ts'
import { authenticate, invalidCredentials, type PasswordCredentials } from './authentication.ts'
import type { UserRow } from './contract.ts'
import { notify } from './notify.ts'
import { type Attributes, checkName } from './profile.ts'
import { insertUser, normaliseEmail, prepareUser, toUser, type User } from './users.ts'

/** The body of a log-in. */
export interface Credentials extends PasswordCredentials {
  /** See `CreateSession.remember`. */
  readonly remember?: boolean | undefined
  /** See `CreateSession.device`. */
  readonly device?: string | undefined
}

/** The body of a sign-up. */
export interface SignUp extends Credentials {
  readonly name?: string | undefined
  readonly attributes?: Attributes | undefined
}

/** The result of a log-in or a sign-up. */
export interface LoggedIn {
  /** The first tokens of the session. */
  readonly tokens: TokenResponse
  /** The user, with the roles of the access token. */
  readonly user: User
  /** Recognises the device at its next log-in, so that attackers elsewhere cannot delay it. */
  readonly deviceToken: string
}

/**
 * Checks a password and starts a session. If all sessions are ended meanwhile, the log-in still
 * succeeds: otherwise the holder of a stolen token could keep the owner out.
 *
 * @throws {AuthError} `invalid_credentials`, `too_many_attempts`, `overloaded`
 * @throws {AuthError} with the right password, `user_disabled`, or `temporarily_unavailable` when
 * `loadSubject` fails
 */
export async function login(context: Context, credentials: Credentials, origin: RequestOrigin = {}): Promise<LoggedIn> {
  const { user, device, attempt } = await authenticate(context, credentials, origin)
  for (let attempts = 0, before = user; attempts < MOST_ATTEMPTS; attempts += 1) {
    const answer = await callLoadSubject(context, user.id).catch(async (error) => {
      await attempt.withdraw()
      throw error
    })
    const started = await commit(context, async (unit) => {
      // The password may have changed, or the user been disabled, during the check and
      // `loadSubject`.
      const current = await unit.users.lock(user.id)
      if (current === undefined || current.password_hash !== user.password_hash)
        return { refusal: invalidCredentials() }
      // All sessions were ended after `loadSubject` was called, so its result may be stale.
      if (answer !== undefined && current.credential_version !== before.credential_version) return { current }
      await attempt.succeeded(unit)
      const subject = resolveNewSubject(current, {}, answer)
      if (subject === undefined) return { refusal: disabledUser(answer) }
      const { issue, sessionId } = await startSession(
        context,
        unit,
        toCreateSession(user, credentials, origin),
        subject,
      )
      await unit.users.noteLogin(user.id, context.now())
      // The first log-in of an account is on a new device, too, but nobody needs to be told.
      if (device === undefined && current.last_login_at !== null)
        await notify(context, unit, { kind: 'new-device', user: current, sessionId }, origin)
      return { issue, subject }
    })
    if (started.refusal !== undefined) throw started.refusal
    if (started.issue !== undefined) return loggedIn(context, user, started, device)
    before = started.current
  }
  throw sessionsBeingEnded()
}

/**
 * Creates a user and starts a session.
 *
 * @throws {AuthError} `registration_disabled`, also when `loadSubject` does not know the new id;
 *   `registration_refused`, `user_disabled`, `overloaded`, `too_many_attempts`,
 *   `temporarily_unavailable`, and the codes of `createUser`. Then nothing is stored
 */
export async function register(context: Context, credentials: SignUp, origin: RequestOrigin = {}): Promise<LoggedIn> {
  if (context.config.registration !== 'open') throw registrationDisabled()
  // Counted, because the reply says which addresses are taken.
  const request = { action: 'registration', account: normaliseEmail(credentials.email), origin } as const
  const attempt = await throttle(context, request)
  try {
    const { user, subject } = await prepareRegistration(context, credentials, origin)
    return await completeSignUp(context, { user, subject, credentials, origin }, (unit) => attempt.succeeded(unit))
  } catch (error) {
    if (error instanceof AuthError && error.code === 'email_taken') await attempt.failed()
    else await attempt.withdraw()
    throw error
  }
}

/** The error for a sign-up that this server does not offer. */
export function registrationDisabled(): AuthError {
  return new AuthError('registration_disabled', 'Ask an administrator for an account')
}

/** A user who may be stored, and the subject of the first token. */
interface Prepared {
  readonly user: UserRow
  readonly subject: TokenSubject
}

/**
 * Checks a sign-up and hashes its password, before a transaction begins.
 *
 * @param roles the roles of an invitation
 * @throws {AuthError} the codes of `register`, without `email_taken`
 */
export async function prepareRegistration(
  context: Context,
  credentials: SignUp,
  origin: RequestOrigin,
  roles: readonly string[] = [],
): Promise<Prepared> {
  const email = normaliseEmail(credentials.email)
  await callBeforeRegister(context, { email, name: checkName(credentials.name) ?? undefined }, origin)
  const user = await prepareUser(context, { ...credentials, roles, emailVerified: false }, networksOf(origin.ip))
  if (user.attributes !== null) await callCheckAttributes(context, user.attributes, toUser(user))
  const answer = await callLoadSubject(context, user.id)
  if (answer !== undefined && answer.subject === undefined) {
    throw new AuthError('registration_disabled', 'The application does not accept new users here')
  }
  const subject = resolveNewSubject(user, {}, answer)
  if (subject === undefined) throw disabledUser(answer)
  return { user, subject }
}

/**
 * Stores a new user and starts its first session.
 *
 * @param before what happens first in the same transaction
 */
export async function completeSignUp(
  context: Context,
  { user, subject, credentials, origin }: Prepared & { credentials: Credentials; origin: RequestOrigin },
  before: (unit: Unit) => Promise<void> = async () => {},
): Promise<LoggedIn> {
  const { issue } = await commit(context, async (unit) => {
    await before(unit)
    await insertUser(context, unit, { ...user, last_login_at: user.created_at }, 'user.registered', origin)
    return startSession(context, unit, toCreateSession(user, credentials, origin), subject)
  })
  return loggedIn(context, user, { issue, subject })
}

/**
 * Creates the reply, after the commit. The user has the roles of the access token, which may come
 * from `loadSubject`.
 */
function loggedIn(
  context: Context,
  user: UserRow,
  { issue, subject: { roles = [] } }: { issue: () => TokenResponse; subject: TokenSubject },
  device?: string,
): LoggedIn {
  const deviceToken = issueDeviceToken(context, user, device)
  return { tokens: issue(), user: { ...toUser(user), roles }, deviceToken }
}

function toCreateSession(
  user: UserRow,
  { remember = true, device }: Credentials,
  origin: RequestOrigin,
): CreateSession {
  return { subject: user.id, amr: ['pwd'], remember, device, client: origin }
}
