import type { MiddlewareHandler } from 'hono'
import type { Context } from '../core/context.ts'
import type { HttpEnv } from './env.ts'
import type { ReadOrigin } from './request-origin.ts'

/**
 * Logs one line per request, without query, headers and body, so without secrets. The request id is
 * always generated here, so that a client cannot reuse one; the client's own id is logged too.
 */
export function requestLog(
  { log, randomBytes }: Context,
  requestOrigin: ReadOrigin,
  isOurs: (path: string) => boolean,
): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const given = c.req.header('X-Request-Id')
    const requestId = randomBytes(9).toString('base64url')
    c.set('requestId', requestId)
    const started = performance.now()
    await next()
    // Sets the headers on the response itself: Hono's `c.header` would copy its body.
    const { headers } = c.res
    headers.set('X-Request-Id', requestId)
    headers.set('X-Content-Type-Options', 'nosniff')
    // RFC 6749 §5.1 requires it for tokens; replies about users and sessions are just as private.
    if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store')
    const { method, path } = c.req
    const ms = Math.round((performance.now() - started) * 10) / 10
    const code = c.get('code')
    const shown = isOurs(path) ? path : shortened(path)
    const fields = { method, path: shown, status: c.res.status, ms, request_id: requestId, ip: requestOrigin(c).ip }
    const caller = given !== undefined && /^[\w.-]{1,64}$/.test(given) && { caller_request_id: given }
    log.info({ ...fields, ...caller, ...(code !== undefined && { code }) }, 'request')
  }
}

/**
 * An unknown path may contain a token, such as `/reset/TOKEN`: omits its last and all long
 * segments.
 */
function shortened(path: string): string {
  const kept = path.slice(0, 128).replace(/[^/]+\/*$/, '…')
  return kept.replace(/[^/]{25,}/g, '…')
}
