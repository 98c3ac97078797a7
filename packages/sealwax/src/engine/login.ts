import { AuthError } from '../errors.ts'
import type { UserRow } from '../store/contract/users.ts'
import { auditAlone } from './audit.ts'
import { type Client, type Context, commit } from './context.ts'
import { networksOf } from './network.ts'
import { type CreateSession, MOST_ATTEMPTS, sessionsBeingEnded, startSession } from './sessions.ts'
import { askApplication, disabledUser, subjectOfNew } from './subjects.ts'
import type { TokenResponse, TokenSubject } from './tokens.ts'
import { insertUser, normaliseEmail, prepareUser, type User, userOf } from './users.ts'

export interface Credentials {
  readonly email: string
  readonly password: string
  /** See `CreateSession.remember`. */
  readonly remember?: boolean | undefined
  /** See `CreateSession.device`. */
  readonly device?: string | undefined
}

export interface LoggedIn {
  readonly tokens: TokenResponse
  readonly user: User
}

/**
 * Checks a password and starts a session. An unknown user and a wrong password get the same answer after the same work.
 * Throws `invalid_credentials`, `overloaded`, and once the password was right `user_disabled`, or `temporarily_unavailable` when `loadSubject` fails.
 * Ending all sessions meanwhile does not refuse a log-in: it begins after that. Else whoever holds a stolen token could keep the owner out.
 */
export async function login(context: Context, credentials: Credentials, client: Client = {}): Promise<LoggedIn> {
  // Before the database is asked: whoever finds no place is told so for nothing.
  const place = context.passwords.enter(networksOf(client.ip))
  const user = await userByEmail(context, credentials.email).catch((error) => {
    place.leave()
    throw error
  })
  const matches = await context.passwords.matches(credentials.password, user?.password_hash, place)
  if (!matches || user === undefined) {
    await auditAlone(context, { type: 'user.login_failed', time: context.now(), subject: user?.id, ...client })
    throw invalidCredentials()
  }
  for (let attempts = 0, before = user; attempts < MOST_ATTEMPTS; attempts += 1) {
    const answer = await askApplication(context, user.id)
    const started = await commit(context, async (unit) => {
      // The password may have changed, or the user been disabled, while it was checked and the application asked.
      const current = await unit.users.lock(user.id)
      if (current === undefined || current.password_hash !== user.password_hash)
        return { refusal: invalidCredentials() }
      // All sessions were ended after the application had been asked, so its answer may be out of date.
      if (answer !== undefined && current.credential_version !== before.credential_version) return { current }
      const subject = subjectOfNew(current, {}, answer)
      if (subject === undefined) return { refusal: disabledUser(answer) }
      const { issue } = await startSession(context, unit, sessionOf(user, credentials, client), subject)
      return { issue, subject }
    })
    if (started.refusal !== undefined) throw started.refusal
    if (started.issue !== undefined) return { tokens: started.issue(), user: shownUser(user, started.subject) }
    before = started.current
  }
  throw sessionsBeingEnded()
}

/**
 * Signs a new user up and in. Throws `registration_disabled`, also when `loadSubject` does not know the new user's id, `user_disabled`,
 * `temporarily_unavailable` and what `createUser` throws; then nothing is stored.
 */
export async function register(context: Context, credentials: Credentials, client: Client = {}): Promise<LoggedIn> {
  if (context.config.registration !== 'open') {
    throw new AuthError('registration_disabled', 'Ask an administrator for an account')
  }
  const user = await prepareUser(context, credentials, networksOf(client.ip))
  const answer = await askApplication(context, user.id)
  if (answer !== undefined && answer.subject === undefined) {
    throw new AuthError('registration_disabled', 'The application does not take new users from here')
  }
  const subject = subjectOfNew(user, {}, answer)
  if (subject === undefined) throw disabledUser(answer)
  const { issue } = await commit(context, async (unit) => {
    await insertUser(context, unit, user, 'user.registered', client)
    return startSession(context, unit, sessionOf(user, credentials, client), subject)
  })
  return { tokens: issue(), user: shownUser(user, subject) }
}

/** The user with the roles of the access token, which `loadSubject` may have supplied. */
function shownUser(user: UserRow, { roles = [] }: TokenSubject): User {
  return { ...userOf(user), roles }
}

function sessionOf(user: UserRow, { remember = true, device }: Credentials, client: Client): CreateSession {
  return { subject: user.id, amr: ['pwd'], remember, device, client }
}

async function userByEmail(context: Context, email: string): Promise<UserRow | undefined> {
  let normalised: string
  try {
    normalised = normaliseEmail(email)
  } catch {
    // Not an address, so nobody's: the caller goes on to do the same work as for a wrong password.
    return undefined
  }
  return context.store.committed.users.byEmail(normalised)
}

function invalidCredentials(): AuthError {
  return new AuthError('invalid_credentials', 'The e-mail address or the password is wrong')
}
