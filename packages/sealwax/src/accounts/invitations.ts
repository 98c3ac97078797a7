import { audit } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit } from '../core/unit-of-work.ts'
import type { ProvedKey } from '../dpop/proof-key.ts'
import { enqueueMail } from '../mail/outbox.ts'
import { callLoadSubject, resolveNewSubject } from '../sessions/subjects.ts'
import { throttle } from '../throttling/throttle.ts'
import { addressTaken, isTaken, needMail, normaliseEmail } from './email-addresses.ts'
import type { LoggedIn } from './login.ts'
import { findToken, invalidToken, reserveToken, takeToken } from './one-time-tokens.ts'
import type { OneTimeTokenRow } from './one-time-tokens-contract.ts'
import { completeSignUp, prepareRegistration, registrationDisabled, type SignUp } from './registration.ts'
import { checkRoles, insertUser } from './users.ts'

/** An invitation that has been neither accepted nor withdrawn. */
export interface Invitation {
  /** The normalised address. */
  readonly email: string
  /** The roles that the new user gets. */
  readonly roles: readonly string[]
  /** When it was sent last. */
  readonly createdAt: Date
  /** When it expires: seven days after it was sent. */
  readonly expiresAt: Date
}

/** The parameters of `auth.users.invite`. */
export interface InviteUser {
  /** Where the invitation is sent. */
  readonly email: string
  /** The roles of the new user. Default none. */
  readonly roles?: readonly string[]
}

/**
 * Sends an invitation, in place of an earlier one to the same address.
 *
 * @throws {AuthError} `email_invalid`, `email_taken`, `validation_failed`, `mail_unavailable`,
 * or `registration_disabled` with `registration: 'closed'`
 */
export async function inviteUser(context: Context, given: InviteUser, origin: RequestOrigin = {}): Promise<Invitation> {
  if (context.config.registration === 'closed') throw registrationDisabled()
  needMail(context)
  const email = normaliseEmail(given.email)
  const roles = checkRoles(given.roles ?? [])
  return commit(context, async (unit) => {
    if (await isTaken(context, unit, email, '')) throw addressTaken()
    const now = context.now()
    const { expiresAt } = await reserveToken(context, unit, {
      purpose: 'invite',
      holder: email,
      email,
      data: { roles, ...(origin.by !== undefined && { by: origin.by }) },
    })
    await enqueueMail(context, unit, { kind: 'invitation', recipient: email, data: {}, origin })
    await audit(unit, { type: 'user.invited', time: now, ...origin, data: { roles } })
    return { email, roles, createdAt: new Date(now), expiresAt: new Date(expiresAt) }
  })
}

/**
 * Returns a page of open invitations, ordered by address.
 *
 * @param page `limit` is 50 by default, at most 500; `after` is the last address of the previous
 * page
 */
export async function listInvitations(
  context: Context,
  page: { after?: string | undefined; limit?: number | undefined } = {},
): Promise<Invitation[]> {
  const limit = Math.min(Math.max(page.limit ?? 50, 1), 500)
  const rows = await context.store.committed.oneTimeTokens.list('invite', context.now(), { after: page.after, limit })
  return rows.map(toInvitation)
}

/** Withdraws an invitation. Returns false when there is none. */
export async function withdrawInvitation(
  context: Context,
  given: string,
  origin: RequestOrigin = {},
): Promise<boolean> {
  const email = normaliseEmail(given)
  return commit(context, async (unit) => {
    if (!(await unit.oneTimeTokens.delete('invite', email))) return false
    await audit(unit, { type: 'user.invitation_withdrawn', time: context.now(), ...origin })
    return true
  })
}

/** The body of a sign-up with an invitation. */
export interface AcceptInvitation extends Omit<SignUp, 'email'> {
  /** The token of the link in the invitation. */
  readonly invitation: string
}

/**
 * Creates the user of an invitation, with its address and roles, and starts a session.
 *
 * @throws {AuthError} `one_time_token_invalid`, and the codes of `register`
 */
export async function acceptInvitation(
  context: Context,
  given: AcceptInvitation,
  origin: RequestOrigin = {},
  key?: ProvedKey,
): Promise<LoggedIn> {
  const { token, ...prepared } = await prepareInvited(context, given, origin)
  return completeSignUp(context, { ...prepared, origin, key }, (unit) => takeToken(context, unit, token))
}

/**
 * The same without a session, for the page of the invitation, which has no use for tokens.
 *
 * @throws {AuthError} `one_time_token_invalid`, and the codes of `register`
 */
export async function createInvitedUser(
  context: Context,
  given: AcceptInvitation,
  origin: RequestOrigin,
): Promise<void> {
  const { token, user } = await prepareInvited(context, given, origin)
  await commit(context, async (unit) => {
    await takeToken(context, unit, token)
    await insertUser(context, unit, user, 'user.registered', origin)
  })
}

async function prepareInvited(context: Context, { invitation, ...given }: AcceptInvitation, origin: RequestOrigin) {
  if (context.config.registration === 'closed') throw registrationDisabled()
  const attempt = await throttle(context, { action: 'invitation', account: invitation, origin })
  const token = await findToken(context, { token: invitation }, ['invite'], origin).catch(async (error) => {
    await attempt.failed()
    throw error
  })
  await attempt.withdraw()
  await checkInviter(context, token)
  const { email, roles } = toInvitation(token)
  const credentials = { ...given, email }
  const { user, subject } = await prepareRegistration(context, credentials, origin, roles)
  return { token, user: { ...user, email_verified_at: context.now() }, subject, credentials }
}

/**
 * An administrator who has been disabled or deleted, or has lost the role, gives nobody access any
 * more.
 */
async function checkInviter(context: Context, { data: { by } }: OneTimeTokenRow): Promise<void> {
  // The application has sent it, or a command.
  if (typeof by !== 'string') return
  const answer = await callLoadSubject(context, by)
  const user = await context.store.committed.users.byId(by)
  const { roles = [] } = resolveNewSubject(user, {}, answer) ?? {}
  if (!roles.includes(context.config.adminRole)) throw invalidToken()
}

function toInvitation({ email, data, created_at, expires_at }: OneTimeTokenRow): Invitation {
  const roles = data.roles as readonly string[]
  return { email, roles, createdAt: new Date(created_at), expiresAt: new Date(expires_at) }
}
