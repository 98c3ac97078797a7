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
  | 'token_revoked'
  | 'token_stale'
  | 'reauthentication_required'
  | 'insufficient_scope'
  | 'insufficient_role'
  | 'check_failed'
  | 'csrf_failed'
  | 'revocation_unavailable'
  | 'keys_unavailable'

/** The body of a refusal: problem details (RFC 9457) with a stable `code`. */
export interface Problem {
  /** Identifies the kind of problem. */
  readonly type: `urn:sealwax:error:${GuardErrorCode}`
  /** A few words, the same for every refusal with this code. */
  readonly title: string
  /** The HTTP status code. */
  readonly status: GuardErrorStatus
  /** One sentence about this refusal. */
  readonly detail: string
  /** The stable code. */
  readonly code: GuardErrorCode
  /** Same as `title`. */
  readonly error: string
}

/** Details of one refusal in addition to its code. */
export interface GuardErrorOptions {
  /** One sentence for the client. Never a token or a key. Default: the sentence of the code. */
  readonly detail?: string | undefined
  /** The protection space in the challenge (RFC 9110 §11.5). Default `'api'`. */
  readonly realm?: string | undefined
  /** The scheme of the challenge. Default `'Bearer'`. */
  readonly scheme?: string | undefined
  /** URL of the metadata of the API, for the challenge (RFC 9728 §5.1). */
  readonly resourceMetadata?: string | undefined
  /**
   * The scopes that the route requires, for the challenge of `insufficient_scope` (RFC 6750 §3).
   */
  readonly scopes?: readonly string[] | undefined
  /**
   * Greatest age of the authentication in seconds, for the challenge of `reauthentication_required`
   * (RFC 9470 §3).
   */
  readonly maxAge?: number | undefined
  /** The error that caused this one. Never sent to the client. */
  readonly cause?: unknown
  /** Key id of the refused token, for the log. Not trustworthy unless the signature is valid. */
  readonly kid?: string | undefined
  /** Session id of the refused token, for the log. Only given if the signature is valid. */
  readonly sessionId?: string | undefined
  /** What is accepted, if the refusal is about issuer, audience, type or algorithm. For the log. */
  readonly expected?: string | readonly string[] | undefined
  /** What the token has instead. For the log. */
  readonly received?: string | readonly string[] | undefined
}

interface Row {
  readonly status: GuardErrorStatus
  readonly title: string
  readonly detail: string
  /**
   * The `error` attribute of the challenge; `null`: a bare challenge; absent: no challenge at all.
   */
  readonly error?: string | null
  /** Seconds after which the client may try again. */
  readonly retryAfter?: number
}

/** A bad token: 401 `invalid_token` (RFC 6750 §3.1). */
function badToken(detail: string, title = 'Invalid token'): Row {
  return { status: 401, title, detail, error: 'invalid_token' }
}

const TABLE: Readonly<Record<GuardErrorCode, Row>> = {
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
}

/** All codes with their status and title, for documentation and tests. */
export const GUARD_ERRORS: Readonly<Record<GuardErrorCode, readonly [status: GuardErrorStatus, title: string]>> =
  Object.fromEntries(Object.entries(TABLE).map(([code, { status, title }]) => [code, [status, title]])) as never

/**
 * A refused request: what to respond with (RFC 6750 §3, RFC 9457) and what to log. Switch on
 * `code`.
 *
 * `message` is `detail`. No member contains the token. `stack` has no frames: a refusal is not a
 * bug.
 */
