import { JwtError } from './errors.ts'

// No node:crypto, no Buffer: the inspector runs this file in a browser.

/** The claims of a JWT (RFC 7519 §4). Other claims are passed through unchanged. */
export interface JwtPayload {
  /** Issuer. */
  iss?: string
  /** Subject. */
  sub?: string
  /** Audience: the recipients of the token. */
  aud?: string | string[]
  /** Expiration time, in seconds since 1970. */
  exp?: number
  /** Not before, in seconds since 1970. */
  nbf?: number
  /** Issued at, in seconds since 1970. */
  iat?: number
  /** Token identifier. */
  jti?: string
  /** Any other claim. */
  [claim: string]: unknown
}

/** One name, several, a function that decides about each, or `null`: not checked. */
export type Accepted = string | readonly string[] | ((name: string) => boolean) | null

/** The checks for a claims set. */
export interface ClaimRules {
  /** The trusted issuers. `null`: not checked. */
  readonly issuer: Accepted
  /** The audiences of this API. `null`: not checked. */
  readonly audience: Accepted
  /** The only accepted `sub`. */
  readonly subject: string | undefined
  /** The only accepted `jti`. */
  readonly jwtid: string | undefined
  /** Claims that must be present, with any value. */
  readonly requiredClaims: readonly string[] | undefined
  /**
   * The maximum of `exp` − `iat` in seconds. `undefined`: no limit, and neither claim is required.
   */
  readonly maxLifetime: number | undefined
  /** The maximum age since `iat` in seconds. `undefined`: no limit. */
  readonly maxTokenAge: number | undefined
  /** Whether the rules for access tokens (RFC 9068) apply. */
  readonly accessToken: boolean
  /** Whether a token that is bound to a key (`cnf`) is refused. */
  readonly bearer: boolean
  /** Whether `sub` may be a whole number. */
  readonly numericSubject: boolean
  /** The current time, in seconds since 1970. */
  readonly now: number
  /** Allowed clock difference in seconds. */
  readonly tolerance: number
}

/** Maximum seconds that `iat` may be in the future, since clocks differ. */
const maxIssuedAhead = 60

/**
 * Checks a claims set in this order: types, presence, issuer, audience, subject and identifier,
 * access token profile, key binding (`cnf`), lifetime, `nbf` and `iat`, age, `exp`. Expiry is last,
 * so that `ERR_JWT_EXPIRED` means that every other check passed and a refresh is enough.
 *
 * @throws {JwtError} `ERR_JWT_CLAIM`, `ERR_JWT_CLAIM_MISSING`, `ERR_JWT_ISSUER`,
 *   `ERR_JWT_AUDIENCE`, `ERR_JWT_PROOF_REQUIRED`, `ERR_JWT_NOT_YET_VALID`, `ERR_JWT_EXPIRED`
 */
export function checkClaims(payload: JwtPayload, rules: ClaimRules): void {
  checkTypes(payload, rules.numericSubject)
  if (rules.requiredClaims !== undefined) for (const claim of rules.requiredClaims) requireClaim(payload, claim)
  if (rules.issuer !== null) checkIssuer(payload, rules.issuer)
  if (rules.audience !== null) checkAudience(payload, rules.audience)
  if (rules.subject !== undefined) checkValue(payload, 'sub', rules.subject)
  if (rules.jwtid !== undefined) checkValue(payload, 'jti', rules.jwtid)
  if (rules.accessToken) checkAccessToken(payload)
  if (rules.bearer) checkBearer(payload)
  if (rules.maxLifetime !== undefined) checkLifetime(payload, rules.maxLifetime)
  if (rules.maxTokenAge !== undefined) requireClaim(payload, 'iat')
  checkTimes(payload, rules)
}

/** Checks the claims of an access token (RFC 9068 §2.2) that are present. */
export function checkAccessToken(payload: JwtPayload): void {
  checkIdentifier(payload, 'sub')
  checkIdentifier(payload, 'jti')
  checkIdentifier(payload, 'client_id')
  if (payload.scope !== undefined && typeof payload.scope !== 'string') throw wrong('scope', 'is not a string')
  if (payload.token_use === 'refresh') throw wrong('token_use', 'marks a refresh token')
  if (payload.token_type === 'refresh') throw wrong('token_type', 'marks a refresh token')
}

/** Refuses a token that needs a proof of possession (RFC 9449 §7.1). */
export function checkBearer(payload: JwtPayload): void {
  if (payload.cnf !== undefined) {
    throw new JwtError(
      'ERR_JWT_PROOF_REQUIRED',
      'the token is bound to a key (cnf) and cannot be used as a bearer token',
      {
        claim: 'cnf',
      },
    )
  }
}

