import { JwtError, type VerificationKeys, verify } from '@sealwax/jwt'
import { type Auth, authOf } from './auth.ts'
import { type FoundCredentials, findCredentials, lengthFault, tokenFault } from './credentials.ts'
import { GuardError } from './errors.ts'
import { isAboutKeys, isForeign, rescued, withNewerKeys } from './newer-keys.ts'
import { otherIssuerOf, pastDate } from './other-issuers.ts'
import { namesOf, passes, permit } from './permit.ts'
import type { GuardRequest } from './request.ts'
import { type AuthFor, type PreparedRequirement, prepareRequirement, type Requirement } from './requirements.ts'
import { verdictOnKey } from './revocation-verdict.ts'
import { refuseOtherKind } from './token-kind.ts'
import { tokenRefusal } from './token-refusal.ts'
import { type GuardOptions, type Trust, trustOf } from './trust.ts'
import { stillHolds, type VerifiedToken, verifiedToken } from './verified-token.ts'

export type { Auth } from './auth.ts'
export type { AuthFor, Requirement } from './requirements.ts'
export type { GuardOptions } from './trust.ts'

/** Authenticates requests by their access tokens. Frozen. */
export interface Guard {
  /**
   * Authenticates a request and checks what the route requires. The answer is there at once; a promise is returned only when keys must
   * be fetched first, or a check of revocations is waited for, so `await` always works.
   * @param request anything with header fields, see {@link GuardRequest}
   * @param requirement what the route requires; nothing but a good token if left out
   * @returns who sent it; `undefined` only under `optional: true` and without bearer credentials
   * @throws GuardError the refusal, with its status and header fields
   * @throws TypeError for a requirement that is not well-formed
   * @throws JwtError `ERR_JWT_OPTION`, `ERR_JWT_KEY`, `ERR_JWT_KEY_SET`: the guard's keys or options are wrong, not the request
   */
  authenticate<
    Request extends GuardRequest,
    const R extends readonly [] | readonly [requirement: Requirement<Request>],
  >(request: Request, ...requirement: R): AuthFor<R> | Promise<AuthFor<R>>
  /** Forgets verified tokens and ends the fetching of keys; harmless if there is none, and twice. A guard that found its keys itself refuses everything afterwards. */
  close(): Promise<void>
}

type Bearer = FoundCredentials & { kind: 'token' }

const trusts = new WeakMap<Guard, Trust>()

/**
 * Creates a guard: what is trusted is said once, here; what a route requires is said at the route. Opens nothing before its first request.
 * @throws TypeError for unknown, missing or `undefined` options
 * @throws JwtError `ERR_JWT_OPTION`, `ERR_JWT_KEY`, `ERR_JWT_KEY_SET` for values and keys that `verify` does not accept
 */
