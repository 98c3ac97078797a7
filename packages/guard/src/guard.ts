import { JwtError } from '@sealwax/jwt'
import type { Auth } from './auth.ts'
import { trustOf } from './create-trust.ts'
import { GuardError } from './errors.ts'
import { isAboutKeys, isForeign } from './keys/newer-keys.ts'
import { otherIssuerOf, pastDate } from './keys/other-issuers.ts'
import type { GuardOptions } from './options.ts'
import { type BearerCredentials, findCredentials, lengthFault } from './request/credentials.ts'
import type { GuardRequest } from './request/request.ts'
import { findInPlace, missingDetail } from './request/token-place.ts'
import {
  type AuthFor,
  findUnmet,
  namesOf,
  type PreparedRequirement,
  prepareRequirement,
  type Requirement,
  type Unmet,
} from './requirements.ts'
import { verdictOf } from './revocations/verdict.ts'
import { checkBinding } from './tokens/binding.ts'
import { isTimely, type VerifiedToken } from './tokens/verified-token.ts'
import { verifyToken } from './tokens/verify.ts'
import type { Trust } from './trust.ts'
import { andThen, orElse, type ValueOrPromise } from './value-or-promise.ts'

export type { Auth } from './auth.ts'
export type { GuardOptions } from './options.ts'
export type { AuthFor, Requirement } from './requirements.ts'

/**
 * Authenticates requests by their access tokens. Frozen. `Claims` is the type of the application's
 * own claims in `Auth.payload`.
 */
export interface Guard<Claims = unknown> {
  /**
   * Authenticates a request and checks what the route requires. Returns the result directly;
   * returns a promise only if keys must be fetched, or if a revocation look-up or a `check` must be
   * awaited. `await` works for both.
   * @param request anything with header fields, see {@link GuardRequest}
   * @param requirement what the route requires. Default: only a valid token
   * @returns who sent it; `undefined` only with `optional: true` and no bearer credentials
   * @throws {GuardError} the refusal (any code), with its status and header fields
   * @throws {TypeError} for a requirement that is not well-formed
   * @throws {JwtError} `ERR_JWT_KEY`, `ERR_JWT_KEY_SET` if the keys of the guard are wrong, not the
   * request
   */
  authenticate<
    Request extends GuardRequest,
    const R extends readonly [] | readonly [requirement: Requirement<Request, Claims>],
  >(request: Request, ...requirement: R): AuthFor<R, Claims> | Promise<AuthFor<R, Claims>>
  /**
   * Clears the cache of verified tokens and stops fetching keys and revocations. May be called
   * twice. A guard that discovers its keys refuses every request afterwards.
   */
  close(): Promise<void>
}

const trusts = new WeakMap<Guard, Trust>()

/**
 * Creates a guard. Its options define what is trusted; each route defines what it requires. Opens
 * no connection before the first request.
 * @example
 * const guard = createGuard({ issuer: 'https://auth.example.com', audience: 'orders-api' })
 * @typeParam Claims the application's own claims, for the compiler. With `claims.schema` they are
 * validated, and inferred from it; without, `createGuard<{ tenant: string }>` is a promise of yours
 * @throws {TypeError} for options that are unknown, missing, `undefined` or not accepted
 * @throws {JwtError} `ERR_JWT_KEY`, `ERR_JWT_KEY_SET` for keys that `verify` does not accept
 */
export function createGuard<Claims = unknown>(options: GuardOptions<Claims>): Guard<Claims> {
  // `Claims` is for the compiler only.
  const trust = trustOf(options as unknown as GuardOptions)
  const guard: Guard<Claims> = {
    authenticate<R extends readonly unknown[]>(request: GuardRequest, ...rest: R) {
      const requirement = prepareRequirement(rest, 'authenticate')
      // The compiler cannot see that only `optional` leads to `undefined`.
      return orElse(decide, fail, { trust, request, requirement }) as ValueOrPromise<AuthFor<R, Claims>>
    },
    async close() {
      trust.cache.clear()
      trust.closeRevocation()
      await trust.closeKeys()
      for (const { trust: other } of trust.others) {
        other.cache.clear()
        other.closeRevocation()
        await other.closeKeys()
      }
    },
  }
  trusts.set(guard, trust)
  return Object.freeze(guard)
}

/** The checked options of a guard, for code that keeps watching a token. */
export function trustBehind(guard: Guard): Trust {
  const trust = trusts.get(guard)
  if (trust === undefined) throw new TypeError('expected a guard made by createGuard')
  return trust
}

/** Calls `onRefusal` for a refusal that did not come from `authenticate`. */
export function reportRefusal(guard: Guard, error: GuardError, request: GuardRequest): void {
  report(trustBehind(guard), error, request)
}

/**
 * Validates a requirement before the first request, for adapters: a mistake in a route is reported
 * when the program starts.
 * @param rest the rest arguments of the adapter: a requirement that is given but `undefined` is
 * refused
 * @param caller the function that was called, for messages
 * @throws {TypeError} for a requirement that is not well-formed
 */
export function validateRequirement(rest: readonly unknown[], caller = 'protect'): void {
  prepareRequirement(rest, caller)
}

interface Attempt {
  readonly trust: Trust
  readonly request: GuardRequest
  readonly requirement: PreparedRequirement
}

