import { audit } from '../core/audit.ts'
import { refuseClientId } from '../core/client-id.ts'
import type { Context } from '../core/context.ts'
import type { Network } from '../core/network.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit, type Unit } from '../core/unit-of-work.ts'
import { AuthError } from '../errors.ts'
import { revokeVersion } from '../revocations/rules.ts'
import { endAllSessions } from '../sessions/end.ts'
import type { UserRow } from './contract.ts'
import { addressTaken, isTaken, normaliseEmail, orTaken } from './email-addresses.ts'
import { hashForNewUser, hashForUser } from './new-hashes.ts'
import { notify } from './notify.ts'
import { voidPending } from './one-time-tokens.ts'
import { type Attributes, changeAttributes, checkAttributes, checkName, type UserChange } from './profile.ts'

/** A built-in user. */
export interface User {
  /** The `sub` of its tokens. */
  readonly id: string
  /** The normalised e-mail address. */
  readonly email: string
  /** The roles of its access tokens. */
  readonly roles: readonly string[]
  /** Whether the user cannot log in. */
  readonly disabled: boolean
  /** Whether the user has shown that the address is theirs. */
  readonly emailVerified: boolean
  /** The name to address the user by, or undefined. */
  readonly name: string | undefined
  /** What the application stores with the user. */
  readonly attributes: Readonly<Record<string, unknown>>
  /** When the user was created. */
  readonly createdAt: Date
}

/** The parameters of `auth.users.create`. */
export interface CreateUser {
  /** 1 to 128 letters, digits and `. _ - : @`. Default: `usr_` and 128 random bits. */
  readonly id?: string
  /** The e-mail address for log-in, in any spelling. */
  readonly email: string
  /** 15 to 256 characters. Either this or `passwordHash` must be given. */
  readonly password?: string
  /**
   * A hash of another system, in a format of `docs/passwords.md`. It is replaced at the first
   * log-in.
   */
  readonly passwordHash?: string
  /** At most 64 roles of 1 to 64 letters, digits and `. _ - :`. Default none. */
  readonly roles?: readonly string[] | undefined
  /** 1 to 100 characters. Default none. */
  readonly name?: string | null | undefined
  /** A JSON object of at most 4 KiB. Default empty. */
  readonly attributes?: Attributes | undefined
  /** Whether the user has shown that the address is theirs. Default true. */
  readonly emailVerified?: boolean
}

/** A user to create; without a password it cannot log in with one. */
type NewUser = Omit<CreateUser, 'password'> & { readonly password?: string | undefined }

/**
 * Creates a user.
 *
 * @throws {AuthError} `email_invalid`, `email_taken`, `id_taken`, `validation_failed`,
 * `password_hash_invalid`, `attributes_invalid`, and the codes of a refused password
 */
export async function createUser(context: Context, options: NewUser, origin?: RequestOrigin): Promise<User> {
  const user = await prepareUser(context, options)
  await commit(context, (unit) => insertUser(context, unit, user, 'user.created', origin))
  return toUser(user)
}

/** Validates a new user and hashes the password, before a transaction begins. */
export async function prepareUser(context: Context, options: NewUser, network?: Network): Promise<UserRow> {
  const email = normaliseEmail(options.email)
  const roles = checkRoles(options.roles ?? [])
  const id = options.id ?? `usr_${context.randomBytes(16).toString('base64url')}`
  if (!/^[\w.@:-]{1,128}$/.test(id)) {
    throw new AuthError('validation_failed', 'id must be 1 to 128 letters, digits and . _ - : @')
  }
  refuseClientId(id)
  const name = checkName(options.name)
  const attributes = options.attributes === undefined ? null : checkAttributes(options.attributes)
  const password_hash = await hashForNewUser(context, { ...options, email, name }, network)
  const now = context.now()
  // Higher than the version of a deleted user with the same id, whose revocations may still be
  // live.
  const versions = { ver: Math.floor(now / 1000), credential_version: 1 }
  const profile = { name, attributes, email_verified_at: options.emailVerified === false ? null : now }
  return {
    ...{ id, email, password_hash, roles, ...versions, ...profile },
    ...{ disabled_at: null, last_login_at: null, created_at: now, updated_at: now },
  }
}

/** Stores a new user. */
export async function insertUser(
  context: Context,
  unit: Unit,
  user: UserRow,
  type: 'user.created' | 'user.registered',
  origin?: RequestOrigin,
): Promise<void> {
  if (await isTaken(context, unit, user.email, user.id)) throw addressTaken()
  await orTaken(() => unit.users.insert(user))
  await audit(unit, { type, time: context.now(), subject: user.id, ...origin })
}

/** Returns the user with this id, or undefined. */
export async function getUser(context: Context, id: string): Promise<User | undefined> {
  const row = await context.store.committed.users.byId(id)
  return row && toUser(row)
}

/**
 * Returns the user with this e-mail address in any spelling, or undefined.
 *
 * @throws {AuthError} `email_invalid`
 */
export async function findUser(context: Context, email: string): Promise<User | undefined> {
  const row = await context.store.committed.users.byEmail(normaliseEmail(email))
  return row && toUser(row)
}

/**
 * Changes a user. A new password ends all sessions.
 *
 * @throws {AuthError} `not_found`, and the codes of `createUser`
 */
