import { type Duration, toSeconds } from '@sealwax/jwt'
import { describeValue } from '@sealwax/jwt/internal'
import type { Auth } from './auth.ts'
import type { GuardErrorOptions } from './errors.ts'
import type { GuardRequest } from './request/request.ts'
import {
  checkOptions,
  isListOf,
  mustBe,
  mustBeBoolean,
  mustBeDuration,
  mustBeFunction,
  type OptionRules,
  wrongOption,
} from './strict-options.ts'
import { andThen, type ValueOrPromise } from './value-or-promise.ts'

/**
 * What a route requires of the verified token. All given members must be met; unknown members,
 * `undefined` and `[]` cause a TypeError.
 */
export interface Requirement<Request = GuardRequest, Claims = unknown> {
  /**
   * Scopes, all of which the token must have, or `{ any: [...] }`: at least one of them. One scope
   * per string. Refused with 403 `insufficient_scope`.
   */
  readonly scope?: string | readonly string[] | { readonly any: readonly string[] }
  /** Roles, at least one of which the token must have. Refused with 403 `insufficient_role`. */
  readonly role?: string | readonly string[]
  /**
   * Maximum time since the user authenticated (`auth_time`): seconds or `'5m'`. Refused with 401
   * `reauthentication_required`.
   */
  readonly fresh?: Duration
  /**
   * Your own condition, called last. Must return exactly `true` or `false`, or a promise of it;
   * `false` is refused with 403 `check_failed`. Errors it throws or rejects with are passed on.
   */
  readonly check?: (auth: Auth<Claims>, request: Request) => boolean | Promise<boolean>
  /**
   * `true` accepts requests without bearer credentials, without an `Auth`; an invalid token is
   * still refused. Default `false`.
   */
  readonly optional?: boolean
}

/**
 * The result type of `authenticate` for its rest arguments: includes `undefined` only if `optional`
 * may be true. A list, because a requirement that is given but `undefined` must not compile.
 */
export type AuthFor<Rest extends readonly unknown[], Claims = unknown> = Rest extends readonly []
  ? Auth<Claims>
  : Rest extends readonly [infer R extends object, ...unknown[]]
    ? 'optional' extends keyof R
      ? R extends { readonly optional: false }
        ? Auth<Claims>
        : Auth<Claims> | undefined
      : Auth<Claims>
    : Auth<Claims> | undefined

/** A validated copy of a requirement. */
export interface PreparedRequirement {
  /** Empty if none is required. */
  readonly scopes: readonly string[]
  /** Whether one of the scopes is enough. */
  readonly anyScope: boolean
  /** One must be present; empty if none is required. */
  readonly roles: readonly string[]
  /** In seconds. */
  readonly fresh: number | undefined
  /** The condition of the route. */
  readonly check: ((auth: Auth, request: never) => unknown) | undefined
  /** Whether requests without credentials are accepted. */
  readonly optional: boolean
}

/** Why a requirement is not met. */
export interface Unmet {
  /** The code of the refusal. */
  readonly code: 'insufficient_scope' | 'insufficient_role' | 'reauthentication_required' | 'check_failed'
  /** A sentence for the client. */
  readonly detail?: string
  /** The required scopes, for the challenge. */
  readonly scopes?: readonly string[]
  /** The required freshness in seconds, for the challenge. */
  readonly maxAge?: number
}

// scope-token, RFC 6749 §3.3
const isScope = (value: string) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value)

/** Whether it is an object with nothing but `any`. */
function isAnyOf(value: unknown): value is { readonly any: readonly string[] } {
  return typeof value === 'object' && value !== null && Object.keys(value).join() === 'any'
}

const REQUIREMENT: OptionRules<Requirement<never>> = {
  example: "{ scope: 'orders:read' }",
  hints: {
    scopes: 'write scope',
    roles: 'write role',
    onRefused: 'it belongs in the options of protect, after the requirement',
  },
  rules: {
    scope: mustBe(
      'one scope, a list of at least one, or { any: [...] } with such a list; each scope is a string of its own',
      (value) => isListOf(isAnyOf(value) ? value.any : [value].flat(), isScope),
    ),
    role: mustBe('one role, or a list of at least one', (value) => isListOf([value].flat())),
    fresh: mustBeDuration('at least 1 second', 1),
    check: mustBeFunction(),
    optional: mustBeBoolean(),
  },
}

