import { audit } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import { networksOf } from '../core/network.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit, type Unit } from '../core/unit-of-work.ts'
import { enqueueMail } from '../mail/outbox.ts'
import { endAllSessions } from '../sessions/end.ts'
import { throttle } from '../throttling/throttle.ts'
import { needMail, normaliseEmail } from './email-addresses.ts'
import { notify } from './notify.ts'
import { findToken, invalidToken, type Presented, takeToken, voidPending } from './one-time-tokens.ts'
import { passwordsOf } from './password-hashing.ts'
import { noSuchUser } from './users.ts'

/**
 * Requests the mail with which a user sets a new password. Whether there is such a user is only
 * looked up when the mail is sent, so that the reply cannot tell.
 *
 * @throws {AuthError} `mail_unavailable`, `too_many_attempts`
 */
export async function requestReset(context: Context, email: string, origin: RequestOrigin = {}): Promise<void> {
  needMail(context)
  let address: string
  try {
    address = normaliseEmail(email)
  } catch {
    return
  }
  await throttle(context, { action: 'reset', account: address, origin })
  await commit(context, async (unit) => {
    await enqueueReset(context, unit, address, { unlimited: false, origin })
    await audit(unit, { type: 'user.reset_requested', time: context.now(), ...origin })
  })
}

/**
 * Requests this mail for a known user.
 *
 * @throws {AuthError} `not_found`, `mail_unavailable`
 */
export async function startReset(context: Context, id: string, origin: RequestOrigin = {}): Promise<void> {
  needMail(context)
  await commit(context, async (unit) => {
    const user = await unit.users.byId(id)
    if (user === undefined) throw noSuchUser()
    await enqueueReset(context, unit, user.email, { unlimited: true, origin })
    await audit(unit, { type: 'user.reset_requested', time: context.now(), subject: id, ...origin })
  })
}

/**
 * Requests this mail inside a unit.
 *
 * @param unlimited whether somebody who knows the account caused it, see `NewMail`
 */
export async function enqueueReset(
  context: Context,
  unit: Unit,
  email: string,
  { unlimited, origin }: { readonly unlimited: boolean; readonly origin: RequestOrigin },
): Promise<void> {
  const data = { ip: origin.ip }
  await enqueueMail(context, unit, { kind: 'reset-password', recipient: email, data, origin, unlimited })
}

/**
 * Sets a new password with the token or code of the mail, and ends all sessions. It starts none.
 *
 * @throws {AuthError} `one_time_token_invalid`, `overloaded`, and the codes for a new password
 */
export async function resetPassword(
  context: Context,
  presented: Presented,
  password: string,
  origin: RequestOrigin = {},
): Promise<void> {
  const token = await findToken(context, presented, ['reset-password'], origin)
  const subject = token.holder
  const name = (await context.store.committed.users.byId(subject))?.name ?? undefined
  const owner = { email: token.email, name }
  const password_hash = await passwordsOf(context).hash(password, networksOf(origin.ip), owner)
  await commit(context, async (unit) => {
    const now = context.now()
    const user = await unit.users.lock(subject)
    await takeToken(context, unit, token)
    // The token was sent to an address that is no longer the user's.
    if (user?.email !== token.email) throw invalidToken()
    // Who answers the mail has the address.
    const email_verified_at = user.email_verified_at ?? now
    await unit.users.change(subject, { password_hash, email_verified_at, updated_at: now })
    await voidPending(unit, subject)
    await endAllSessions(context, unit, subject, { reason: 'password_changed', origin })
    await audit(unit, { type: 'user.password_reset', time: now, subject, ...origin })
    await notify(context, unit, { kind: 'password-changed', user }, origin)
  })
}
