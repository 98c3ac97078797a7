import { type JwtError, type VerificationKeys, verify } from '@sealwax/jwt'
import { type Auth, authOf } from '../auth.ts'
import { GuardError } from '../errors.ts'
import { withNewerKeys } from '../keys/newer-keys.ts'
import { type BearerCredentials, tokenFault } from '../request/credentials.ts'
import { namesOf, resultOfCheck } from '../requirements.ts'
import { verdictOnKey } from '../revocations/verdict.ts'
import { refuseOtherKind } from '../token-kind.ts'
import type { Trust } from '../trust.ts'
import { andThen, orElse, type ValueOrPromise } from '../value-or-promise.ts'
import { tokenRefusal } from './refusal.ts'
import { stillHolds, type VerifiedToken, verifiedToken } from './verified-token.ts'

const verifiedBy = new WeakMap<Auth, Trust>()

/** Returns the rules that a token was verified by, which also apply when it is watched. */
export function trustThatVerified(auth: Auth): Trust | undefined {
  return verifiedBy.get(auth)
}

/**
 * Verifies a token by the rules of one issuer: keys, signature, claims and the `check` of the
 * guard. A token that was verified before is only checked for what can have changed since.
 * @returns a promise only if keys must be fetched
 * @throws {GuardError} a code about the token, or `keys_unavailable`
 */
export function verifyToken(trust: Trust, credentials: BearerCredentials): ValueOrPromise<VerifiedToken> {
  const known = trust.cache.find(credentials.token)
  const attempt: Attempt = { trust, credentials, known }
  const isRecentlyKnown = known !== undefined && isRecent(trust, known)
  const keys = isRecentlyKnown ? known.keys : orElse(keysFor, refuseKeys, attempt)
  return andThen(keys, verifyWith, attempt)
}

interface Attempt {
  readonly trust: Trust
  readonly credentials: BearerCredentials
  /** The token as it was verified before. */
  readonly known: VerifiedToken | undefined
}

function verifyWith(keys: VerificationKeys, { trust, credentials, known }: Attempt): ValueOrPromise<VerifiedToken> {
  try {
    return recall(trust, known, keys) ?? verifyAnew(trust, credentials, keys)
  } catch (error) {
    return withNewerKeys(trust, keys, error, (newer) => verifyAnew(trust, credentials, newer))
  }
}

/**
 * Whether the keys were requested so recently that they are reused: a source of keys has to decode
 * the token to choose them.
 */
function isRecent({ keysKept, now }: Trust, known: VerifiedToken): boolean {
  return keysKept > 0 && Math.abs(now() - known.keysAt) < keysKept
}

function keysFor({ trust, credentials }: Attempt): ValueOrPromise<VerificationKeys> {
  return trust.keysFor(credentials.token)
}

function refuseKeys(cause: unknown, { trust, credentials }: Attempt): never {
  // A source of keys reads the header of the token, so the error may be about the token, not the
  // keys.
  const refusal = refusalOf(trust, credentials, cause, trust.now())
  throw refusal ?? new GuardError('keys_unavailable', { ...trust.challenge, cause })
}

/** Returns the token as it was verified before, if it is still valid. */
function recall(trust: Trust, known: VerifiedToken | undefined, keys: VerificationKeys): VerifiedToken | undefined {
  if (known === undefined) return undefined
  const now = trust.now()
  if (!stillHolds(known, keys, now, trust.tolerance)) {
    trust.cache.remove(known)
    return undefined
  }
  if (trust.keysKept > 0 && !isRecent(trust, known)) {
    known.keys = keys
    known.keysAt = now
  }
  return known
}

function verifyAnew(
  trust: Trust,
  credentials: BearerCredentials,
  keys: VerificationKeys,
): ValueOrPromise<VerifiedToken> {
  const now = trust.now()
  const auth = verifyAt(now, trust, credentials, keys)
  const verified = verifiedToken(credentials.token, auth, keys, now)
  const passed = trust.check === undefined || resultOfCheck(trust.check(auth), 'createGuard: check')
  return andThen(passed, keepIfPassed, { trust, verified })
}

function keepIfPassed(
  passed: boolean,
  { trust, verified }: { readonly trust: Trust; readonly verified: VerifiedToken },
): VerifiedToken {
  const { auth } = verified
  if (!passed) throw new GuardError('check_failed', { ...trust.challenge, ...namesOf(auth) })
  verifiedBy.set(auth, trust)
  trust.cache.add(verified)
  return verified
}

function verifyAt(now: number, trust: Trust, credentials: BearerCredentials, keys: VerificationKeys): Auth {
  // Without stack traces: creating one takes longer than the rest of a refusal, so invalid tokens
  // would be expensive.
  const limit = Error.stackTraceLimit
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    const token = verify(credentials.token, keys, { ...trust.verification, currentDate: new Date(now) })
    refuseOtherKind(token, trust.kind)
    return authOf(token, trust.readClaims)
  } catch (error) {
    throw refusalOf(trust, credentials, error, now, keys) ?? error
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit)
  }
}

/**
 * Returns the refusal for an error. Whether the string is well-formed credentials (RFC 6750 §2.1)
 * is checked only here, since a valid token does not need it.
 */
function refusalOf(
  trust: Trust,
  credentials: BearerCredentials,
  error: unknown,
  now: number,
  keys: VerificationKeys = [],
): GuardError | undefined {
  const fault = tokenFault(credentials)
  if (fault !== undefined) return new GuardError(fault.code, { ...trust.challenge, detail: fault.detail, cause: error })
  if (!isJwtError(error)) return undefined
  const refusal = tokenRefusal(error, credentials.token, now, trust, keys)
  return refusal?.code === 'token_key_unknown' ? ofRevokedKey(trust, refusal) : refusal
}

/** Also of another copy of the package, which a source of keys may use. */
function isJwtError(error: unknown): error is JwtError {
  return error instanceof Error && error.name === 'JwtError'
}

/**
 * A revoked key is removed from the key set. The client must be told that its token is stale, so
 * that it renews it, whether the guard receives the key set or the revocation first. Only the `kid`
 * of the token is used, and the token is refused in any case.
 */
function ofRevokedKey({ revocation, challenge }: Trust, refusal: GuardError): GuardError {
  const { kid, cause } = refusal
  if (kid === undefined) return refusal
  const verdict = verdictOnKey(revocation, kid)
  return verdict === undefined ? refusal : new GuardError(verdict, { ...challenge, kid, cause })
}
