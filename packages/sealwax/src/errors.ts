/** Every code on the wire, its HTTP status and its title. The title is public and stable; clients switch on the code. */
const TABLE = {
  invalid_request: [400, 'Invalid request'],
  malformed_json: [400, 'Malformed JSON'],
  invalid_grant: [400, 'Invalid refresh token'],
  unauthorized_client: [400, 'Client may not do this'],
  unsupported_grant_type: [400, 'Unsupported grant type'],
  invalid_scope: [400, 'Invalid scope'],
  invalid_client: [401, 'Client authentication failed'],
  invalid_credentials: [401, 'Invalid credentials'],
  user_disabled: [403, 'User is disabled'],
  insufficient_scope: [403, 'Insufficient scope'],
  registration_disabled: [403, 'Registration is disabled'],
  csrf_failed: [403, 'Cross-site request refused'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'Method not allowed'],
  email_taken: [409, 'E-mail address is taken'],
  id_taken: [409, 'User id is taken'],
  rotation_under_way: [409, 'Rotation is under way'],
  payload_too_large: [413, 'Payload too large'],
  unsupported_media_type: [415, 'Unsupported media type'],
  validation_failed: [422, 'Validation failed'],
  email_invalid: [422, 'Invalid e-mail address'],
  password_too_short: [422, 'Password is too short'],
  password_too_long: [422, 'Password is too long'],
  internal_error: [500, 'Internal error'],
  config_invalid: [500, 'Invalid configuration'],
  schema_outdated: [500, 'Database schema is outdated'],
  schema_newer: [500, 'Database schema is newer'],
  overloaded: [503, 'Too many log-ins at once'],
  temporarily_unavailable: [503, 'Temporarily unavailable'],
  keys_unavailable: [503, 'Keys are unavailable'],
} as const

export type AuthErrorCode = keyof typeof TABLE

export const REFUSAL_REASONS = ['replayed', 'expired', 'session_revoked', 'user_disabled', 'malformed'] as const

/** Why a refresh token was refused; goes with `invalid_grant`. */
export type RefusalReason = (typeof REFUSAL_REASONS)[number]

/** One part of a request body that is not as it should be. `path` is a JSON pointer. */
export interface FieldError {
  readonly path: string
  readonly code: string
  readonly message: string
}

export interface AuthErrorOptions {
  readonly reason?: RefusalReason
  readonly errors?: readonly FieldError[]
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number
  /** Response headers that belong to this refusal. */
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/**
 * What the engine and the API throw. The public half is `code`, `status`, `title`, `detail` and `reason`;
 * `cause` is the private half, for the log alone. No message holds a token, a password, a secret or a hash.
 */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  readonly code: AuthErrorCode
  readonly status: number
  readonly title: string
  /** One public sentence about this very refusal; the message repeats it. */
  readonly detail: string
  readonly reason: RefusalReason | undefined
  readonly errors: readonly FieldError[] | undefined
  readonly retryAfter: number | undefined
  readonly headers: Readonly<Record<string, string>> | undefined

  constructor(code: AuthErrorCode, detail: string, options: AuthErrorOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = TABLE[code][0]
    this.title = TABLE[code][1]
    this.detail = detail
    this.reason = options.reason
    this.errors = options.errors
    this.retryAfter = options.retryAfter
    this.headers = options.headers
  }
}

/** All codes with their status and title, for documents and tests. */
export const AUTH_ERRORS: Readonly<Record<AuthErrorCode, readonly [status: number, title: string]>> = TABLE

/** Text that one store cannot keep, and the other would. */
export function nulRefused(cause?: unknown): AuthError {
  return new AuthError('validation_failed', 'Text must not contain the character U+0000', { cause })
}

/** The store cannot answer now; nothing was decided, and the same request may come again. */
export function storeUnavailable(reason: string, cause?: unknown): AuthError {
  return new AuthError('temporarily_unavailable', reason, { retryAfter: 1, cause })
}
