import { type Duration, toSeconds } from '@sealwax/jwt'
import type { Auth } from './auth.ts'
import type { GuardRequest } from './request.ts'
import { shapeOf } from './shape.ts'

/** What a route requires of the verified token. Everything that is given must hold; unknown members, `undefined` and `[]` throw a TypeError. */
export interface Requirement<Request = GuardRequest> {
  /** Scopes that the token must carry, all of them. One scope per string. Refused as `insufficient_scope`, 403. */
  readonly scope?: string | readonly string[]
  /** Roles of which the token must carry at least one. Refused as `insufficient_role`, 403. */
  readonly role?: string | readonly string[]
  /** How long ago the user may have authenticated at most (`auth_time`): seconds or `'5m'`. Refused as `reauthentication_required`, 401. */
  readonly fresh?: Duration
  /** Your own condition. Must return exactly `true` or `false`; `false` is refused as `check_failed`, 403. What it throws is passed on. */
  readonly check?: (auth: Auth, request: Request) => boolean
  /** `true` lets requests without bearer credentials pass, with no `Auth`; a token that is not acceptable is refused all the same. Default `false`. */
  readonly optional?: boolean
}

/**
 * The result of authenticating, of the arguments that may hold a requirement: `undefined` only appears where `optional` may be true. They are a
 * list, because a requirement that is there but `undefined` must not compile.
 */
export type AuthFor<Rest extends readonly unknown[]> = Rest extends readonly []
  ? Auth
  : Rest extends readonly [infer R extends object]
    ? 'optional' extends keyof R
      ? R extends { readonly optional: false }
        ? Auth
        : Auth | undefined
      : Auth
    : Auth | undefined

/** A validated copy of a requirement. */
export interface PreparedRequirement {
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  /** In seconds. */
  readonly fresh: number | undefined
  readonly check: ((auth: Auth, request: never) => boolean) | undefined
  readonly optional: boolean
}

/** Why a requirement does not hold. */
export interface Unmet {
  readonly code: 'insufficient_scope' | 'insufficient_role' | 'reauthentication_required' | 'check_failed'
  readonly detail?: string
  readonly scopes?: readonly string[]
  readonly maxAge?: number
}

const MEMBERS: ReadonlySet<string> = new Set(['scope', 'role', 'fresh', 'check', 'optional'])

/** An `auth_time` further ahead than this many seconds is no authentication at all: such a token would stay fresh for too long. */
const GREATEST_SKEW = 60

const NOTHING = prepare({})
const prepared = new WeakMap<object, PreparedRequirement>()

/**
 * Validates a requirement, once for each object. Takes the rest arguments of its caller, because `protect(guard, undefined)` is
 * most likely a misspelt requirement and must not open the route.
 * @throws TypeError for anything that is not a well-formed requirement
 */
export function prepareRequirement(rest: readonly unknown[]): PreparedRequirement {
  if (rest.length === 0) return NOTHING
  const requirement = rest[0]
  if (typeof requirement !== 'object' || requirement === null || Array.isArray(requirement)) {
    throw new TypeError(`requirement: expected an object such as { scope: 'orders:read' }, got ${shapeOf(requirement)}`)
  }
  let known = prepared.get(requirement)
  if (known === undefined) {
    known = prepare(requirement)
    prepared.set(requirement, known)
  }
  return known
}

/**
 * The first part of a requirement that an authenticated request does not meet; `undefined` if it meets all.
 * @param now milliseconds since 1970; read only where time matters
 */
export function findUnmet(
  requirement: PreparedRequirement,
  auth: Auth,
  request: GuardRequest,
  now: () => number,
): Unmet | undefined {
  const { scopes, roles, fresh, check } = requirement
  for (const scope of scopes) if (!auth.scopes.includes(scope)) return lackOf(scopes)
  if (roles.length > 0 && !roles.some((role) => auth.roles.includes(role))) return { code: 'insufficient_role' }
  if (fresh !== undefined && !isFresh(auth.payload.auth_time, fresh, now())) {
    const detail = `This needs an authentication that is not older than ${fresh} seconds. Authenticate again.`
    return { code: 'reauthentication_required', maxAge: fresh, detail }
  }
  if (check !== undefined) {
    if (!resultOfCheck(check(auth, request as never), 'requirement')) return { code: 'check_failed' }
  }
  return undefined
}

/**
 * What a check returned.
 * @throws TypeError unless it is exactly `true` or `false`
 */
export function resultOfCheck(result: unknown, where: string): boolean {
  if (typeof result === 'boolean') return result
  if (result instanceof Promise) result.catch(() => {})
  throw new TypeError(`${where}: check must return true or false; got ${shapeOf(result)}`)
}

function lackOf(scopes: readonly string[]): Unmet {
  const detail = `The access token must carry the scope "${scopes.join(' ')}".`
  return { code: 'insufficient_scope', scopes, detail }
}

function isFresh(authTime: unknown, fresh: number, now: number): boolean {
  if (typeof authTime !== 'number' || !Number.isFinite(authTime)) return false
  const age = now / 1000 - authTime
  return age <= fresh && age >= -GREATEST_SKEW
}

function prepare(requirement: Requirement<never>): PreparedRequirement {
  for (const [name, value] of Object.entries(requirement)) {
    if (!MEMBERS.has(name)) {
      const meant = name === 'scopes' ? '; write scope' : name === 'roles' ? '; write role' : ''
      throw new TypeError(`requirement: unknown member "${name}"${meant}`)
    }
    if (value === undefined) throw new TypeError(`requirement: ${name} is undefined; leave it out if it is not meant`)
  }
  const { scope, role, fresh, check, optional = false } = requirement
  if (check !== undefined && typeof check !== 'function') throw new TypeError('requirement: check must be a function')
  if (typeof optional !== 'boolean') throw new TypeError('requirement: optional must be true or false')
  return Object.freeze({
    scopes: scope === undefined ? [] : namesOf('scope', scope, /^[\x21\x23-\x5b\x5d-\x7e]+$/), // scope-token, RFC 6749 §3.3
    roles: role === undefined ? [] : namesOf('role', role, /./),
    fresh: fresh === undefined ? undefined : freshOf(fresh),
    check,
    optional,
  })
}

function freshOf(fresh: Duration): number {
  let seconds = 0
  try {
    seconds = toSeconds(fresh)
  } catch (cause) {
    throw new TypeError("requirement: fresh must be a whole number of seconds or a text such as '5m'", { cause })
  }
  if (seconds === 0) throw new TypeError('requirement: fresh must be longer than zero')
  return seconds
}

function namesOf(member: 'scope' | 'role', value: string | readonly string[], form: RegExp): readonly string[] {
  const names = typeof value === 'string' ? [value] : value
  if (!Array.isArray(names) || names.length === 0) {
    throw new TypeError(`requirement: ${member} must be a string or an array with at least one`)
  }
  for (const name of names) {
    if (typeof name !== 'string' || !form.test(name)) {
      throw new TypeError(`requirement: each ${member} must be one name; several are written as an array`)
    }
  }
  return Object.freeze([...names])
}