/**
 * An `auth_time` further in the future than this many seconds is refused: such a token would stay
 * fresh for too long.
 */
const GREATEST_SKEW = 60

const NOTHING = prepare({}, 'protect')
const prepared = new WeakMap<object, PreparedRequirement>()

/**
 * Validates a requirement, once for each object. Takes the rest arguments of its caller, because
 * `protect(guard, undefined)` is most likely a misspelled variable and must not open the route.
 * @param caller the function that was called, for messages
 * @throws {TypeError} for anything that is not a well-formed requirement
 */
export function prepareRequirement(rest: readonly unknown[], caller: string): PreparedRequirement {
  if (rest.length === 0) return NOTHING
  const requirement = rest[0] as Requirement<never>
  if (typeof requirement !== 'object' || requirement === null) {
    throw wrongOption(caller, 'requirement', `an object such as ${REQUIREMENT.example}`, requirement)
  }
  let known = prepared.get(requirement)
  if (known === undefined) {
    known = prepare(requirement, caller)
    prepared.set(requirement, known)
  }
  return known
}

/**
 * Returns the first part of a requirement that an authenticated request does not meet; `undefined`
 * if it meets all. A promise only if `check` returns one.
 * @param now milliseconds since 1970; called only if `fresh` is required
 */
export function findUnmet(
  requirement: PreparedRequirement,
  auth: Auth,
  request: GuardRequest,
  now: () => number,
): ValueOrPromise<Unmet | undefined> {
  const { scopes, anyScope, roles, fresh, check } = requirement
  if (scopes.length > 0 && !hasScopes(auth, scopes, anyScope)) return lackOf(scopes, anyScope)
  if (roles.length > 0 && !roles.some((role) => auth.roles.includes(role))) return { code: 'insufficient_role' }
  if (fresh !== undefined && !isFresh(auth.payload.auth_time, fresh, now())) {
    const detail = `This needs an authentication that is not older than ${fresh} seconds. Authenticate again.`
    return { code: 'reauthentication_required', maxAge: fresh, detail }
  }
  if (check === undefined) return undefined
  return andThen(resultOfCheck(check(auth, request as never), 'requirement.check'), unmetByCheck, undefined)
}

function hasScopes({ scopes: granted }: Auth, scopes: readonly string[], anyScope: boolean): boolean {
  const isGranted = (scope: string) => granted.includes(scope)
  return anyScope ? scopes.some(isGranted) : scopes.every(isGranted)
}

function unmetByCheck(passed: boolean): Unmet | undefined {
  return passed ? undefined : { code: 'check_failed' }
}

/**
 * The result of a check, or a promise of it.
 * @throws {TypeError} unless it is exactly `true` or `false`; also as a rejection
 */
export function resultOfCheck(result: unknown, name: string): ValueOrPromise<boolean> {
  if (typeof result === 'boolean') return result
  if (isThenable(result)) return Promise.resolve(result).then((found) => resultOfCheck(found, name))
  throw new TypeError(`${name} must return true or false (got ${describeValue(result)})`)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** The details of a refusal of a token with a valid signature, for the log. */
export function namesOf({ header, sessionId }: Auth): GuardErrorOptions {
  return { kid: header.kid, sessionId }
}

function lackOf(scopes: readonly string[], anyScope: boolean): Unmet {
  const detail = anyScope
    ? `The access token must carry one of the scopes ${scopes.map((scope) => `"${scope}"`).join(', ')}.`
    : `The access token must carry the scope "${scopes.join(' ')}".`
  return { code: 'insufficient_scope', scopes, detail }
}

function isFresh(authTime: unknown, fresh: number, now: number): boolean {
  if (typeof authTime !== 'number' || !Number.isFinite(authTime)) return false
  const age = now / 1000 - authTime
  return age <= fresh && age >= -GREATEST_SKEW
}

function prepare(requirement: Requirement<never>, caller: string): PreparedRequirement {
  checkOptions(caller, requirement, REQUIREMENT, 'requirement')
  const { scope, role, fresh, check, optional = false } = requirement
  return Object.freeze({
    scopes: scope === undefined ? [] : Object.freeze(isAnyOf(scope) ? [...scope.any] : [scope].flat()),
    anyScope: isAnyOf(scope),
    roles: role === undefined ? [] : Object.freeze([role].flat()),
    fresh: fresh === undefined ? undefined : toSeconds(fresh),
    check,
    optional,
  })
}
