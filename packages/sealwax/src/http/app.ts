import { OpenAPIHono } from '@hono/zod-openapi'
import type { Guard } from '@sealwax/guard'
import type { Context as HonoContext, MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { getPath } from 'hono/utils/url'
import type { Context } from '../engine/context.ts'
import { AuthError } from '../errors.ts'
import { administrators } from './administrators.ts'
import { bodyReader } from './body.ts'
import { clientReader, type ReadClient } from './client.ts'
import { refreshCookie } from './cookies.ts'
import type { HttpEnv } from './env.ts'
import { oauthPaths } from './form.ts'
import { oauthErrorResponse, problemResponse } from './problems.ts'
import { adminClientRoutes } from './routes/admin-clients.ts'
import { adminKeyRoutes } from './routes/admin-keys.ts'
import { healthRoutes } from './routes/health.ts'
import { introspectRoutes } from './routes/introspect.ts'
import { loginRoutes } from './routes/login.ts'
import { logoutRoutes } from './routes/logout.ts'
import { meRoutes } from './routes/me.ts'
import { metadataRoutes } from './routes/metadata.ts'
import { openApiRoutes } from './routes/openapi.ts'
import { refreshRoutes } from './routes/refresh.ts'
import { revokeRoutes } from './routes/revoke.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { tokenRoutes } from './routes/token.ts'
import { wellKnownRoutes } from './routes/well-known.ts'
import { validationError } from './schemas.ts'
import { HASHING, turnstile } from './turnstile.ts'

export interface App {
  fetch(request: Request, platform: HttpEnv['Bindings']): Promise<Response>
  /** Whether a path is one of ours, whatever the method. */
  handles(path: string): boolean
}

/** The HTTP API over the engine: a function from Request to Response. */
export function createApp(context: Context, guard: Guard): App {
  const { config, log } = context
  const clientOf = clientReader(config.trustProxy)
  const root = new OpenAPIHono<HttpEnv>({
    defaultHook: (result) => {
      if (!result.success) throw validationError(result.error.issues)
    },
  })
  // Also what stands outside the base path is logged, and gets a request id.
  root.use('*', requestLog(context, clientOf))
  const enter = turnstile()
  const app = root.basePath(config.basePath)
  const cookie = refreshCookie(config)
  const isOAuth = oauthPaths(config)
  const refuse = (error: unknown, c: HonoContext<HttpEnv>) =>
    isOAuth(c.req.path) ? oauthErrorResponse(error, c, log) : problemResponse(error, c, log)
  app.onError(refuse)
  app.use('*', crossOrigin(context))
  app.use('/oauth/*', notCached)
  app.use(
    '*',
    bodyReader(isOAuth, (method, path) => methodsOf(path).includes(method)),
  )
  // After the body has come: else so many slow senders would keep everybody else out.
  for (const path of HASHING) app.use(path, admission(MOST_LOGINS))
  healthRoutes(app, context)
  loginRoutes(app, context, clientOf, cookie)
  refreshRoutes(app, context, clientOf, cookie)
  logoutRoutes(app, context, guard, clientOf, cookie)
  meRoutes(app, context, guard)
  sessionRoutes(app, context, guard, clientOf)
  const admins = administrators(context, guard, clientOf)
  adminKeyRoutes(app, context, admins)
  tokenRoutes(app, context, clientOf)
  revokeRoutes(app, context, guard, clientOf)
  introspectRoutes(app, context, guard, clientOf)
  adminClientRoutes(app, context, admins)
  wellKnownRoutes(app, context)
  metadataRoutes(root, context.config)
  openApiRoutes(app, root, config)
  const methodsOf = pathMatcher(app.routes)
  app.notFound((c) => refuse(missing(methodsOf(c.req.path), c.req.method), c))
  return {
    fetch: async (request, platform) => {
      const turn = enter(getPath(request))
      if (turn !== undefined) await turn
      return app.fetch(request, platform)
    },
    handles: (path) => methodsOf(path).length > 0,
  }
}

/** RFC 6749 §5.1 asks for this beside `Cache-Control`. */
const notCached: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next()
  // Hono's own way would build another reply.
  c.res.headers.set('Pragma', 'no-cache')
}

/** As many as can be hashing or queueing for it; whoever comes beyond that is told so before the database is asked. */
const MOST_LOGINS = 128

/** Lets so many requests in at once. */
function admission(most: number): MiddlewareHandler<HttpEnv> {
  let inside = 0
  return async (_c, next) => {
    if (inside >= most) {
      throw new AuthError('overloaded', 'Too many log-ins are under way; try again shortly', { retryAfter: 2 })
    }
    inside += 1
    try {
      await next()
    } finally {
      inside -= 1
    }
  }
}

function missing(methods: readonly string[], method: string): AuthError {
  if (methods.length === 0) return new AuthError('not_found', 'There is nothing at this path')
  const allow = methods.join(', ')
  return new AuthError('method_not_allowed', `${method.slice(0, 16)} is not possible here; ${allow} is`, {
    headers: { Allow: allow },
  })
}

/** From a path to the methods of the routes that stand there; none: the path is not ours. */
function pathMatcher(routes: readonly { path: string; method: string }[]): (path: string) => readonly string[] {
  const table = new Map<string, { pattern: RegExp; methods: string[] }>()
  for (const { path, method } of routes) {
    if (method === 'ALL') continue
    const source = path.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')
    const entry = table.get(path) ?? { pattern: new RegExp(`^${source}$`), methods: [] }
    if (!entry.methods.includes(method)) entry.methods.push(method)
    table.set(path, entry)
  }
  const withParameters = [...table].filter(([path]) => path.includes(':')).map(([, entry]) => entry)
  return (path) => (table.get(path) ?? withParameters.find(({ pattern }) => pattern.test(path)))?.methods ?? []
}

/** CORS by the exact list; the log line of a refusal names the setting. What is public anyway is open to all, without credentials. */
function crossOrigin({ config, log }: Context): MiddlewareHandler<HttpEnv> {
  const open = cors({ origin: '*', allowMethods: ['GET'] })
  const listed = cors({
    origin: (origin) => {
      if (config.allowedOrigins.includes(origin)) return origin
      if (origin !== '') log.info({ origin }, 'origin is not in allowedOrigins (SEALWAX_ALLOWED_ORIGINS)')
      return null
    },
    allowMethods: ['GET', 'POST', 'PATCH', 'DELETE'],
    allowHeaders: ['Authorization', 'Content-Type'],
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

/** One line per request: no query, no header, no body, so no secret. */
function requestLog({ log, randomBytes }: Context, clientOf: ReadClient): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const given = c.req.header('X-Request-Id')
    const requestId = given !== undefined && /^[\w.-]{1,64}$/.test(given) ? given : randomBytes(9).toString('base64url')
    c.set('requestId', requestId)
    const started = performance.now()
    await next()
    // On the reply as it is: Hono's own way would make another one and move the body over.
    const { headers } = c.res
    headers.set('X-Request-Id', requestId)
    // RFC 6749 §5.1 asks it of replies with tokens; who somebody is and which sessions there are is no less private.
    if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store')
    const { method, path } = c.req
    const ms = Math.round((performance.now() - started) * 10) / 10
    const code = c.get('code')
    const fields = { method, path, status: c.res.status, ms, request_id: requestId, ip: clientOf(c).ip }
    log.info({ ...fields, ...(code !== undefined && { code }) }, 'request')
  }
}