export function createGuard(options: GuardOptions): Guard {
  const trust = trustOf(options)
  const guard: Guard = {
    // The types of the results agree: `undefined` comes only of `optional`, which the compiler cannot follow through the copy.
    authenticate<R extends readonly unknown[]>(request: GuardRequest, ...rest: R) {
      const requirement = prepareRequirement(rest)
      try {
        const result = decide(trust, request, requirement)
        if (!(result instanceof Promise)) return result as AuthFor<R>
        return result.catch((error: unknown) => fail(trust, error, request)) as Promise<AuthFor<R>>
      } catch (error) {
        return fail(trust, error, request)
      }
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

/** What a guard trusts, for the parts of this package that go on watching a token. */
export function trustBehind(guard: Guard): Trust {
  const trust = trusts.get(guard)
  if (trust === undefined) throw new TypeError('expected a guard made by createGuard')
  return trust
}

const verifiedBy = new WeakMap<Auth, Trust>()

/** By whose rules a token was verified, to go on watching it by them. */
export function trustThatVerified(auth: Auth): Trust | undefined {
  return verifiedBy.get(auth)
}

/** Tells `onRefusal` of a guard about a refusal that was not made by `authenticate`. */
export function reportRefusal(guard: Guard, error: GuardError, request: GuardRequest): void {
  report(trustBehind(guard), error, request)
}

/**
 * Validates a requirement ahead of its first request, for adapters: a mistake in a route shows when the program starts.
 * @param rest the rest arguments of the adapter: a requirement that is there but `undefined` is refused
 * @throws TypeError for a requirement that is not well-formed
 */
export function validateRequirement(rest: readonly unknown[]): void {
  prepareRequirement(rest)
}

function decide(
  trust: Trust,
  request: GuardRequest,
  requirement: PreparedRequirement,
): Auth | undefined | Promise<Auth> {
  const found = findCredentials(request, trust.cookie)
  if (found.kind === 'none') {
    if (requirement.optional) return undefined
    throw new GuardError('token_missing', trust.challenge)
  }
  if (found.kind === 'invalid') throw new GuardError(found.code, { ...trust.challenge, detail: found.detail })
  return decideToken(trust, found, request, requirement)
}

function decideToken(
  trust: Trust,
  found: Bearer,
  request: GuardRequest,
  requirement: PreparedRequirement,
): Auth | Promise<Auth> {
  const fault = lengthFault(found, trust.verification.maxTokenLength)
  if (fault !== undefined) {
    const cause = new JwtError('ERR_JWT_MALFORMED', 'the token is longer than maxTokenLength')
    throw new GuardError(fault.code, { ...trust.challenge, detail: fault.detail, cause })
  }
  if (trust.others.length === 0) return judge(trust, found, request, requirement)
  // What was verified as ours is looked into again only when it no longer holds.
  const other = trust.cache.find(found.token) === undefined ? otherIssuerOf(trust, found.token) : undefined
  if (other !== undefined && !other.isOwn) {
    if (trust.now() >= other.until) throw pastDate(trust, other)
    return judge(other.trust, found, request, requirement)
  }
  return rescued(
    () => judge(trust, found, request, requirement),
    (error) => {
      // Under one issuer only the keys tell the two apart.
      const own = other ?? otherIssuerOf(trust, found.token)
      if (own?.isOwn !== true || !isAboutKeys(error)) throw error
      return rescued(
        () => judge(own.trust, found, request, requirement),
        (second) => {
          throw isAboutKeys(second) && !isForeign(error) ? error : second
        },
      )
    },
  )
}

function judge(
  trust: Trust,
  found: Bearer,
  request: GuardRequest,
  requirement: PreparedRequirement,
): Auth | Promise<Auth> {
  const waiting = trust.revocationReady()
  if (waiting !== undefined) return waiting.then(() => judgeReady(trust, found, request, requirement))
  return judgeReady(trust, found, request, requirement)
}

function judgeReady(
  trust: Trust,
  found: Bearer,
  request: GuardRequest,
  requirement: PreparedRequirement,
): Auth | Promise<Auth> {
  const known = trust.cache.find(found.token)
  const keys = known !== undefined && isRecent(trust, known) ? known.keys : keysFor(trust, found)
  if (!(keys instanceof Promise)) return judgeWith(trust, found, known, keys, request, requirement)
  return keys.then((current) => judgeWith(trust, found, known, current, request, requirement))
}

function judgeWith(
  trust: Trust,
  found: Bearer,
  known: VerifiedToken | undefined,
  keys: VerificationKeys,
  request: GuardRequest,
  requirement: PreparedRequirement,
): Auth | Promise<Auth> {
  let verified: VerifiedToken
  try {
    verified = establish(trust, found, known, keys)
  } catch (error) {
    return withNewerKeys(trust, keys, error, (newer) =>
      permit(trust, establish(trust, found, undefined, newer), request, requirement),
    )
  }
  return permit(trust, verified, request, requirement)
}

/** Whether the keys of a source, which has to look into the token to give them, were asked for so lately that they need not be again. */
function isRecent({ keysKept, now }: Trust, known: VerifiedToken): boolean {
  return keysKept > 0 && Math.abs(now() - known.keysAt) < keysKept
}

function keysFor(trust: Trust, found: Bearer): VerificationKeys | Promise<VerificationKeys> {
  try {
    const keys = trust.keysFor(found.token)
    return keys instanceof Promise ? keys.catch((error: unknown) => failKeys(trust, found, error)) : keys
  } catch (error) {
    return failKeys(trust, found, error)
  }
}

/** A source of keys reads the header of the token; what it says about the token is no fault of the keys. */
function failKeys(trust: Trust, found: Bearer, cause: unknown): never {
  throw refusalOf(trust, found, cause, trust.now()) ?? new GuardError('keys_unavailable', { ...trust.challenge, cause })
}

/** A text that is no token may not even be credentials (RFC 6750 §2.1). That is looked at only now: a good token need not be. */
function refusalOf(
  trust: Trust,
  found: Bearer,
  error: unknown,
  now: number,
  keys: VerificationKeys = [],
): GuardError | undefined {
  const fault = tokenFault(found)
  if (fault !== undefined) return new GuardError(fault.code, { ...trust.challenge, detail: fault.detail, cause: error })
  if (!(error instanceof JwtError)) return undefined
  const refusal = tokenRefusal(error, found.token, now, trust, keys)
  return refusal?.code === 'token_key_unknown' ? ofRevokedKey(trust, refusal) : refusal
}

/**
 * A key that is revoked leaves the key set. Whoever holds a token of it must hear that it is stale and renew it, whether the set or the revocation came
 * first. Nothing in the token is believed for that but the name of a key that is refused anyway.
 */
function ofRevokedKey({ revocation, challenge }: Trust, refusal: GuardError): GuardError {
  const { kid, cause } = refusal
  if (kid === undefined) return refusal
  const verdict = verdictOnKey(revocation, kid)
  return verdict === undefined ? refusal : new GuardError(verdict, { ...challenge, kid, cause })
}

/** The token as it was verified before, if that still holds; else it is verified, and remembered if it is good. */
function establish(
  trust: Trust,
  found: Bearer,
  known: VerifiedToken | undefined,
  keys: VerificationKeys,
): VerifiedToken {
  const now = trust.now()
  if (known !== undefined) {
    if (stillHolds(known, keys, now, trust.tolerance)) {
      if (trust.keysKept > 0 && !isRecent(trust, known)) {
        known.keys = keys
        known.keysAt = now
      }
      return known
    }
    trust.cache.remove(known)
  }
  return verifyAnew(trust, found, keys, now)
}

function verifyAnew(trust: Trust, found: Bearer, keys: VerificationKeys, now: number): VerifiedToken {
  // No stack for what is wrong with a token: it would cost more than all else, and make garbage dear.
  const limit = Error.stackTraceLimit
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    const token = verify(found.token, keys, { ...trust.verification, currentDate: new Date(now) })
    refuseOtherKind(token)
    const auth = authOf(token)
    if (!passes(trust, auth)) throw new GuardError('check_failed', { ...trust.challenge, ...namesOf(auth) })
    verifiedBy.set(auth, trust)
    const verified = verifiedToken(found.token, auth, keys, now)
    trust.cache.add(verified)
    return verified
  } catch (error) {
    throw refusalOf(trust, found, error, now, keys) ?? error
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit)
  }
}

function fail(trust: Trust, error: unknown, request: GuardRequest): never {
  if (error instanceof GuardError) report(trust, error, request)
  throw error
}

function report({ onRefusal }: Trust, error: GuardError, request: GuardRequest): void {
  try {
    const result: unknown = onRefusal?.(error, request)
    if (result instanceof Promise) result.catch(() => {})
  } catch {
    // The answer is the refusal, whatever becomes of the report.
  }
}
