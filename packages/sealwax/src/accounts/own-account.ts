import { audit, auditAlone } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import { networksOf } from '../core/network.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit } from '../core/unit-of-work.ts'
import { AuthError } from '../errors.ts'
import { endAllSessions } from '../sessions/end.ts'
import { disabledUser } from '../sessions/subjects.ts'
import { throttle } from '../throttling/throttle.ts'
import { callCheckAttributes } from './application-hooks.ts'
import { authenticate, type PasswordCredentials } from './authentication.ts'
import type { UserRow } from './contract.ts'
import { notify } from './notify.ts'
import { voidPending } from './one-time-tokens.ts'
import { passwordsOf } from './password-hashing.ts'
import { type Attributes, changeAttributes, checkName } from './profile.ts'
import { deleteUser, toUser, type User } from './users.ts'

/**
 * Checks a password without starting a session. Returns undefined for a wrong password and, after
 * the same work, for an unknown user.
 *
 * @throws {AuthError} `overloaded`; `user_disabled` with the right password
 */
export async function verifyPassword(
  context: Context,
  credentials: PasswordCredentials,
  origin: RequestOrigin = {},
): Promise<User | undefined> {
  const found = await authenticate(context, credentials, origin).catch(ignoreInvalidCredentials)
  if (found === undefined) return undefined
  const { user, attempt } = found
  await commit(context, (unit) => attempt.succeeded(unit))
  if (user.disabled_at !== null) throw disabledUser(undefined)
  return toUser(user)
}

function ignoreInvalidCredentials(error: unknown): undefined {
  if (error instanceof AuthError && error.code === 'invalid_credentials') return undefined
  throw error
}

/** The user of an access token. */
export interface Caller {
  readonly subject: string
  /** The session of the token, which continues. */
  readonly sessionId?: string | undefined
}

/** A new password, and the current one as a proof. */
interface PasswordChange {
  readonly currentPassword: string
  readonly newPassword: string
  /** Whether all sessions end except that of the caller. Default true. */
  readonly endOtherSessions?: boolean | undefined
}

/**
 * How often the current password is checked again because the stored hash has changed meanwhile.
 */
const MOST_ATTEMPTS = 3

/**
 * Replaces the password of the caller.
 *
 * @throws {AuthError} `password_incorrect`, `password_not_set`, `user_external`, `overloaded`,
 * `password_too_short`, `password_too_long`
 */
export async function changePassword(
  context: Context,
  { subject, sessionId }: Caller,
  { currentPassword, newPassword, endOtherSessions = true }: PasswordChange,
  origin: RequestOrigin = {},
): Promise<void> {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const user = await requirePassword(context, { subject, sessionId }, currentPassword, origin)
    const owner = { email: user.email, name: user.name ?? undefined }
    const password_hash = await passwordsOf(context).hash(newPassword, networksOf(origin.ip), owner)
    const changed = await commit(context, async (unit) => {
      const current = await unit.users.lock(subject)
      if (current?.password_hash !== user.password_hash || current?.disabled_at !== null) return false
      const now = context.now()
      await unit.users.change(subject, { password_hash, updated_at: now })
      await voidPending(unit, subject)
      if (endOtherSessions) {
        const except = sessionId === undefined ? {} : { except: sessionId }
        await endAllSessions(context, unit, subject, { reason: 'password_changed', origin, ...except })
      }
      await audit(unit, { type: 'user.password_changed', time: now, subject, sessionId, ...origin })
      await notify(context, unit, { kind: 'password-changed', user: current }, origin)
      return true
    })
    if (changed) return
  }
  throw incorrectPassword()
}

/** A change of the caller's own profile. What is left out stays. */
interface ProfileChange {
  /** `null` removes it. */
  readonly name?: string | null | undefined
  /** A JSON Merge Patch (RFC 7396). */
  readonly attributes?: Attributes | null | undefined
}

/**
 * Changes the caller's name and attributes.
 *
 * @throws {AuthError} `user_external`, `validation_failed`, `attributes_invalid`
 * @throws {AuthError} `temporarily_unavailable` when `checkAttributes` fails, or when the
 * attributes are changed too often meanwhile
 */
