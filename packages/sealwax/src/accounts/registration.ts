import { audit } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit } from '../core/unit-of-work.ts'
import { enqueueMail } from '../mail/outbox.ts'
import { throttle } from '../throttling/throttle.ts'
import type { UserRow } from './contract.ts'
import { isTaken } from './email-addresses.ts'
import { prepareRegistration, registrationDisabled, type SignUp } from './login.ts'
import { invalidToken, reserveToken, takeToken } from './one-time-tokens.ts'
import type { OneTimeTokenRow } from './one-time-tokens-contract.ts'
import { insertUser, normaliseEmail } from './users.ts'

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
