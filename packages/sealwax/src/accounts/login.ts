import type { Context } from '../core/context.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit } from '../core/unit-of-work.ts'
import { checkedKey, type ProvedKey } from '../dpop/proof-key.ts'
import { type CreateSession, MOST_ATTEMPTS, sessionsBeingEnded, startSession } from '../sessions/rules.ts'
import { callLoadSubject, disabledUser, resolveNewSubject } from '../sessions/subjects.ts'
import type { TokenResponse, TokenSubject } from '../sessions/tokens.ts'
import { issueDeviceToken } from '../throttling/devices.ts'
import { authenticate, invalidCredentials, type PasswordCredentials } from './authentication.ts'
import type { UserRow } from './contract.ts'
import { notify } from './notify.ts'
import { toUser, type User } from './users.ts'

/** The body of a log-in. */
export interface Credentials extends PasswordCredentials {
  /** See `CreateSession.remember`. */
  readonly remember?: boolean | undefined
  /** See `CreateSession.device`. */
  readonly device?: string | undefined
  /** See `CreateSession.jkt`. */
  readonly jkt?: string | undefined
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
export async function login(
  context: Context,
  credentials: Credentials,
  origin: RequestOrigin = {},
  key: ProvedKey | undefined = checkedKey(credentials.jkt),
): Promise<LoggedIn> {
  const { user, device, attempt } = await authenticate(context, credentials, origin)
  await key?.use().catch(async (error) => {
    await attempt.withdraw()
    throw error
  })
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
        toCreateSession(user, { ...credentials, jkt: key?.jkt }, origin),
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
 * Creates the reply, after the commit. The user has the roles of the access token, which may come
 * from `loadSubject`.
 */
export function loggedIn(
  context: Context,
  user: UserRow,
  { issue, subject: { roles = [] } }: { issue: () => TokenResponse; subject: TokenSubject },
  device?: string,
): LoggedIn {
  const deviceToken = issueDeviceToken(context, user, device)
  return { tokens: issue(), user: { ...toUser(user), roles }, deviceToken }
}

/** The session of a log-in or a sign-up. */
export function toCreateSession(
  user: UserRow,
  { remember = true, device, jkt }: Credentials,
  origin: RequestOrigin,
): CreateSession {
  return { subject: user.id, amr: ['pwd'], remember, device, jkt, client: origin }
}