interface AttemptWithToken extends Attempt {
  readonly credentials: BearerCredentials
}

/**
 * The phases of a request, each of which refuses by throwing: read the credentials, verify the
 * token, check revocations, check what the token is bound to, authorize.
 */
function decide({ trust, request, requirement }: Attempt): ValueOrPromise<Auth | undefined> {
  const credentials = readCredentials(trust, request)
  if (credentials === undefined) {
    if (requirement.optional) return undefined
    throw new GuardError('token_missing', { ...trust.challenge, detail: missingDetail(trust) })
  }
  const attempt: AttemptWithToken = { trust, request, requirement, credentials }
  return trust.others.length === 0 ? decideToken(attempt) : decideByIssuer(attempt)
}

/** Selects the issuer whose keys and rules apply, if tokens of several issuers are accepted. */
function decideByIssuer(attempt: AttemptWithToken): ValueOrPromise<Auth> {
  const { trust, credentials } = attempt
  // A token in the cache was verified with the guard's own keys.
  const isKnown = trust.cache.find(credentials.token) !== undefined
  const other = isKnown ? undefined : otherIssuerOf(trust, credentials.token)
  if (other === undefined || other.isOwn) return orElse(decideToken, decideByOtherKeys, attempt)
  if (trust.now() >= other.until) throw pastDate(trust, other)
  return decideToken({ ...attempt, trust: other.trust })
}

/**
 * Tries the other set of keys if two have the same issuer: only the signature shows which set a
 * token belongs to.
 */
function decideByOtherKeys(error: unknown, attempt: AttemptWithToken): ValueOrPromise<Auth> {
  const other = isAboutKeys(error) ? otherIssuerOf(attempt.trust, attempt.credentials.token) : undefined
  if (other?.isOwn !== true) throw error
  return orElse(
    decideToken,
    (second) => {
      throw isAboutKeys(second) && !isForeign(error) ? error : second
    },
    { ...attempt, trust: other.trust },
  )
}

/** The phases after the first, with the keys and rules of one issuer. */
function decideToken(attempt: AttemptWithToken): ValueOrPromise<Auth> {
  // Revocations must be known first: the refusal of a token whose key is unknown depends on whether
  // that key was revoked.
  const verified = andThen(attempt.trust.revocationReady(), verify, attempt)
  const unrevoked = andThen(verified, checkRevocation, attempt)
  // Only now, so that a proof counts as used only if it came with a valid token.
  const mayBeBound = attempt.trust.dpop !== undefined || 'proof' in attempt.credentials
  const bound = mayBeBound ? andThen(unrevoked, checkBinding, attempt) : unrevoked
  return andThen(bound, authorize, attempt)
}

/** Returns `undefined` if the request has no bearer credentials. */
function readCredentials(trust: Trust, request: GuardRequest): BearerCredentials | undefined {
  const { challenge } = trust
  const found =
    trust.place === undefined
      ? findCredentials(request, trust.cookie, trust.dpop !== undefined)
      : findInPlace(request, trust.place)
  if (found.kind === 'none') return undefined
  if (found.kind === 'invalid') throw new GuardError(found.code, { ...challenge, detail: found.detail })
  const fault = lengthFault(found, trust.verification.maxTokenLength)
  if (fault === undefined) return found
  const cause = new JwtError('ERR_JWT_MALFORMED', 'the token is longer than maxTokenLength')
  throw new GuardError(fault.code, { ...challenge, detail: fault.detail, cause })
}

function verify(_ready: unknown, { trust, credentials }: AttemptWithToken): ValueOrPromise<VerifiedToken> {
  return verifyToken(trust, credentials)
}

function checkRevocation(token: VerifiedToken, { trust }: Attempt): ValueOrPromise<VerifiedToken> {
  const verdict = verdictOf(trust, token.revocable)
  if (verdict === undefined) return token
  if (!(verdict instanceof Promise)) throw new GuardError(verdict, { ...trust.challenge, ...namesOf(token.auth) })
  return verdict.then((found) => {
    // The token may have expired during the look-up.
    const code = isTimely(token, trust.now(), trust.tolerance) ? found : 'token_expired'
    if (code !== undefined) throw new GuardError(code, { ...trust.challenge, ...namesOf(token.auth) })
    return token
  })
}

function authorize({ auth }: VerifiedToken, { trust, request, requirement }: Attempt): ValueOrPromise<Auth> {
  const unmet = findUnmet(requirement, auth, request, trust.now)
  return unmet === undefined ? auth : andThen(unmet, acceptIfMet, { trust, auth })
}

function acceptIfMet(unmet: Unmet | undefined, { trust, auth }: { readonly trust: Trust; readonly auth: Auth }): Auth {
  if (unmet === undefined) return auth
  throw new GuardError(unmet.code, { ...trust.challenge, ...namesOf(auth), ...unmet })
}

function fail(error: unknown, { trust, request }: Attempt): never {
  if (error instanceof GuardError) report(trust, error, request)
  throw error
}

function report({ onRefusal }: Trust, error: GuardError, request: GuardRequest): void {
  try {
    const result: unknown = onRefusal?.(error, request)
    if (result instanceof Promise) result.catch(() => {})
  } catch {
    // What onRefusal throws must not change the refusal.
  }
}
