import { JwtError } from './errors.ts'

// Pure: no node:crypto, no Buffer. The inspector runs this file in a browser.

/** The claims of a JWT (RFC 7519 §4). Other claims are passed through as they are. */
export interface JwtPayload {
  /** Issuer. */
  iss?: string
  /** Subject. */
  sub?: string
  /** Audience: whom the token is for. */
  aud?: string | string[]
  /** Expiration time, in seconds since 1970. */
  exp?: number
  /** Not before, in seconds since 1970. */
  nbf?: number
  /** Issued at, in seconds since 1970. */
  iat?: number
  /** Token identifier. */
  jti?: string
  [claim: string]: unknown
}

/** What a claims set is held against. */
export interface ClaimRules {
  /** The issuers trusted; `null`: not checked. */
  readonly issuer: string | readonly string[] | null
  /** Our own names as an audience; `null`: not checked. */
  readonly audience: string | readonly string[] | null
  readonly requiredClaims: readonly string[] | undefined
  /** The longest `exp` − `iat` in seconds; `undefined`: no limit, and neither claim is required. */
  readonly maxLifetime: number | undefined
  /** Whether the rules for access tokens apply. */
  readonly accessToken: boolean
  /** Whether a token that is bound to a key is refused. */
  readonly bearer: boolean
  /** The current time, in seconds since 1970. */
  readonly now: number
  /** Seconds. */
  readonly tolerance: number
}

/** How far ahead `iat` may lie: clocks differ, and that does no harm below a minute. */
const maxIssuedAhead = 60

/**
 * Checks a claims set. The order: types, presence, issuer, audience, access-token profile, lifetime, `nbf` and `iat`,
 * `exp`. Expiry comes last, so that `ERR_JWT_EXPIRED` says that nothing else is wrong with the token and a fresh one
 * will do.
 *
 * @throws {JwtError}
 */
export function checkClaims(payload: JwtPayload, rules: ClaimRules): void {
  checkTypes(payload)
  if (rules.requiredClaims !== undefined) for (const claim of rules.requiredClaims) requireClaim(payload, claim)
  if (rules.issuer !== null) checkIssuer(payload, rules.issuer)
  if (rules.audience !== null) checkAudience(payload, rules.audience)
  if (rules.accessToken) checkAccessToken(payload)
  if (rules.bearer) checkBearer(payload)
  if (rules.maxLifetime !== undefined) checkLifetime(payload, rules.maxLifetime)
  checkTimes(payload, rules.now, rules.tolerance)
}

/** Checks the claims that an access token (RFC 9068 §2.2) has, where it has them. */
export function checkAccessToken(payload: JwtPayload): void {
  checkIdentifier(payload, 'sub')
  checkIdentifier(payload, 'jti')
  checkIdentifier(payload, 'client_id')
  if (payload.scope !== undefined && typeof payload.scope !== 'string') throw wrong('scope', 'is not a text')
  if (payload.token_use === 'refresh') throw wrong('token_use', 'says that this is a refresh token')
  if (payload.token_type === 'refresh') throw wrong('token_type', 'says that this is a refresh token')
}

/** Refuses a token that is of use only with a proof of possession (RFC 9449 §7.1). */
export function checkBearer(payload: JwtPayload): void {
  if (payload.cnf !== undefined) {
    throw new JwtError('ERR_JWT_PROOF_REQUIRED', 'the token is bound to a key (cnf) and is no bearer token', {
      claim: 'cnf',
    })
  }
}

/** Checks the types of the registered claims. A claim of a wrong type is not an absent one. */
export function checkTypes(payload: JwtPayload): void {
  const { iss, sub, jti, aud, exp, nbf, iat } = payload
  if (iss !== undefined && typeof iss !== 'string') throw wrong('iss', 'is not a text')
  if (sub !== undefined && typeof sub !== 'string') throw wrong('sub', 'is not a text')
  if (jti !== undefined && typeof jti !== 'string') throw wrong('jti', 'is not a text')
  if (aud !== undefined && typeof aud !== 'string' && !isTexts(aud))
    throw wrong('aud', 'is not a text or a list of texts')
  if (exp !== undefined && !Number.isFinite(exp)) throw wrong('exp', 'is not a number')
  if (nbf !== undefined && !Number.isFinite(nbf)) throw wrong('nbf', 'is not a number')
  if (iat !== undefined && !Number.isFinite(iat)) throw wrong('iat', 'is not a number')
}

