/**
 * Why a call or a token was refused. Codes are stable; messages may change.
 *
 * - `ERR_JWT_OPTION`: wrong options: an unknown name, `undefined`, an empty list, a bad duration.
 * - `ERR_JWT_KEY`: a key was refused at import, or cannot be used for this call.
 * - `ERR_JWT_KEY_SET`: a set of keys was refused as a whole.
 * - `ERR_JWT_MALFORMED`: not a compact JWS of a JSON object: type, length, dots, base64url, UTF-8,
 *   JSON.
 * - `ERR_JWT_HEADER`: a header parameter is never accepted (`crit`, `b64`, `zip`, `enc`, `cty`) or
 *   has the wrong type.
 * - `ERR_JWT_ALGORITHM`: `alg` is missing, unknown, not allowed, or not the algorithm of the key.
 * - `ERR_JWT_KEY_UNKNOWN`: no trusted key has the token's `kid`; or the token has no `kid` and
 *   there are several keys.
 * - `ERR_JWT_SIGNATURE`: the signature does not match the token and the key.
 * - `ERR_JWT_TYPE`: `typ` is not the expected type.
 * - `ERR_JWT_EXPIRED`: `exp` has passed; every other check of the token passed.
 * - `ERR_JWT_NOT_YET_VALID`: `nbf` is in the future, or `iat` more than 60 seconds in the future.
 * - `ERR_JWT_ISSUER`, `ERR_JWT_AUDIENCE`: issued by another issuer, or for another audience.
 * - `ERR_JWT_CLAIM_MISSING`: a required claim is absent; `claim` names it.
 * - `ERR_JWT_CLAIM`: a claim has the wrong type or value; `claim` names it.
 * - `ERR_JWT_PROOF_REQUIRED`: the token is bound to a key (`cnf`) and no proof of possession was
 *   checked.
 * - `ERR_JWT_KEYS_UNAVAILABLE`: no keys were ever received from their URL, or the key set is
 *   closed. The token was not checked.
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

/** Optional details of a {@link JwtError}. */
export interface JwtErrorDetails {
  /** The claim at fault. */
  claim?: string
  /** The underlying error. */
  cause?: unknown
}

/**
 * The error this package throws. Its message never contains a token, a key, a secret or any part of
 * a token, so it is safe to log.
 */
export class JwtError extends Error {
  /** Why the call or the token was refused. */
  readonly code: JwtErrorCode
  /** The claim at fault, if there is one. */
  declare readonly claim?: string

  /**
   * @param code Why the call or the token was refused.
   * @param message A sentence for developers.
   * @param details The claim at fault and the underlying error.
   */
  constructor(code: JwtErrorCode, message: string, details?: JwtErrorDetails) {
    super(message, details !== undefined && 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    if (details?.claim !== undefined) this.claim = details.claim
  }

  /** `JwtError`. */
  override get name(): string {
    return 'JwtError'
  }
}
