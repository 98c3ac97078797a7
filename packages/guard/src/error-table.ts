/** The HTTP status code of a refusal. */
export type GuardErrorStatus = 400 | 401 | 403 | 503

/** Why a request was refused. Stable; sent to the client as `code`. */
export type GuardErrorCode =
  | 'token_missing'
  | 'invalid_request'
  | 'token_malformed'
  | 'token_signature_invalid'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'token_issuer_invalid'
  | 'token_audience_invalid'
  | 'token_type_invalid'
  | 'token_algorithm_not_allowed'
  | 'token_key_unknown'
  | 'token_claim_missing'
  | 'token_claim_invalid'
  | 'token_proof_required'
  | 'token_binding_invalid'
  | 'dpop_proof_invalid'
  | 'dpop_nonce_required'
  | 'token_revoked'
  | 'token_stale'
  | 'reauthentication_required'
  | 'insufficient_scope'
  | 'insufficient_role'
  | 'check_failed'
  | 'csrf_failed'
  | 'revocation_unavailable'
  | 'keys_unavailable'
  | 'proofs_unavailable'

/** What all refusals with one code have in common. */
export interface ErrorRow {
  readonly status: GuardErrorStatus
  readonly title: string
  readonly detail: string
  /**
   * The `error` attribute of the challenge; `null`: a bare challenge; absent: no challenge at all.
   */
  readonly error?: string | null
  /** Seconds after which the client may try again. */
  readonly retryAfter?: number
  /** Whether only the challenge for DPoP is of use. */
  readonly proof?: true
}

/** A bad token: 401 `invalid_token` (RFC 6750 §3.1). */
function badToken(detail: string, title = 'Invalid token'): ErrorRow {
  return { status: 401, title, detail, error: 'invalid_token' }
}

/** A row for each code. */
export const ERROR_TABLE: Readonly<Record<GuardErrorCode, ErrorRow>> = {
  token_missing: {
    status: 401,
    title: 'Missing bearer token',
    detail: 'Send an access token in the Authorization header: "Bearer", one space, the token.',
    error: null, // RFC 6750 §3.1: no error attribute when the request carried no authentication information
  },
  invalid_request: {
    status: 400,
    title: 'Invalid request',
    detail: 'The Authorization header is not "Bearer", one space and a token.',
    error: 'invalid_request',
  },
  token_malformed: badToken('The access token is not a well-formed signed JWT.'),
  token_signature_invalid: badToken('The signature of the access token does not match its content.'),
  token_expired: badToken('The access token has expired.', 'Token has expired'),
  token_not_yet_valid: badToken('The access token is not valid yet.'),
  token_issuer_invalid: badToken('The access token was issued by another issuer.'),
  token_audience_invalid: badToken('The access token was issued for another audience.'),
  token_type_invalid: badToken('The token is not of the type that is accepted here.'),
  token_algorithm_not_allowed: badToken('The access token is signed with an algorithm that is not accepted.'),
  token_key_unknown: badToken('The access token is signed with a key that is not known here.'),
  token_claim_missing: badToken('The access token lacks a required claim.'),
  token_claim_invalid: badToken('A claim of the access token is not acceptable.'),
  token_proof_required: badToken('The access token is bound to a key and cannot be used as a plain bearer token.'),
  token_binding_invalid: {
    ...badToken('The access token is not bound to the key of the proof.', 'Invalid key binding'),
    proof: true,
  },
  dpop_proof_invalid: {
    status: 401,
    title: 'Invalid DPoP proof',
    detail: 'The proof in the DPoP header is not acceptable.',
    error: 'invalid_dpop_proof', // RFC 9449 §12.2
    proof: true,
  },
  dpop_nonce_required: {
    status: 401,
    title: 'DPoP nonce required',
    detail: 'The proof must have the nonce in the header DPoP-Nonce.',
    error: 'use_dpop_nonce', // RFC 9449 §9
    proof: true,
  },
  token_revoked: badToken('The session of the access token has ended. Log in again.', 'Token has been revoked'),
  token_stale: badToken('The access token is out of date. Refresh it and try again.', 'Token is out of date'),
  reauthentication_required: {
    status: 401,
    title: 'Reauthentication required',
    detail: 'The last authentication is too long ago. Authenticate again.',
    error: 'insufficient_user_authentication', // RFC 9470 §3
  },
  insufficient_scope: {
    status: 403,
    title: 'Insufficient scope',
    detail: 'The access token does not carry the required scope.',
    error: 'insufficient_scope',
  },
  insufficient_role: {
    status: 403,
    title: 'Insufficient role',
    detail: 'The access token does not carry any of the required roles.',
    error: 'insufficient_scope', // RFC 6750 §3.1: "requires higher privileges than provided by the access token"
  },
  // No challenge: no other token of the same user would be accepted.
  check_failed: { status: 403, title: 'Access denied', detail: 'Access to this resource is denied.' },
  // No challenge: the problem is the page that sent the credentials, not the credentials.
  csrf_failed: {
    status: 403,
    title: 'Cross-site request refused',
    detail: 'The request was not sent by a page of this API or of an allowed origin.',
  },
  revocation_unavailable: {
    status: 503,
    title: 'Revocations unavailable',
    detail: 'Whether the access token was revoked cannot be told at the moment. Try again.',
    retryAfter: 5,
  },
  keys_unavailable: {
    status: 503,
    title: 'Keys unavailable',
    detail: 'The keys that verify access tokens are not available at the moment. Try again.',
    retryAfter: 5,
  },
  proofs_unavailable: {
    status: 503,
    title: 'Used proofs unavailable',
    detail: 'Whether the proof was used before cannot be told at the moment. Try again with a new one.',
    retryAfter: 5,
  },
}
