/** Codes of errors that the client itself raises. All other codes come from the server. */
export type ClientCode =
  /** Nobody is logged in, so no request was sent. */
  | 'logged_out'
  /** The URL belongs neither to `baseUrl` nor to `apiOrigins`, so no request was sent. */
  | 'origin_not_allowed'
  /** The server could not be reached, or did not reply in time. */
  | 'unreachable'
  /** The reply is not one of a Sealwax server: perhaps of a proxy or a captive portal. */
  | 'unreadable_reply'
  /** The `storage` cannot be read any more, so it is not known whether somebody is logged in. */
  | 'storage_unavailable'

/** An error of the client or of the server. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  /** A stable code: a {@link ClientCode}, or one of the server (docs/errors.md). */
  readonly code: string
  /** The status of the reply; 0 if there was none. */
  declare readonly status: number
  /** More precise than the code, such as `replayed` for `invalid_grant`. */
  declare readonly reason: string | undefined
  /** Seconds after which a new attempt makes sense, if the server said so. */
  declare readonly retryAfter: number | undefined
  /** The members of the body that were wrong, for `validation_failed`. */
  declare readonly errors: readonly { readonly path: string; readonly code: string; readonly message: string }[]

  constructor(code: string, message: string, { cause, ...details }: ErrorDetails = {}) {
    super(message, { cause })
    this.code = code
    Object.assign(this, { status: 0, errors: [] }, details)
  }
}

interface ErrorDetails {
  readonly status?: number
  readonly reason?: string | undefined
  readonly retryAfter?: number | undefined
  readonly errors?: ClientError['errors']
  readonly cause?: unknown
}

/** Makes the error for a reply that is not a success. The body is a problem document (RFC 9457). */
export async function readError(reply: Response): Promise<ClientError> {
  const { status } = reply
  // A date would need a clock.
  const seconds = Number.parseInt(reply.headers.get('Retry-After') as string, 10)
  const retryAfter = seconds >= 0 ? seconds : undefined
  const problem = await reply.json().catch(() => undefined)
  if (typeof problem?.code !== 'string') return unreadable({ status, retryAfter })
  const { code, detail, title, reason, errors = [] } = problem
  return new ClientError(code, detail ?? title ?? code, { status, reason, errors, retryAfter })
}

/** Makes the error for a reply of something else. */
export function unreadable(details: ErrorDetails): ClientError {
  return new ClientError('unreadable_reply', 'The auth server did not send the reply', details)
}
