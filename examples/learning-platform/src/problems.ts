import type { ErrorRequestHandler, RequestHandler } from 'express'

/**
 * An error response of one of the application's own routes, in the same format as those of Sealwax
 * (RFC 9457).
 */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, detail: string) {
    super(detail)
    this.status = status
    this.code = code
  }
}

const TITLES: Readonly<Record<string, string>> = {
  invalid_request: 'Invalid request',
  malformed_json: 'Malformed JSON',
  not_found: 'Not found',
  payload_too_large: 'Payload too large',
  unsupported_media_type: 'Unsupported media type',
  validation_failed: 'Validation failed',
  internal_error: 'Internal error',
}

export const answerUnknown: RequestHandler = (_req, _res, next) => {
  next(new Problem(404, 'not_found', 'There is nothing at this path'))
}

/**
 * Handles everything that is thrown. Unexpected errors are logged, and the client only gets a
 * generic 500.
 */
export const answerError: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) return next(error)
  const problem = problemOf(error)
  const { status, code, message: detail } = problem
  if (status >= 500) console.error(error)
  const title = TITLES[code] ?? code
  res.status(status).type('application/problem+json')
  res.send(JSON.stringify({ type: `urn:learning-platform:error:${code}`, title, status, detail, code, error: title }))
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  // Errors of Express and its body parser about a request have a 4xx status. Their message may
  // repeat the body.
  const { status, type } = (error ?? {}) as { status?: unknown; type?: unknown }
  if (type === 'entity.parse.failed') return new Problem(400, 'malformed_json', 'The request body is not JSON')
  if (status === 413) return new Problem(413, 'payload_too_large', 'The request body is larger than 16 kB')
  if (status === 415)
    return new Problem(415, 'unsupported_media_type', 'The encoding of the request body is not supported')
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new Problem(status, 'invalid_request', 'The request cannot be read')
  }
  return new Problem(500, 'internal_error', 'Something went wrong on our side')
}
