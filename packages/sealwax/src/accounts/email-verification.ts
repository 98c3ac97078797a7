import { audit } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit } from '../core/unit-of-work.ts'
import { enqueueMail } from '../mail/outbox.ts'
import { throttle } from '../throttling/throttle.ts'
import { needMail, normaliseEmail } from './email-addresses.ts'
import { applyEmailChange } from './email-change.ts'
import { findToken, invalidToken, type Presented, takeToken } from './one-time-tokens.ts'
import type { OneTimeTokenRow } from './one-time-tokens-contract.ts'
import { completeRegistration } from './registration.ts'

/**
 * Requests the mail that verifies an address once more. Whether the address waits for one is only
 * looked up when the mail is sent.
 *
 * @throws {AuthError} `mail_unavailable`, `too_many_attempts`
 */
export async function requestVerification(context: Context, email: string, origin: RequestOrigin = {}): Promise<void> {
  needMail(context)
  let recipient: string
  try {
    recipient = normaliseEmail(email)
  } catch {
    return
  }
  await throttle(context, { action: 'reset', account: recipient, origin })
  await commit(context, (unit) =>
    enqueueMail(context, unit, { kind: 'verify-email', recipient, data: { ip: origin.ip }, origin }),
  )
}

/**
 * Verifies an address with the token or code that was sent to it: completes a sign-up, marks the
 * address of a user as verified, or applies a change of address.
 *
 * @throws {AuthError} `one_time_token_invalid`, or `email_taken` when another user has got the
 * address meanwhile
 */
export async function verifyEmail(context: Context, presented: Presented, origin: RequestOrigin = {}): Promise<void> {
  const token = await findToken(context, presented, ['register', 'verify-email', 'change-email'], origin)
  if (token.purpose === 'register') await completeRegistration(context, token, origin)
  else if (token.purpose === 'change-email') await applyEmailChange(context, token, origin)
  else await markVerified(context, token, origin)
}

async function markVerified(context: Context, token: OneTimeTokenRow, origin: RequestOrigin): Promise<void> {
  const subject = token.holder
  await commit(context, async (unit) => {
    const now = context.now()
    const user = await unit.users.lock(subject)
    await takeToken(context, unit, token)
    if (user?.email !== token.email) throw invalidToken()
    await unit.users.change(subject, { email_verified_at: now, updated_at: now })
    await audit(unit, { type: 'user.email_verified', time: now, subject, ...origin })
  })
}
