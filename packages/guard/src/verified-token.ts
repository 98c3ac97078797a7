import type { JwtHeader, VerificationKey, VerificationKeys } from '@sealwax/jwt'
import type { Auth } from './auth.ts'
import { type RevocableToken, subjectKey } from './revocations.ts'

/** A token whose signature and claims held, with all that can change afterwards at hand. */
export interface VerifiedToken {
  readonly token: string
  readonly auth: Auth
  /** The key that its signature was made with. */
  readonly key: VerificationKey | undefined
  /** The keys it was last held against, and when, in milliseconds since 1970. */
  keys: VerificationKeys
  keysAt: number
  /** What revocations are asked about; the subject's key is computed once, when it is first needed. */
  readonly revocable: RevocableToken
  /** `exp` and `nbf` in seconds since 1970; infinite where the token has none. */
  readonly expires: number
  readonly notBefore: number
  readonly issuedAt: number
}

/** `verify` refuses a token that was issued further ahead. In seconds. */
const GREATEST_AHEAD = 60

/** Keeps what a verification found. @param keys those that the token was verified with @param now milliseconds since 1970 */
export function verifiedToken(token: string, auth: Auth, keys: VerificationKeys, now: number): VerifiedToken {
  const { payload, header } = auth
  const { exp = Number.POSITIVE_INFINITY, nbf = Number.NEGATIVE_INFINITY, iat = Number.NEGATIVE_INFINITY } = payload
  let known: string | undefined
  const revocable: RevocableToken = {
    payload,
    header,
    get subjectKey() {
      known ??= subjectKey(payload.iss ?? '', auth.subject)
      return known
    },
  }
  const key = keyOf(keys, header)
  return { token, auth, key, keys, keysAt: now, revocable, expires: exp, notBefore: nbf, issuedAt: iat }
}

/**
 * Whether a token that was verified earlier would still be: its time has not passed, nor moved out of reach because a clock was set back, and
 * its key is still trusted. Nothing else that `verify` looks at can change.
 * @param now milliseconds since 1970 @param tolerance in seconds
 */
export function stillHolds(token: VerifiedToken, keys: VerificationKeys, now: number, tolerance: number): boolean {
  return isTimely(token, now, tolerance) && token.key !== undefined && keyOf(keys, token.auth.header) === token.key
}

/** Whether now lies between the times of a token; the same comparisons as in `verify`. */
export function isTimely({ expires, notBefore, issuedAt }: VerifiedToken, now: number, tolerance: number): boolean {
  const seconds = now / 1000
  return expires > seconds - tolerance && notBefore <= seconds + tolerance && issuedAt <= seconds + GREATEST_AHEAD
}

/** The key of exactly this `kid`, for this `alg` where several share it; without a `kid`, the only key. As in `verify`. */
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
