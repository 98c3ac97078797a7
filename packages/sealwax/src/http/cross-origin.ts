import type { Context as HonoContext, MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import type { Context } from '../engine/context.ts'
import type { HttpEnv } from './env.ts'
import { originOf } from './origins.ts'

/** Beside what our routes read, what tracing and HTTP libraries add to every request by themselves. */
const ALLOWED_HEADERS = [
  ...['Authorization', 'Content-Type', 'Prefer', 'If-None-Match', 'X-Requested-With', 'X-Request-Id'],
  ...['traceparent', 'tracestate', 'baggage', 'sentry-trace'],
]

/** CORS by the exact list. What is public anyway is open to all, without credentials. */
export function crossOrigin({ config, log }: Context): MiddlewareHandler<HttpEnv> {
  const preflight = cors({ origin: '*', allowMethods: ['GET'] })
  const open: MiddlewareHandler<HttpEnv> = async (c, next) => {
    if (c.req.method === 'OPTIONS') return preflight(c, next)
    await next()
    // On the reply as it is: the library's way would copy its body.
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
    exposeHeaders: ['WWW-Authenticate', 'Retry-After', 'X-Request-Id'],
    credentials: true,
    maxAge: 600,
  })
  const wellKnown = `${config.basePath}/.well-known/`
  const document = `${config.basePath}/openapi.json`
  return (c, next) => {
    if (c.req.path.startsWith(wellKnown) || c.req.path === document) return open(c, next)
    // Without an Origin there is nobody to answer.
    return c.req.header('Origin') === undefined ? next() : listed(c, next)
  }
}

/** The setting is named only where it would help. */
const UNLISTED = 'origin is not in allowedOrigins (SEALWAX_ALLOWED_ORIGINS)'
const NOT_LISTABLE = 'origin cannot be allowed: it is not one that a page, an app or a browser extension has of its own'

/** A browser also sends `Origin` with a POST of our own pages; it needs no permission. */
function isSameOrigin(c: HonoContext, origin: string): boolean {
  if (c.req.header('Sec-Fetch-Site') === 'same-origin') return true
  const host = c.req.header('Host')
  return host !== undefined && (origin === `https://${host}` || origin === `http://${host}`)
}