export class GuardError extends Error {
  override readonly name = 'GuardError'
  /** The reason, as a stable code. */
  readonly code: GuardErrorCode
  /** The HTTP status code of the response. */
  readonly status: GuardErrorStatus
  /** A few words, the same for every refusal with this code. */
  readonly title: string
  /** One sentence about this refusal, for the client. */
  readonly detail: string
  /**
   * Header fields of the response: `Cache-Control`, and `WWW-Authenticate` or `Retry-After` for
   * codes that have one.
   */
  readonly headers: Readonly<Record<string, string>>
  /** Key id of the refused token, for the log. Not trustworthy unless the signature is valid. */
  declare readonly kid?: string
  /** Session id of the refused token, for the log. Only present if the signature is valid. */
  declare readonly sessionId?: string
  /** What is accepted, if the refusal is about issuer, audience, type or algorithm. For the log. */
  declare readonly expected?: string | readonly string[]
  /**
   * What the token has instead, for the log; absent if it has nothing. Not trustworthy if the key
   * or algorithm was refused, since the signature was not checked.
   */
  declare readonly received?: string | readonly string[]

  /**
   * @param code decides status, title and challenge
   * @param options see {@link GuardErrorOptions}
   */
  constructor(code: GuardErrorCode, options: GuardErrorOptions = {}) {
    const row = TABLE[code]
    const detail = options.detail ?? row.detail
    // Creating a stack trace takes longer than the rest of a refusal and does not explain it, so
    // invalid tokens would be expensive. `cause` has its own stack. Reflect.set, because an
    // assignment throws with frozen intrinsics.
    const limit = Error.stackTraceLimit
    Reflect.set(Error, 'stackTraceLimit', 0)
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    Reflect.set(Error, 'stackTraceLimit', limit)
    this.code = code
    this.status = row.status
    this.title = row.title
    this.detail = detail
    this.headers = Object.freeze(headersOf(row, options))
    if (options.kid !== undefined) this.kid = options.kid
    if (options.sessionId !== undefined) this.sessionId = options.sessionId
    if (options.expected !== undefined) this.expected = options.expected
    if (options.received !== undefined) this.received = options.received
  }

  /**
   * Returns the body of the response; its media type is `application/problem+json`.
   * @returns problem details (RFC 9457)
   */
  problem(): Problem {
    const { code, status, title, detail } = this
    return { type: `urn:sealwax:error:${code}`, title, status, detail, code, error: title }
  }
}

/** A refusal as a complete HTTP response. */
export interface RefusalAnswer {
  /** The HTTP status code. */
  readonly status: GuardErrorStatus
  /** The header fields of the error, and the media type. */
  readonly headers: Readonly<Record<string, string>>
  /** The problem details as JSON. */
  readonly body: string
}

/** Returns the HTTP response for a refusal, as every adapter sends it. */
export function refusalAnswer(error: GuardError): RefusalAnswer {
  return {
    status: error.status,
    headers: { ...error.headers, 'Content-Type': 'application/problem+json' },
    body: JSON.stringify(error.problem()),
  }
}

function headersOf(row: Row, options: GuardErrorOptions): Record<string, string> {
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' }
  if (row.error !== undefined) headers['WWW-Authenticate'] = challenge(row, row.error, options)
  if (row.retryAfter !== undefined) headers['Retry-After'] = String(row.retryAfter)
  return headers
}

/**
 * The challenge of RFC 6750 §3. Its description is the title, so that no header field
 * repeats anything from the request.
 */
function challenge(row: Row, error: string | null, options: GuardErrorOptions): string {
  const { scheme = 'Bearer', realm = 'api', scopes, maxAge, resourceMetadata } = options
  const attributes: [name: string, value: string][] = [['realm', realm]]
  if (error !== null) attributes.push(['error', error], ['error_description', row.title])
  if (scopes !== undefined) attributes.push(['scope', scopes.join(' ')])
  if (maxAge !== undefined) attributes.push(['max_age', String(maxAge)])
  if (resourceMetadata !== undefined) attributes.push(['resource_metadata', resourceMetadata])
  return `${scheme} ${attributes.map(([name, value]) => `${name}="${quotedText(value)}"`).join(', ')}`
}

/**
 * The inside of a quoted-string (RFC 9110 §5.6.4): quotes and backslashes escaped, everything but
 * printable ASCII replaced.
 */
function quotedText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')
}