export async function updateUser(context: Context, id: string, change: UserChange): Promise<User> {
  const email = change.email === undefined ? {} : { email: normaliseEmail(change.email) }
  const name = change.name === undefined ? {} : { name: checkName(change.name) }
  const secret =
    change.password === undefined ? {} : { password_hash: await hashForUser(context, id, change.password, email) }
  const verified = change.emailVerified ?? (change.email === undefined ? undefined : true)
  return changeUser(context, id, async (unit, now, user) => {
    const shown = verified === undefined ? {} : { email_verified_at: verified ? (user.email_verified_at ?? now) : null }
    const attributes =
      change.attributes === undefined ? {} : { attributes: changeAttributes(user.attributes, change.attributes) }
    const columns = { ...email, ...name, ...secret, ...shown, ...attributes }
    await orTaken(() => unit.users.change(id, { ...columns, updated_at: now }))
    if (change.password !== undefined) {
      await voidPending(unit, id)
      await endAllSessions(context, unit, id, { reason: 'password_changed' })
      await notify(context, unit, { kind: 'password-changed', user }, {})
    }
    const type = change.password === undefined ? 'user.updated' : 'user.password_changed'
    await audit(unit, { type, time: now, subject: id })
  })
}

/**
 * Replaces the roles. Access tokens with the old roles become stale; clients renew them silently.
 *
 * @throws {AuthError} `not_found`, `validation_failed`
 */
export async function setRoles(
  context: Context,
  id: string,
  roles: readonly string[],
  origin?: RequestOrigin,
): Promise<User> {
  const checked = checkRoles(roles)
  return changeUser(context, id, async (unit, now) => {
    const latest = await unit.sessions.latest(id)
    // Higher than the version of every token with the old roles.
    const least = Math.max((latest.ver ?? 0) + 1, Math.floor(now / 1000))
    const ver = await unit.users.setRoles(id, checked, { least, now })
    if (ver !== undefined) await revokeVersion(context, unit, { subject: id, ver, latest: latest.access_expires_at })
    await audit(unit, { type: 'user.roles_changed', time: now, subject: id, ...origin, data: { roles: checked } })
  })
}

/**
 * Disables a user and ends all sessions.
 *
 * @throws {AuthError} `not_found`
 */
export async function disableUser(context: Context, id: string, origin?: RequestOrigin): Promise<User> {
  return changeUser(context, id, async (unit, now) => {
    await unit.users.change(id, { disabled_at: now, updated_at: now })
    await endAllSessions(context, unit, id, { reason: 'user_disabled', ...(origin && { origin }) })
    await audit(unit, { type: 'user.disabled', time: now, subject: id, ...origin })
  })
}

/**
 * Allows a disabled user to log in again.
 *
 * @throws {AuthError} `not_found`
 */
export async function enableUser(context: Context, id: string, origin?: RequestOrigin): Promise<User> {
  return changeUser(context, id, async (unit, now) => {
    await unit.users.change(id, { disabled_at: null, updated_at: now })
    await audit(unit, { type: 'user.enabled', time: now, subject: id, ...origin })
  })
}

/**
 * Deletes a user and ends all sessions. Returns false if there is no such user, or if `isRight`
 * returns false for it.
 */
export async function deleteUser(
  context: Context,
  id: string,
  origin?: RequestOrigin,
  isRight: (user: UserRow) => boolean = () => true,
): Promise<boolean> {
  return commit(context, async (unit) => {
    const user = await unit.users.lock(id)
    if (user === undefined || !isRight(user)) return false
    await endAllSessions(context, unit, id, { reason: 'user_deleted', ...(origin && { origin }) })
    await unit.users.delete(id)
    await audit(unit, { type: 'user.deleted', time: context.now(), subject: id, ...origin })
    return true
  })
}

/** Returns a stored user without hash and versions. */
export function toUser(row: UserRow): User {
  return {
    id: row.id,
    email: row.email,
    roles: row.roles,
    disabled: row.disabled_at !== null,
    emailVerified: row.email_verified_at !== null,
    name: row.name ?? undefined,
    attributes: row.attributes ?? {},
    createdAt: new Date(row.created_at),
  }
}

/** Returns the roles without repetitions, or throws `validation_failed`. */
export function checkRoles(roles: readonly string[]): readonly string[] {
  const valid = Array.isArray(roles) && roles.length <= 64 && roles.every((role) => /^[\w.:-]{1,64}$/.test(role))
  if (!valid) {
    throw new AuthError('validation_failed', 'roles must be at most 64 names of 1 to 64 letters, digits and . _ - :')
  }
  return [...new Set(roles)]
}

/** Changes an existing user under its lock, and returns the changed user. */
async function changeUser(
  context: Context,
  id: string,
  change: (unit: Unit, now: number, user: UserRow) => Promise<void>,
): Promise<User> {
  return commit(context, async (unit) => {
    const user = await unit.users.lock(id)
    if (user === undefined) throw noSuchUser()
    await change(unit, context.now(), user)
    const row = await unit.users.byId(id)
    if (row === undefined) throw noSuchUser()
    return toUser(row)
  })
}

/** The error for an unknown id. */
export function noSuchUser(): AuthError {
  return new AuthError('not_found', 'There is no such user')
}
