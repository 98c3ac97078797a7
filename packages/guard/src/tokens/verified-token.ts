import type { JwtHeader, VerificationKey, VerificationKeys } from '@sealwax/jwt'
import type { Auth } from '../auth.ts'
import { type RevocableToken, subjectKey } from '../revocations/list.ts'

/** A token whose signature and claims are valid, with what is needed to check it again. */
export interface VerifiedToken {
  /** The token as it was sent. */
  readonly token: string
  /** Who it is about. */
  readonly auth: Auth
  /** The key that its signature was made with. */
  readonly key: VerificationKey | undefined
  /** The keys that it was last checked with. */
  keys: VerificationKeys
  /** When the keys were requested, in milliseconds since 1970. */
  keysAt: number
  /** Passed to revocation checks; the key of the subject is computed once, when first needed. */
  readonly revocable: RevocableToken
  /**
   * `exp` in seconds since 1970. This and the next two are infinite if the token does not have the
   * claim.
   */
  readonly expires: number
  /** `nbf` in seconds since 1970. */
  readonly notBefore: number
  /** `iat` in seconds since 1970. */
  readonly issuedAt: number
}

/** In seconds. `verify` refuses a token that was issued further in the future. */
const GREATEST_AHEAD = 60

/**
 * Creates the record of a verified token.
 * @param keys the keys that it was verified with
 * @param now milliseconds since 1970
 */
export function verifiedToken(token: string, auth: Auth, keys: VerificationKeys, now: number): VerifiedToken {
  const { payload, header } = auth
  const { exp = Number.POSITIVE_INFINITY, nbf = Number.NEGATIVE_INFINITY, iat = Number.NEGATIVE_INFINITY } = payload
  let known: string | undefined
  const revocable: RevocableToken = {
    payload,
    header,
    subject: auth.subject,
    get subjectKey() {
      known ??= subjectKey(payload.iss ?? '', auth.subject)
      return known
    },
  }
  const key = keyOf(keys, header)
  return { token, auth, key, keys, keysAt: now, revocable, expires: exp, notBefore: nbf, issuedAt: iat }
}

/**
 * Whether `verify` would still accept a token that was verified earlier: it has not expired, it is
 * not in the future because a clock was set back, and its key is still trusted. Nothing else that
 * `verify` checks can change.
 * @param now milliseconds since 1970
 * @param tolerance in seconds
 */
export function stillHolds(token: VerifiedToken, keys: VerificationKeys, now: number, tolerance: number): boolean {
  return isTimely(token, now, tolerance) && token.key !== undefined && keyOf(keys, token.auth.header) === token.key
}

/** Whether a token is valid at this time; the same comparisons as in `verify`. */
export function isTimely({ expires, notBefore, issuedAt }: VerifiedToken, now: number, tolerance: number): boolean {
  const seconds = now / 1000
  return expires > seconds - tolerance && notBefore <= seconds + tolerance && issuedAt <= seconds + GREATEST_AHEAD
}

/**
 * The key of exactly this `kid`, for this `alg` where several share it; without a `kid`, the only
 * key. As in `verify`.
 */
function keyOf(keys: VerificationKeys, { kid, alg }: Partial<JwtHeader>): VerificationKey | undefined {
  if ('kid' in keys) return kid === undefined || kid === keys.kid ? keys : undefined
  if ('get' in keys) return kid === undefined ? onlyOne(keys.keys) : keys.get(kid, alg)
  if (kid === undefined) return onlyOne(keys)
  for (const key of keys) if (key.kid === kid) return key
  return undefined
}

function onlyOne(keys: readonly VerificationKey[]): VerificationKey | undefined {
  return keys.length === 1 ? keys[0] : undefined
}