function isTexts(value: unknown): value is string[] {
  if (!Array.isArray(value)) return false
  for (const element of value) if (typeof element !== 'string') return false
  return true
}

/** The value of a claim that must be there. */
export function requireClaim(payload: JwtPayload, claim: string): unknown {
  // hasOwn: a claim named like a member of Object.prototype must not be found there.
  if (!Object.hasOwn(payload, claim)) {
    throw new JwtError('ERR_JWT_CLAIM_MISSING', `the token lacks the claim ${claim}`, { claim })
  }
  return payload[claim]
}

/** Checks `iss`, a text where it is present (RFC 7519 §4.1.1). */
export function checkIssuer(payload: JwtPayload, trusted: string | readonly string[]): void {
  const iss = requireClaim(payload, 'iss')
  if (typeof trusted === 'string' ? iss === trusted : trusted.includes(iss as string)) return
  throw new JwtError('ERR_JWT_ISSUER', 'the issuer is not the expected one', { claim: 'iss' })
}

/** Checks `aud`, a text or a list of texts where it is present (RFC 7519 §4.1.3). */
export function checkAudience(payload: JwtPayload, ours: string | readonly string[]): void {
  const aud = requireClaim(payload, 'aud')
  if (typeof ours === 'string' ? isFor(aud, ours) : ours.some((name) => isFor(aud, name))) return
  throw new JwtError('ERR_JWT_AUDIENCE', 'the token is for another audience', { claim: 'aud' })
}

function isFor(aud: unknown, name: string): boolean {
  return typeof aud === 'string' ? aud === name : (aud as string[]).includes(name)
}

function checkIdentifier(payload: JwtPayload, claim: 'sub' | 'jti' | 'client_id'): void {
  const value = payload[claim]
  if (value === undefined) return
  if (typeof value !== 'string' || value.length > 256 || !isVisible(value)) {
    throw wrong(claim, 'is not a text of 1 to 256 characters, some visible, none a control character')
  }
}

function isVisible(text: string): boolean {
  let visible = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return false
    if (code > 0x20 && code < 0x7f) visible = true
  }
  return visible || text.trim() !== ''
}

/** Checks the time from `iat` to `exp`, numbers where they are present. */
export function checkLifetime(payload: JwtPayload, maxLifetime: number): void {
  const lifetime = (requireClaim(payload, 'exp') as number) - (requireClaim(payload, 'iat') as number)
  if (!(lifetime > 0)) throw wrong('exp', 'is not after iat')
  if (lifetime > maxLifetime) throw wrong('exp', 'is further from iat than allowed')
}

/** Checks `nbf`, `iat` and `exp`, numbers where they are present (RFC 7519 §4.1.4–4.1.6). */
export function checkTimes({ exp, nbf, iat }: JwtPayload, now: number, tolerance: number): void {
  if (nbf !== undefined && nbf > now + tolerance) {
    throw new JwtError('ERR_JWT_NOT_YET_VALID', 'the token is not valid yet', { claim: 'nbf' })
  }
  if (iat !== undefined && iat > now + maxIssuedAhead) {
    throw new JwtError('ERR_JWT_NOT_YET_VALID', 'the token was issued in the future', { claim: 'iat' })
  }
  if (exp !== undefined && exp <= now - tolerance) {
    throw new JwtError('ERR_JWT_EXPIRED', 'the token has expired', { claim: 'exp' })
  }
}

function wrong(claim: string, what: string): JwtError {
  return new JwtError('ERR_JWT_CLAIM', `the claim ${claim} ${what}`, { claim })
}
