import { audit } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import { networksOf } from '../core/network.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit, type Unit } from '../core/unit-of-work.ts'
import type { ProvedKey } from '../dpop/proof-key.ts'
import { AuthError } from '../errors.ts'
import { enqueueMail } from '../mail/outbox.ts'
import { startSession } from '../sessions/rules.ts'
import { callLoadSubject, disabledUser, resolveNewSubject } from '../sessions/subjects.ts'
import type { TokenSubject } from '../sessions/tokens.ts'
import { throttle } from '../throttling/throttle.ts'
import { callBeforeRegister, callCheckAttributes } from './application-hooks.ts'
import type { UserRow } from './contract.ts'
import { isTaken, normaliseEmail } from './email-addresses.ts'
import { type Credentials, type LoggedIn, loggedIn, toCreateSession } from './login.ts'
import { invalidToken, reserveToken, takeToken } from './one-time-tokens.ts'
import type { OneTimeTokenRow } from './one-time-tokens-contract.ts'
import { type Attributes, checkName } from './profile.ts'
import { insertUser, prepareUser, toUser } from './users.ts'

/** The body of a sign-up. */
export interface SignUp extends Credentials {
  readonly name?: string | undefined
  readonly attributes?: Attributes | undefined
}

/**
 * Creates a user and starts a session.
 *
 * @throws {AuthError} `registration_disabled`, also when `loadSubject` does not know the new id;
 *   `registration_refused`, `user_disabled`, `overloaded`, `too_many_attempts`,
 *   `temporarily_unavailable`, and the codes of `createUser`. Then nothing is stored
 */
export async function register(
  context: Context,
  credentials: SignUp,
  origin: RequestOrigin = {},
  key?: ProvedKey,
): Promise<LoggedIn> {
  if (context.config.registration !== 'open') throw registrationDisabled()
  // Counted, because the reply says which addresses are taken.
  const request = { action: 'registration', account: normaliseEmail(credentials.email), origin } as const
  const attempt = await throttle(context, request)
  try {
    const { user, subject } = await prepareRegistration(context, credentials, origin)
    return await completeSignUp(context, { user, subject, credentials, origin, key }, (unit) => attempt.succeeded(unit))
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

/** A sign-up that may be stored. */
interface SignUpOf extends Prepared {
  readonly credentials: Credentials
  readonly origin: RequestOrigin
  /** The key that the session is bound to. */
  readonly key: ProvedKey | undefined
}

/**
 * Stores a new user and starts its first session.
 *
 * @param before what happens first in the same transaction
 */
export async function completeSignUp(
  context: Context,
  { user, subject, credentials, origin, key }: SignUpOf,
  before: (unit: Unit) => Promise<void> = async () => {},
): Promise<LoggedIn> {
  await key?.use()
  const { issue } = await commit(context, async (unit) => {
    await before(unit)
    await insertUser(context, unit, { ...user, last_login_at: user.created_at }, 'user.registered', origin)
    return startSession(context, unit, toCreateSession(user, { ...credentials, jkt: key?.jkt }, origin), subject)
  })
  return loggedIn(context, user, { issue, subject })
}

/**
 * Stores a sign-up until its address answers. Nothing is added to the users before, so nobody can
 * occupy the address of somebody else. If the address is taken, its owner gets a mail that says so;
 * the same is written in both cases, so that the time does not tell.
 *
 * @throws {AuthError} the codes of `register`, without `email_taken`
 */
export async function requestRegistration(
  context: Context,
  credentials: SignUp,
  origin: RequestOrigin = {},
): Promise<void> {
  if (context.config.registration !== 'verified') throw registrationDisabled()
  const email = normaliseEmail(credentials.email)
  await throttle(context, { action: 'sign-up', account: email, origin })
  const { user } = await prepareRegistration(context, credentials, origin)
  const { id: holder } = user
  await commit(context, async (unit) => {
    const known = await unit.users.byEmail(email)
    const taken = await isTaken(context, unit, email, holder)
    // A token of its own for each sign-up: the link in a mail completes the sign-up of this mail.
    await reserveToken(context, unit, { purpose: 'register', holder, email, data: { ...user, taken } })
    // A user who has not verified the address may be a stranger's: the reset replaces the password.
    const kind = !taken ? 'verify-registration' : known?.email_verified_at === null ? 'reset-password' : 'address-taken'
    await enqueueMail(context, unit, { kind, recipient: email, data: { holder, ip: origin.ip }, origin })
    await audit(unit, { type: 'user.registration_requested', time: context.now(), ...origin })
  })
}

/**
 * Creates the user of a sign-up whose address has answered.
 *
 * @throws {AuthError} `one_time_token_invalid`, or `email_taken` when another user has got the
 * address meanwhile
 */
export async function completeRegistration(
  context: Context,
  token: OneTimeTokenRow,
  origin: RequestOrigin,
): Promise<void> {
  const { taken, ...kept } = token.data as unknown as UserRow & { readonly taken: boolean }
  const now = context.now()
  const times = { ver: Math.floor(now / 1000), email_verified_at: now, created_at: now, updated_at: now }
  await commit(context, async (unit) => {
    await takeToken(context, unit, token)
    if (taken) throw invalidToken()
    await insertUser(context, unit, { ...kept, ...times }, 'user.registered', origin)
  })
}
