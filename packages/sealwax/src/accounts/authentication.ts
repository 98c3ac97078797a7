import { auditAlone } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import { networksOf } from '../core/network.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { AuthError } from '../errors.ts'
import { knownDevice, mayBeDeviceToken } from '../throttling/devices.ts'
import { type Attempt, type AttemptRequest, refuseAgain, throttle } from '../throttling/throttle.ts'
import type { UserRow } from './contract.ts'
import { normaliseEmail } from './email-addresses.ts'
import { passwordsOf } from './password-hashing.ts'
import { storeUpgrade } from './rehash.ts'

/** What a caller presents to be recognised. */
export interface PasswordCredentials {
  /** The e-mail address in any spelling. */
  readonly email: string
  /** The password. */
  readonly password: string
  /** The token that an earlier log-in on this device returned. A wrong one is the same as none. */
  readonly deviceToken?: string | undefined
}

/** A user whose password was right. */
export interface Authenticated {
  readonly user: UserRow
  /** The id of the device, if it has logged in to this account before. */
  readonly device: string | undefined
  /** The counted attempt. The caller says in its transaction that it succeeded. */
  readonly attempt: Attempt
}

/**
 * Checks a password. An unknown user and a wrong password get the same error after the same work.
 *
 * @throws {AuthError} `invalid_credentials`, `too_many_attempts`, `overloaded`
 */
export async function authenticate(
  context: Context,
  { email, password, deviceToken }: PasswordCredentials,
  origin: RequestOrigin = {},
): Promise<Authenticated> {
  const account = toAccount(email)
  const request: AttemptRequest = { action: 'login', account: account ?? email, origin }
  // A known device has limits of its own and priority. Everybody else is refused before the
  // database is read.
  const read = mayBeDeviceToken(deviceToken) ? { user: await userByEmail(context, account) } : undefined
  const device = read?.user && knownDevice(context, read.user, deviceToken)
  if (device === undefined) await refuseAgain(context, request)
  const place = passwordsOf(context).enter(networksOf(origin.ip), device === undefined ? 'normal' : 'priority')
  const leave = (error: unknown): never => {
    place.leave()
    throw error
  }
  const { user } = read ?? { user: await userByEmail(context, account).catch(leave) }
  const attempt = await throttle(context, { ...request, device, subject: user?.id }).catch(leave)
  const notCarriedOut = async (error: unknown): Promise<never> => {
    await attempt.withdraw()
    throw error
  }
  const { matches, upgraded } = await passwordsOf(context)
    .check(password, user?.password_hash, place)
    .catch(notCarriedOut)
  if (!matches || user === undefined || isUnverified(context, user)) {
    const failed = { type: 'user.login_failed', time: context.now(), subject: user?.id, ...origin } as const
    await Promise.all([attempt.failed(), auditAlone(context, failed)])
    throw invalidCredentials()
  }
  return { user: await storeUpgrade(context, user, upgraded, password).catch(notCarriedOut), device, attempt }
}

/** The error for an unknown user and for a wrong password. */
export function invalidCredentials(): AuthError {
  return new AuthError('invalid_credentials', 'The e-mail address or the password is wrong')
}

/** Returns the normalised address; undefined if it is none. */
function toAccount(email: string): string | undefined {
  try {
    return normaliseEmail(email)
  } catch {
    return undefined
  }
}

/** What is not an address is treated as an unknown user: the same work as for a wrong password. */
async function userByEmail(context: Context, account: string | undefined): Promise<UserRow | undefined> {
  return account === undefined ? undefined : context.store.committed.users.byEmail(account)
}

/** Whether a user must verify the address before logging in. */
function isUnverified({ config }: Context, user: UserRow): boolean {
  return config.registration === 'verified' && user.email_verified_at === null
}