export async function changeOwnProfile(
  context: Context,
  subject: string,
  change: ProfileChange,
  origin: RequestOrigin = {},
): Promise<User> {
  const name = change.name === undefined ? {} : { name: checkName(change.name) }
  if (change.name === undefined && change.attributes === undefined) {
    return toUser(await requireBuiltIn(context, subject))
  }
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const user = await requireBuiltIn(context, subject)
    const attributes =
      change.attributes === undefined ? undefined : changeAttributes(user.attributes, change.attributes)
    if (attributes !== undefined) await callCheckAttributes(context, attributes ?? {}, toUser(user))
    const changed = await commit(context, async (unit) => {
      const current = await unit.users.lock(subject)
      if (current === undefined) return undefined
      // `checkAttributes` has not seen what was stored meanwhile.
      if (attributes !== undefined && !isSame(current.attributes, user.attributes)) return undefined
      const now = context.now()
      const columns = { ...name, ...(attributes !== undefined && { attributes }), updated_at: now }
      await unit.users.change(subject, columns)
      await audit(unit, { type: 'user.updated', time: now, subject, ...origin })
      return toUser({ ...current, ...columns })
    })
    if (changed !== undefined) return changed
  }
  throw new AuthError('temporarily_unavailable', 'The attributes are being changed by other requests', {
    retryAfter: 1,
  })
}

/**
 * Deletes the caller's account and ends all sessions.
 *
 * @param password the current one; undefined if the caller has just logged in
 * @throws {AuthError} `user_external`, `password_incorrect`, `password_not_set`, `overloaded`
 */
export async function deleteOwnAccount(
  context: Context,
  caller: Caller,
  password: string | undefined,
  origin: RequestOrigin = {},
): Promise<void> {
  const { subject } = caller
  const user =
    password === undefined
      ? await requireBuiltIn(context, subject)
      : await requirePassword(context, caller, password, origin)
  const isUnchanged = (current: UserRow) => password === undefined || current.password_hash === user.password_hash
  if (await deleteUser(context, subject, origin, isUnchanged)) return
  throw password === undefined ? externalUser() : incorrectPassword()
}

/**
 * Returns the stored user if this is its current password.
 *
 * @throws {AuthError} `user_external`, `password_not_set`, `password_incorrect`, `overloaded`,
 * `too_many_attempts`
 */
export async function requirePassword(
  context: Context,
  { subject, sessionId }: Caller,
  password: string,
  origin: RequestOrigin,
): Promise<UserRow> {
  const place = passwordsOf(context).enter(networksOf(origin.ip))
  const user = await requireBuiltIn(context, subject).catch((error) => {
    place.leave()
    throw error
  })
  if (user.password_hash === null) {
    place.leave()
    throw new AuthError('password_not_set', 'This user has no password: set one with a reset')
  }
  // A session has a counter of its own: guesses elsewhere do not stop the owner here.
  const device = `session ${sessionId ?? subject}`
  const attempt = await throttle(context, { action: 'login', account: user.email, origin, device, subject }).catch(
    (error) => {
      place.leave()
      throw error
    },
  )
  if (await passwordsOf(context).matches(password, user.password_hash, place)) {
    await commit(context, (unit) => attempt.succeeded(unit))
    return user
  }
  const rejected = { type: 'user.password_rejected', time: context.now(), subject, ...origin } as const
  await Promise.all([attempt.failed(), auditAlone(context, rejected)])
  throw incorrectPassword()
}

/**
 * Returns the stored user.
 *
 * @throws {AuthError} `user_external`
 */
export async function requireBuiltIn(context: Context, subject: string): Promise<UserRow> {
  const user = await context.store.committed.users.byId(subject)
  if (user === undefined) throw externalUser()
  return user
}

function isSame(one: Attributes | null, other: Attributes | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function incorrectPassword(): AuthError {
  return new AuthError('password_incorrect', 'This is not the current password')
}

function externalUser(): AuthError {
  return new AuthError('user_external', 'This user belongs to the application, which stores its data')
}
