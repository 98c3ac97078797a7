import { auditAlone } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import { networksOf } from '../core/network.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit } from '../core/unit-of-work.ts'
import { AuthError } from '../errors.ts'
import { type CreateSession, MOST_ATTEMPTS, sessionsBeingEnded, startSession } from '../sessions/rules.ts'
import { callLoadSubject, disabledUser, resolveNewSubject } from '../sessions/subjects.ts'
import type { TokenResponse, TokenSubject } from '../sessions/tokens.ts'
import type { UserRow } from './contract.ts'
import { passwordsOf } from './passwords.ts'
import { storeUpgrade } from './rehash.ts'
import { insertUser, normaliseEmail, prepareUser, toUser, type User } from './users.ts'

/** The body of a log-in or a sign-up. */
export interface Credentials {
  /** The e-mail address in any spelling. */
  readonly email: string
  /** The password. */
  readonly password: string
  /** See `CreateSession.remember`. */
  readonly remember?: boolean | undefined
  /** See `CreateSession.device`. */
  readonly device?: string | undefined
}

/** The result of a log-in or a sign-up. */
export interface LoggedIn {
  /** The first tokens of the session. */
  readonly tokens: TokenResponse
  /** The user, with the roles of the access token. */
  readonly user: User
}

/**
 * Checks a password and starts a session. An unknown user and a wrong password get the same error
 * after the same work. If all sessions are ended meanwhile, the log-in still succeeds: otherwise
 * the holder of a stolen token could keep the owner out.
 *
 * @throws {AuthError} `invalid_credentials`, `overloaded`
 * @throws {AuthError} with the right password, `user_disabled`, or `temporarily_unavailable` when
 * `loadSubject` fails
 */
export async function login(context: Context, credentials: Credentials, origin: RequestOrigin = {}): Promise<LoggedIn> {
  // Before the database is read, so that a refused request causes no read.
  const place = passwordsOf(context).enter(networksOf(origin.ip))
  const found = await userByEmail(context, credentials.email).catch((error) => {
    place.leave()
    throw error
  })
  const { matches, upgraded } = await passwordsOf(context).check(credentials.password, found?.password_hash, place)
  if (!matches || found === undefined) {
    await auditAlone(context, { type: 'user.login_failed', time: context.now(), subject: found?.id, ...origin })
    throw invalidCredentials()
  }
  const user = await storeUpgrade(context, found, upgraded, credentials.password)
  for (let attempts = 0, before = user; attempts < MOST_ATTEMPTS; attempts += 1) {
    const answer = await callLoadSubject(context, user.id)
    const started = await commit(context, async (unit) => {
      // The password may have changed, or the user been disabled, during the check and
      // `loadSubject`.
      const current = await unit.users.lock(user.id)
      if (current === undefined || current.password_hash !== user.password_hash)
        return { refusal: invalidCredentials() }
      // All sessions were ended after `loadSubject` was called, so its result may be stale.
      if (answer !== undefined && current.credential_version !== before.credential_version) return { current }
      const subject = resolveNewSubject(current, {}, answer)
      if (subject === undefined) return { refusal: disabledUser(answer) }
      const { issue } = await startSession(context, unit, toCreateSession(user, credentials, origin), subject)
      return { issue, subject }
    })
    if (started.refusal !== undefined) throw started.refusal
    if (started.issue !== undefined) return { tokens: started.issue(), user: shownUser(user, started.subject) }
    before = started.current
  }
  throw sessionsBeingEnded()
}

/**
 * Creates a user and starts a session.
 *
 * @throws {AuthError} `registration_disabled`, also when `loadSubject` does not know the new id;
 * `user_disabled`, `overloaded`, `temporarily_unavailable`, and the codes of `createUser`. Then
 * nothing is stored
 */
export async function register(
  context: Context,
  credentials: Credentials,
  origin: RequestOrigin = {},
): Promise<LoggedIn> {
  if (context.config.registration !== 'open') {
    throw new AuthError('registration_disabled', 'Ask an administrator for an account')
  }
  const user = await prepareUser(context, credentials, networksOf(origin.ip))
  const answer = await callLoadSubject(context, user.id)
  if (answer !== undefined && answer.subject === undefined) {
    throw new AuthError('registration_disabled', 'The application does not accept new users here')
  }
  const subject = resolveNewSubject(user, {}, answer)
  if (subject === undefined) throw disabledUser(answer)
  const { issue } = await commit(context, async (unit) => {
    await insertUser(context, unit, user, 'user.registered', origin)
    return startSession(context, unit, toCreateSession(user, credentials, origin), subject)
  })
  return { tokens: issue(), user: shownUser(user, subject) }
}

/** Returns the user with the roles of the access token, which may come from `loadSubject`. */
function shownUser(user: UserRow, { roles = [] }: TokenSubject): User {
  return { ...toUser(user), roles }
}

function toCreateSession(
  user: UserRow,
  { remember = true, device }: Credentials,
  origin: RequestOrigin,
): CreateSession {
  return { subject: user.id, amr: ['pwd'], remember, device, client: origin }
}

async function userByEmail(context: Context, email: string): Promise<UserRow | undefined> {
  let normalised: string
  try {
    normalised = normaliseEmail(email)
  } catch {
    // Treated as an unknown user, so that it takes the same work as a wrong password.
    return undefined
  }
  return context.store.committed.users.byEmail(normalised)
}

function invalidCredentials(): AuthError {
  return new AuthError('invalid_credentials', 'The e-mail address or the password is wrong')
}
