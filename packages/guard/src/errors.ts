import { ERROR_TABLE, type ErrorRow, type GuardErrorCode, type GuardErrorStatus } from './error-table.ts'

export type { GuardErrorCode, GuardErrorStatus } from './error-table.ts'

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
  /**
   * The algorithms of proofs that are accepted, for challenges with the scheme DPoP (RFC 9449
   * §7.1).
   */
  readonly dpopAlgorithms?: readonly string[] | undefined
  /** A nonce for the next proof (RFC 9449 §9). */
  readonly dpopNonce?: string | undefined
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

/** All codes with their status and title, for documentation and tests. */
export const GUARD_ERRORS: Readonly<Record<GuardErrorCode, readonly [status: GuardErrorStatus, title: string]>> =
  Object.fromEntries(Object.entries(ERROR_TABLE).map(([code, { status, title }]) => [code, [status, title]])) as never

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
    const row = ERROR_TABLE[code]
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

/**
 * Whether an error is a refusal, also of another copy of this package: npm may install one for the
 * application and one for a package that creates the guard.
 */
export function isRefusal(error: unknown): error is GuardError {
  return error instanceof Error && error.name === 'GuardError'
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

function headersOf(row: ErrorRow, options: GuardErrorOptions): Record<string, string> {
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' }
  if (row.error !== undefined) headers['WWW-Authenticate'] = challenge(row, row.error, options)
  if (options.dpopNonce !== undefined) headers['DPoP-Nonce'] = options.dpopNonce
  if (row.retryAfter !== undefined) headers['Retry-After'] = String(row.retryAfter)
  return headers
}

/**
 * The challenge of RFC 6750 §3. Its description is the title, so that no header field
 * repeats anything from the request.
 */
function challenge(row: ErrorRow, error: string | null, options: GuardErrorOptions): string {
  const scheme = row.proof === true ? 'DPoP' : (options.scheme ?? 'Bearer')
  const { realm = 'api', scopes, maxAge, resourceMetadata, dpopAlgorithms } = options
  const attributes: [name: string, value: string][] = [['realm', realm]]
  if (error !== null) attributes.push(['error', error], ['error_description', row.title])
  if (scopes !== undefined) attributes.push(['scope', scopes.join(' ')])
  if (maxAge !== undefined) attributes.push(['max_age', String(maxAge)])
  if (resourceMetadata !== undefined) attributes.push(['resource_metadata', resourceMetadata])
  // RFC 9449 §7.1
  if (scheme === 'DPoP' && dpopAlgorithms !== undefined) attributes.push(['algs', dpopAlgorithms.join(' ')])
  return `${scheme} ${attributes.map(([name, value]) => `${name}="${quotedText(value)}"`).join(', ')}`
}

/**
 * The inside of a quoted-string (RFC 9110 §5.6.4): quotes and backslashes escaped, everything but
 * printable ASCII replaced.
 */
function quotedText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')
}
