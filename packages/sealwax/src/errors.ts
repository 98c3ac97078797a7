/**
 * The codes on the wire, with their rows. A feature adds its own: it extends this interface by the
 * type of what `defineErrors` returned.
 */
export interface ErrorCodes extends Readonly<typeof commonErrors> {}

/** A code of `AuthError`: stable, and what clients switch on. */
export type AuthErrorCode = keyof ErrorCodes

/** The HTTP status code and the title of a code. */
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

export const REFUSAL_REASONS = [
  'replayed',
  'expired',
  'session_revoked',
  'user_disabled',
  'malformed',
  'key_mismatch',
] as const

/** Why a refresh token was refused. */
export type RefusalReason = (typeof REFUSAL_REASONS)[number]

/** One part of a request body that is not valid. */
export interface FieldError {
  /** A JSON pointer (RFC 6901), such as `/email`. */
  readonly path: string
  /** The kind of error, such as `invalid_type`. */
  readonly code: string
  /** One sentence for the client. */
  readonly message: string
}

/** Details of one error in addition to its code. */
export interface AuthErrorOptions {
  /** Why a refresh token was refused. */
  readonly reason?: RefusalReason
  /** What is wrong with the request body. */
  readonly errors?: readonly FieldError[]
  /** Seconds after which the client may try again. */
  readonly retryAfter?: number
  /** Header fields of the response. */
  readonly headers?: Readonly<Record<string, string>>
  /** The error that caused this one. Only for the log. */
  readonly cause?: unknown
}

/**
 * What every function of an auth server throws, and what its HTTP API responds with. Switch on
 * `code`. No member contains a token, a password, a secret or a hash. `cause` is only for the log;
 * everything else is public.
 */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  /** The reason, as a stable code. */
  readonly code: AuthErrorCode
  /** The HTTP status code of the response. */
  readonly status: number
  /** A few words, the same for every error with this code. */
  readonly title: string
  /** One sentence about this error; same as `message`. */
  readonly detail: string
  /** Why a refresh token was refused. */
  readonly reason: RefusalReason | undefined
  /** What is wrong with the request body; only with `validation_failed`. */
  readonly errors: readonly FieldError[] | undefined
  /** Seconds after which the client may try again. */
  readonly retryAfter: number | undefined
  /** Header fields of the response, such as `Allow`. */
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

/** All codes with their status and title, for documentation and tests. */
export const AUTH_ERRORS = TABLE as Readonly<Record<AuthErrorCode, ErrorRow>>

/** The error for text with U+0000, which Postgres cannot store. */
export function nulRefused(cause?: unknown): AuthError {
  return new AuthError('validation_failed', 'Text must not contain the character U+0000', { cause })
}

/** The error for a store that is not available. The same request can be sent again. */
export function storeUnavailable(reason: string, cause?: unknown): AuthError {
  return new AuthError('temporarily_unavailable', reason, { retryAfter: 1, cause })
}
