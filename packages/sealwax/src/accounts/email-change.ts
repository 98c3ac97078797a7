import { audit } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit } from '../core/unit-of-work.ts'
import { AuthError } from '../errors.ts'
import { enqueueMail } from '../mail/outbox.ts'
import { endAllSessions } from '../sessions/end.ts'
import { addressTaken, isTaken, needMail, normaliseEmail, orTaken } from './email-addresses.ts'
import { findToken, invalidToken, reserveToken, takeToken, voidPending } from './one-time-tokens.ts'
import type { OneTimeTokenRow } from './one-time-tokens-contract.ts'
import { type Caller, requireBuiltIn, requirePassword } from './own-account.ts'
import { enqueueReset } from './password-reset.ts'

/** The parameters of {@link requestEmailChange}. */
export interface EmailChange {
  /** The new address, in any spelling. */
  readonly email: string
  /** The current password. Undefined when the caller has just logged in. */
  readonly password: string | undefined
}

/**
 * Requests a change of address. It is applied once the new address answers. If another user has the
 * new address, its owner gets a mail that says so; the caller is not told.
 *
 * @throws {AuthError} `email_invalid`, `password_incorrect`, `password_not_set`, `user_external`,
 *   `overloaded`, `mail_unavailable`, `validation_failed` when it is the address already
 */
export async function requestEmailChange(
  context: Context,
  caller: Caller,
  { email, password }: EmailChange,
  origin: RequestOrigin = {},
): Promise<void> {
  needMail(context)
  const { subject } = caller
  const recipient = normaliseEmail(email)
  const user =
    password === undefined
      ? await requireBuiltIn(context, subject)
      : await requirePassword(context, caller, password, origin)
  if (user.email === recipient) throw new AuthError('validation_failed', 'This is the address already')
  await commit(context, async (unit) => {
    const taken = await isTaken(context, unit, recipient, subject)
    // Written in both cases, so that the time does not tell which it is.
    await reserveToken(context, unit, {
      purpose: 'change-email',
      holder: subject,
      email: recipient,
      data: { from: user.email, taken },
    })
    const kind = taken ? 'address-taken' : 'change-email'
    await enqueueMail(context, unit, { kind, recipient, subject, data: { holder: subject, ip: origin.ip }, origin })
    await audit(unit, { type: 'user.email_change_requested', time: context.now(), subject, ...origin })
  })
}

/** Applies a change of address, and tells the old address, which can undo it for 72 hours. */
export async function applyEmailChange(context: Context, token: OneTimeTokenRow, origin: RequestOrigin): Promise<void> {
  const { holder: subject, email, data } = token
  await commit(context, async (unit) => {
    const now = context.now()
    const user = await unit.users.lock(subject)
    await takeToken(context, unit, token)
    if (user === undefined || user.email !== data.from || data.taken === true) throw invalidToken()
    if (await isTaken(context, unit, email, subject)) throw addressTaken()
    await orTaken(() => unit.users.change(subject, { email, email_verified_at: now, updated_at: now }))
    const from = user.email
    // One for each address, so that a second change does not void the way back from the first.
    const holder = `${subject} ${from}`
    await reserveToken(context, unit, { purpose: 'undo-email-change', holder, email: from, data: { subject } })
    await enqueueMail(context, unit, {
      kind: 'email-changed',
      recipient: from,
      subject,
      data: { holder, time: now },
      origin,
    })
    await audit(unit, { type: 'user.email_changed', time: now, subject, ...origin })
  })
}

/**
 * Restores the address that a user had, ends all sessions, removes the password, which whoever
 * changed the address may know, and sends the mail for a new one.
 *
 * @throws {AuthError} `one_time_token_invalid`
 */
export async function undoEmailChange(context: Context, token: string, origin: RequestOrigin = {}): Promise<void> {
  const found = await findToken(context, { token }, ['undo-email-change'], origin)
  const { email, data } = found
  const subject = String(data.subject)
  await commit(context, async (unit) => {
    const now = context.now()
    const user = await unit.users.lock(subject)
    await takeToken(context, unit, found)
    if (user === undefined) throw invalidToken()
    const restored = { email, email_verified_at: now, password_hash: null, updated_at: now }
    await orTaken(() => unit.users.change(subject, restored))
    await voidPending(unit, subject)
    await endAllSessions(context, unit, subject, { reason: 'email_change_undone', origin })
    await audit(unit, { type: 'user.email_change_undone', time: now, subject, ...origin })
    await enqueueReset(context, unit, email, { unlimited: true, origin })
  })
}
