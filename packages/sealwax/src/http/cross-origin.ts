import type { Context as HonoContext, MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import type { Context } from '../core/context.ts'
import { originOf } from '../core/origins.ts'
import type { HttpEnv } from './env.ts'

/** The headers that routes read, and those that tracing and HTTP libraries add to every request. */
const ALLOWED_HEADERS = [
  ...['Authorization', 'DPoP', 'Content-Type', 'Prefer', 'If-None-Match', 'X-Requested-With', 'X-Request-Id'],
  ...['traceparent', 'tracestate', 'baggage', 'sentry-trace'],
]

/** CORS for the listed origins. Public routes are open to all origins, without credentials. */
export function crossOrigin({ config, log }: Context): MiddlewareHandler<HttpEnv> {
  const preflight = cors({ origin: '*', allowMethods: ['GET'] })
  const open: MiddlewareHandler<HttpEnv> = async (c, next) => {
    if (c.req.method === 'OPTIONS') return preflight(c, next)
    await next()
    // Sets the headers on the response itself: Hono's `c.header` would copy its body.
    c.res.headers.set('Access-Control-Allow-Origin', '*')
    return undefined
  }
  const own = new URL(config.issuer).origin
  const listed = cors({
    origin: (origin, c) => {
      if (config.allowedOrigins.includes(origin)) return origin
      if (origin !== '' && origin !== own && !isSameOrigin(c, origin)) {
        log.info({ origin: origin.slice(0, 256) }, originOf(origin) === origin ? UNLISTED : NOT_LISTABLE)
      }
      return null
    },
    allowMethods: ['GET', 'POST', 'PATCH', 'DELETE'],
    allowHeaders: ALLOWED_HEADERS,
    exposeHeaders: ['WWW-Authenticate', 'DPoP-Nonce', 'Retry-After', 'X-Request-Id'],
    credentials: true,
    maxAge: 600,
  })
  const wellKnown = `${config.basePath}/.well-known/`
  const document = `${config.basePath}/openapi.json`
  return (c, next) => {
    if (c.req.path.startsWith(wellKnown) || c.req.path === document) return open(c, next)
    // Not a CORS request.
    return c.req.header('Origin') === undefined ? next() : listed(c, next)
  }
}

/** Names the setting only if the origin can be listed. */
const UNLISTED = 'origin is not in allowedOrigins (SEALWAX_ALLOWED_ORIGINS)'
const NOT_LISTABLE = 'origin cannot be allowed: it is not the origin of a page, an app or a browser extension'

/** Browsers also send `Origin` with a same-origin POST, which does not need permission. */
function isSameOrigin(c: HonoContext, origin: string): boolean {
  if (c.req.header('Sec-Fetch-Site') === 'same-origin') return true
  const host = c.req.header('Host')
  return host !== undefined && (origin === `https://${host}` || origin === `http://${host}`)
}