/** Checks the types of the registered claims that are present. */
export function checkTypes(payload: JwtPayload, numericSubject = false): void {
  const { iss, sub, jti, aud, exp, nbf, iat } = payload
  if (iss !== undefined && typeof iss !== 'string') throw wrong('iss', 'is not a string')
  if (sub !== undefined && typeof sub !== 'string' && !(numericSubject && Number.isSafeInteger(sub))) {
    throw wrong('sub', numericSubject ? 'is not a string or a whole number' : 'is not a string')
  }
  if (jti !== undefined && typeof jti !== 'string') throw wrong('jti', 'is not a string')
  if (aud !== undefined && typeof aud !== 'string' && !isStringArray(aud))
    throw wrong('aud', 'is not a string or a list of strings')
  if (exp !== undefined && !Number.isFinite(exp)) throw wrong('exp', 'is not a number')
  if (nbf !== undefined && !Number.isFinite(nbf)) throw wrong('nbf', 'is not a number')
  if (iat !== undefined && !Number.isFinite(iat)) throw wrong('iat', 'is not a number')
}

function isStringArray(value: unknown): value is string[] {
  if (!Array.isArray(value)) return false
  for (const element of value) if (typeof element !== 'string') return false
  return true
}

/** Returns the value of a required claim. */
export function requireClaim(payload: JwtPayload, claim: string): unknown {
  // hasOwn, since a claim may have the name of a member of Object.prototype.
  if (!Object.hasOwn(payload, claim)) {
    throw new JwtError('ERR_JWT_CLAIM_MISSING', `the token has no claim ${claim}`, { claim })
  }
  return payload[claim]
}

/** Checks `iss` (RFC 7519 §4.1.1). Its type has been checked. */
export function checkIssuer(payload: JwtPayload, trusted: NonNullable<Accepted>): void {
  const iss = requireClaim(payload, 'iss')
  if (accepts('issuer', trusted, iss as string)) return
  throw new JwtError('ERR_JWT_ISSUER', 'the issuer (iss) is not a trusted one', { claim: 'iss' })
}

/** Checks `aud` (RFC 7519 §4.1.3). Its type has been checked. */
export function checkAudience(payload: JwtPayload, ours: NonNullable<Accepted>): void {
  const aud = requireClaim(payload, 'aud') as string | readonly string[]
  if (typeof aud === 'string' ? accepts('audience', ours, aud) : aud.some((name) => accepts('audience', ours, name)))
    return
  throw new JwtError('ERR_JWT_AUDIENCE', 'the token is for another audience (aud)', { claim: 'aud' })
}

function accepts(option: 'issuer' | 'audience', accepted: NonNullable<Accepted>, name: string): boolean {
  if (typeof accepted === 'string') return name === accepted
  if (typeof accepted !== 'function') return accepted.includes(name)
  const result: unknown = accepted(name)
  // A promise is truthy, and must not turn the check off.
  if (typeof result !== 'boolean') {
    if (result instanceof Promise) result.catch(() => {})
    throw new JwtError('ERR_JWT_OPTION', `the function ${option} must return true or false`)
  }
  return result
}

/** Checks that a claim has exactly one value. */
export function checkValue(payload: JwtPayload, claim: 'sub' | 'jti', value: string): void {
  // With `numericSubject`, `sub` may be a number.
  if (String(requireClaim(payload, claim)) !== value) throw wrong(claim, 'is not the expected one')
}

function checkIdentifier(payload: JwtPayload, claim: 'sub' | 'jti' | 'client_id'): void {
  const value = payload[claim]
  if (value === undefined) return
  if (typeof value !== 'string' || value.length > 256 || !isVisible(value)) {
    throw wrong(claim, 'is not a string of 1 to 256 characters, at least one visible and none a control character')
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

/** Checks the time from `iat` to `exp`. Their types have been checked. */
export function checkLifetime(payload: JwtPayload, maxLifetime: number): void {
  const lifetime = (requireClaim(payload, 'exp') as number) - (requireClaim(payload, 'iat') as number)
  if (!(lifetime > 0)) throw wrong('exp', 'is not after iat')
  if (lifetime > maxLifetime) throw wrong('exp', 'is later after iat than maxLifetime allows')
}

/** What {@link checkTimes} needs. */
type TimeRules = Pick<ClaimRules, 'now' | 'tolerance'> & Partial<Pick<ClaimRules, 'maxTokenAge'>>

/** Checks `nbf`, `iat` and `exp` (RFC 7519 §4.1.4–4.1.6). Their types have been checked. */
export function checkTimes({ exp, nbf, iat }: JwtPayload, { now, tolerance, maxTokenAge }: TimeRules): void {
  if (nbf !== undefined && nbf > now + tolerance) {
    throw new JwtError('ERR_JWT_NOT_YET_VALID', 'the token is not valid yet', { claim: 'nbf' })
  }
  if (iat !== undefined && iat > now + maxIssuedAhead) {
    throw new JwtError('ERR_JWT_NOT_YET_VALID', 'the token was issued in the future', { claim: 'iat' })
  }
  if (maxTokenAge !== undefined && iat !== undefined && iat < now - tolerance - maxTokenAge) {
    throw new JwtError('ERR_JWT_EXPIRED', 'the token is older than maxTokenAge', { claim: 'iat' })
  }
  if (exp !== undefined && exp <= now - tolerance) {
    throw new JwtError('ERR_JWT_EXPIRED', 'the token has expired', { claim: 'exp' })
  }
}

function wrong(claim: string, what: string): JwtError {
  return new JwtError('ERR_JWT_CLAIM', `the claim ${claim} ${what}`, { claim })
}
