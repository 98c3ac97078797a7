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

/** An error of the client or of the server. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  /** A stable code: a {@link ClientCode}, or one of the server (docs/errors.md). */
  readonly code: string
  /** The status of the reply; 0 if there was none. */
  readonly status: number
  /** More precise than the code, such as `replayed` for `invalid_grant`. */
  readonly reason: string | undefined
  /** Seconds after which a new attempt makes sense, if the server said so. */
  readonly retryAfter: number | undefined
  /** The members of the body that were wrong, for `validation_failed`. */
  readonly errors: readonly { readonly path: string; readonly message: string }[]

  constructor(
    code: string,
    message: string,
    { status = 0, reason, retryAfter, errors = [], cause }: ErrorDetails = {},
  ) {
    super(message, { cause })
    this.code = code
    this.status = status
    this.reason = reason
    this.retryAfter = retryAfter
    this.errors = errors
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
  const problem = await reply.json().catch(() => undefined)
  if (typeof problem?.code !== 'string') return unreadable(status)
  const seconds = Number(reply.headers.get('Retry-After') ?? Number.NaN)
  return new ClientError(problem.code, problem.detail ?? problem.title ?? problem.code, {
    status,
    reason: problem.reason,
    errors: problem.errors ?? [],
    retryAfter: Number.isFinite(seconds) ? seconds : undefined,
  })
}

export function unreadable(status: number, cause?: unknown): ClientError {
  return new ClientError('unreadable_reply', `The reply with status ${status} is not from the auth server`, {
    status,
    cause,
  })
}
