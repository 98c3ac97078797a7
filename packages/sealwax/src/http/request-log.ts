import type { MiddlewareHandler } from 'hono'
import type { Context } from '../engine/context.ts'
import type { ReadClient } from './client.ts'
import type { HttpEnv } from './env.ts'

/**
 * One line per request: no query, no header, no body, so no secret. The id of a request is always ours, so that nobody can make two requests look like
 * one; the caller's own is logged beside it.
 */
export function requestLog(
  { log, randomBytes }: Context,
  clientOf: ReadClient,
  isOurs: (path: string) => boolean,
): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const given = c.req.header('X-Request-Id')
    const requestId = randomBytes(9).toString('base64url')
    c.set('requestId', requestId)
    const started = performance.now()
    await next()
    // On the reply as it is: Hono's own way would make another one and move the body over.
    const { headers } = c.res
    headers.set('X-Request-Id', requestId)
    headers.set('X-Content-Type-Options', 'nosniff')
    // RFC 6749 §5.1 asks it of replies with tokens; who somebody is and which sessions there are is no less private.
    if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store')
    const { method, path } = c.req
    const ms = Math.round((performance.now() - started) * 10) / 10
    const code = c.get('code')
    const shown = isOurs(path) ? path : shortened(path)
    const fields = { method, path: shown, status: c.res.status, ms, request_id: requestId, ip: clientOf(c).ip }
    const caller = given !== undefined && /^[\w.-]{1,64}$/.test(given) && { caller_request_id: given }
    log.info({ ...fields, ...caller, ...(code !== undefined && { code }) }, 'request')
  }
}

/** A path of somebody else may hold a token, as in `/reset/TOKEN`: its last segment is left out, and so is every long one. */
function shortened(path: string): string {
  const kept = path.slice(0, 128).replace(/[^/]+\/*$/, '…')
  return kept.replace(/[^/]{25,}/g, '…')
}
