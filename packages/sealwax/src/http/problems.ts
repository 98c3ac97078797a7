import { GuardError } from '@sealwax/guard'
import type { Context as HonoContext } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Logger } from '../core/logger.ts'
import { AuthError, type AuthErrorCode } from '../errors.ts'
import type { HttpEnv } from './env.ts'

/**
 * Converts an error to a response: a problem document (RFC 9457) with a stable `code`. Unexpected
 * errors become `internal_error`; their details are only logged.
 */
export function problemResponse(error: unknown, c: HonoContext<HttpEnv>, log: Logger): Response {
  const known = foreseen(error)
  record(error, known, c, log)
  return reply(c, known, 'application/problem+json', known.body)
}

/** The same as an OAuth error (RFC 6749 §5.2). `reason` adds details to an `invalid_grant`. */
export function oauthErrorResponse(error: unknown, c: HonoContext<HttpEnv>, log: Logger): Response {
  const known = foreseen(error)
  record(error, known, c, log)
  const { code, status, body } = known
  const { detail, reason } = body
  const headers = { ...known.headers, ...(status === 401 && { 'WWW-Authenticate': BASIC }) }
  const description = detail.replaceAll('"', "'").replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')
  return reply(c, { status, headers }, 'application/json', {
    error: code,
    error_description: description,
    ...(reason && { reason }),
  })
}

/**
 * Every 401 has a challenge (RFC 9110 §15.5.2). Bearer for users: browsers show a dialog for Basic.
 */
const BASIC = 'Basic realm="sealwax", charset="UTF-8"'
const BEARER = 'Bearer realm="api"'

function reply(
  c: HonoContext<HttpEnv>,
  { status, headers }: Pick<Foreseen, 'status' | 'headers'>,
  type: string,
  body: object,
): Response {
  const text = JSON.stringify({ ...body, request_id: c.get('requestId') })
  return new Response(text, { status, headers: { ...headers, 'Content-Type': type, 'Cache-Control': 'no-store' } })
}

function record(error: unknown, known: Foreseen, c: HonoContext<HttpEnv>, log: Logger): void {
  const requestId = c.get('requestId')
  if (known.status >= 500) {
    const fields = { code: known.code, request_id: requestId }
    // Overload is not a fault of the server, and clients can cause it at will.
    if (error instanceof AuthError && known.status === 503 && error.cause === undefined) log.warn(fields, known.title)
    else log.error({ err: error, ...fields }, known.title)
  }
  c.set('code', known.code)
}

interface Foreseen {
  readonly code: string
  readonly status: number
  readonly title: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: { readonly detail: string; readonly reason?: string }
}

/** Errors that Hono itself throws, by status. */
const OF_HONO: Readonly<Record<number, [code: AuthErrorCode, detail: string]>> = {
  400: ['malformed_json', 'The request body is not JSON'],
  415: ['unsupported_media_type', 'The media type of the request body is not supported'],
}

function foreseen(error: unknown): Foreseen {
  if (error instanceof GuardError) {
    return { code: error.code, status: error.status, title: error.title, headers: error.headers, body: error.problem() }
  }
  if (error instanceof AuthError) return ofAuthError(error)
  const ofHono = error instanceof HTTPException ? OF_HONO[error.status] : undefined
  if (ofHono !== undefined) return ofAuthError(new AuthError(...ofHono))
  return ofAuthError(new AuthError('internal_error', 'An internal error occurred'))
}

function ofAuthError(error: AuthError): Foreseen {
  const { code, status, title, detail, reason, errors, retryAfter } = error
  const body = {
    type: `urn:sealwax:error:${code}`,
    title,
    status,
    detail: code === 'config_invalid' ? 'An internal error occurred' : detail,
    code,
    error: title,
    ...(reason && { reason }),
    ...(errors && { errors }),
  }
  const headers = {
    ...(status === 401 && { 'WWW-Authenticate': BEARER }),
    ...error.headers,
    ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
  }
  return { code, status, title, headers, body }
}
