import { GuardError } from '@sealwax/guard'
import type { Context as HonoContext } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Logger } from '../engine/context.ts'
import { AuthError } from '../errors.ts'
import type { HttpEnv } from './env.ts'

/**
 * The one place where an error becomes a response: a problem document (RFC 9457) with a stable `code`.
 * Only the public half is sent; an error nobody foresaw is `internal_error`, and its story goes to the log.
 */
export function problemResponse(error: unknown, c: HonoContext<HttpEnv>, log: Logger): Response {
  const known = foreseen(error)
  const requestId = c.get('requestId')
  if (known.status >= 500) {
    const fields = { code: known.code, request_id: requestId }
    // Being asked for too much is no fault, and strangers can do it as often as they like.
    if (error instanceof AuthError && known.status === 503 && error.cause === undefined) log.warn(fields, known.title)
    else log.error({ err: error, ...fields }, known.title)
  }
  c.set('code', known.code)
  const headers = { ...known.headers, 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' }
  return new Response(JSON.stringify({ ...known.body, request_id: requestId }), { status: known.status, headers })
}

interface Foreseen {
  readonly code: string
  readonly status: number
  readonly title: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: object
}

function foreseen(error: unknown): Foreseen {
  if (error instanceof GuardError) {
    return { code: error.code, status: error.status, title: error.title, headers: error.headers, body: error.problem() }
  }
  if (error instanceof AuthError) return ofAuthError(error)
  if (error instanceof HTTPException && error.status === 400) {
    return ofAuthError(new AuthError('malformed_json', 'The request body is not JSON'))
  }
  return ofAuthError(new AuthError('internal_error', 'Something went wrong on our side'))
}

function ofAuthError(error: AuthError): Foreseen {
  const { code, status, title, detail, reason, errors, retryAfter } = error
  const body = {
    type: `urn:sealwax:error:${code}`,
    title,
    status,
    detail: code === 'config_invalid' ? 'Something went wrong on our side' : detail,
    code,
    error: title,
    ...(reason && { reason }),
    ...(errors && { errors }),
  }
  const headers = { ...error.headers, ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }) }
  return { code, status, title, headers, body }
}
