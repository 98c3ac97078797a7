/**
 * The codes on the wire, with their rows. A feature adds its own: it extends this interface by the
 * type of what `defineErrors` returned.
 */
export interface ErrorCodes extends Readonly<typeof commonErrors> {}

/** A code of `AuthError`: stable, and what clients switch on. */
export type AuthErrorCode = keyof ErrorCodes

/**
 * The HTTP status of a code, and its title, which is public and stable. Clients switch on the code.
 */
export type ErrorRow = readonly [status: number, title: string]

const TABLE: Record<string, ErrorRow> = {}

/**
 * Adds codes.
 *
 * @returns the rows, for the declaration of the feature
 */
export function defineErrors<Code extends string>(rows: Record<Code, ErrorRow>): Record<Code, ErrorRow> {
  Object.assign(TABLE, rows)
  return rows
}

const commonErrors = defineErrors({
  invalid_request: [400, 'Invalid request'],
  malformed_json: [400, 'Malformed JSON'],
  insufficient_scope: [403, 'Insufficient scope'],
  csrf_failed: [403, 'Cross-site request refused'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'Method not allowed'],
  payload_too_large: [413, 'Payload too large'],
  unsupported_media_type: [415, 'Unsupported media type'],
  validation_failed: [422, 'Validation failed'],
  internal_error: [500, 'Internal error'],
  config_invalid: [500, 'Invalid configuration'],
  schema_outdated: [500, 'Database schema is outdated'],
  schema_newer: [500, 'Database schema is newer'],
  temporarily_unavailable: [503, 'Temporarily unavailable'],
  keys_unavailable: [503, 'Keys are unavailable'],
})

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
 * What the engine and the API throw. The public half is `code`, `status`, `title`, `detail` and
 * `reason`; `cause` is the private half, for the log alone. No message holds a token, a password, a
 * secret or a hash.
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
    const [status, title] = AUTH_ERRORS[code]
    this.status = status
    this.title = title
    this.detail = detail
    this.reason = options.reason
    this.errors = options.errors
    this.retryAfter = options.retryAfter
    this.headers = options.headers
  }
}

/** All codes with their status and title, for documents and tests. */
export const AUTH_ERRORS = TABLE as Readonly<Record<AuthErrorCode, ErrorRow>>

/** Text that one store cannot keep, and the other would. */
export function nulRefused(cause?: unknown): AuthError {
  return new AuthError('validation_failed', 'Text must not contain the character U+0000', { cause })
}

/** The store cannot answer now; nothing was decided, and the same request may come again. */
export function storeUnavailable(reason: string, cause?: unknown): AuthError {
  return new AuthError('temporarily_unavailable', reason, { retryAfter: 1, cause })
}
