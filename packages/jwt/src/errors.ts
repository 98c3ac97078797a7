/**
 * Why a call or a token was refused. Switch on it; messages may change, codes do not.
 *
 * - `ERR_JWT_OPTION`: the call is wrong: an unknown option, `undefined`, an empty list, a bad duration.
 * - `ERR_JWT_KEY`: a key was refused at load, or is not fit for the call.
 * - `ERR_JWT_KEY_SET`: a set of keys was refused as a whole.
 * - `ERR_JWT_MALFORMED`: not a compact JWS of a JSON object: type, length, dots, base64url, UTF-8, JSON.
 * - `ERR_JWT_HEADER`: a header parameter that is never accepted (`crit`, `b64`, `zip`, `enc`, `cty`) or has a wrong type.
 * - `ERR_JWT_ALGORITHM`: `alg` is missing, unknown, not allowed, or not the algorithm of the key.
 * - `ERR_JWT_KEY_UNKNOWN`: no trusted key has the token's `kid`; or it names none and there are several keys.
 * - `ERR_JWT_SIGNATURE`: the signature does not belong to these bytes and this key.
 * - `ERR_JWT_TYPE`: `typ` is not the one the caller expects.
 * - `ERR_JWT_EXPIRED`: `exp` has passed; every other check of the token held.
 * - `ERR_JWT_NOT_YET_VALID`: `nbf` lies ahead, or `iat` more than 60 seconds ahead.
 * - `ERR_JWT_ISSUER`, `ERR_JWT_AUDIENCE`: issued by, or for, somebody else.
 * - `ERR_JWT_CLAIM_MISSING`: a required claim is absent; `claim` names it.
 * - `ERR_JWT_CLAIM`: a claim has a wrong type or content; `claim` names it.
 * - `ERR_JWT_PROOF_REQUIRED`: the token is bound to a key (`cnf`) and no proof of possession was checked.
 * - `ERR_JWT_KEYS_UNAVAILABLE`: keys cannot be had from their URL, and never were; says nothing about the token.
 */
export type JwtErrorCode =
  | 'ERR_JWT_OPTION'
  | 'ERR_JWT_KEY'
  | 'ERR_JWT_KEY_SET'
  | 'ERR_JWT_MALFORMED'
  | 'ERR_JWT_HEADER'
  | 'ERR_JWT_ALGORITHM'
  | 'ERR_JWT_KEY_UNKNOWN'
  | 'ERR_JWT_SIGNATURE'
  | 'ERR_JWT_TYPE'
  | 'ERR_JWT_EXPIRED'
  | 'ERR_JWT_NOT_YET_VALID'
  | 'ERR_JWT_ISSUER'
  | 'ERR_JWT_AUDIENCE'
  | 'ERR_JWT_CLAIM_MISSING'
  | 'ERR_JWT_CLAIM'
  | 'ERR_JWT_PROOF_REQUIRED'
  | 'ERR_JWT_KEYS_UNAVAILABLE'

/** What a {@link JwtError} may carry beside its code and message. */
export interface JwtErrorDetails {
  /** The claim at fault. */
  claim?: string
  /** The error underneath. */
  cause?: unknown
}

/**
 * The only error this package throws on purpose. Its message never holds a token, a key or a secret, nor text taken
 * from a token; it may be logged as it is.
 */
export class JwtError extends Error {
  /** The stable reason. */
  readonly code: JwtErrorCode
  /** The claim at fault, where one is. */
  declare readonly claim?: string

  constructor(code: JwtErrorCode, message: string, details?: JwtErrorDetails) {
    super(message, details !== undefined && 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    if (details?.claim !== undefined) this.claim = details.claim
  }

  override get name(): string {
    return 'JwtError'
  }
}
