import { OpenAPIHono } from '@hono/zod-openapi'
import type { Guard } from '@sealwax/guard'
import type { Context as HonoContext, MiddlewareHandler } from 'hono'
import type { Context } from '../core/context.ts'
import { networksOf } from '../core/network.ts'
import type { Config, ForwardedHeader } from '../core/options.ts'
import { passwordAdmission } from '../core/password-admission.ts'
import { AuthError } from '../errors.ts'
import { administrators } from './administrators.ts'
import { auditRoutes } from './audit-routes.ts'
import { bodyReader } from './body.ts'
import { refreshCookie } from './cookies.ts'
import { crossOrigin } from './cross-origin.ts'
import type { Edge, RoutedFeature } from './edge.ts'
import type { HttpEnv } from './env.ts'
import { formPaths, oauthPaths } from './form.ts'
import { healthRoutes } from './health-routes.ts'
import { openApiRoutes } from './openapi/routes.ts'
import { oauthErrorResponse, problemResponse } from './problems.ts'
import { requestLog } from './request-log.ts'
import { addressReader, originReader, type ReadAddress } from './request-origin.ts'
import { validationError } from './schemas.ts'

/** See `ServerCore.admit`. */
type Admit = (
  path: string,
  peer: () => string | undefined,
  header: (name: string) => string | null | undefined,
) => Promise<void> | undefined

export interface App {
  fetch(request: Request, platform: HttpEnv['Bindings']): Promise<Response>
  /** Whether a path is one of ours, with any method. */
  handles(path: string): boolean
  admit: Admit
  clientAddress: ReadAddress
  forwardedHeader: ForwardedHeader
}

/** The HTTP API: a function from Request to Response. */
export function createApp(context: Context, guard: Guard, features: readonly RoutedFeature[]): App {
  const { config, log } = context
  const clientAddress = addressReader(config)
  const requestOrigin = originReader(config, clientAddress, log)
  const root = new OpenAPIHono<HttpEnv>({
    getPath: (request, options) => pathOf(request, options?.env),
    defaultHook: (result) => {
      if (!result.success) throw validationError(result.error.issues, result.target)
    },
  })
  // Requests outside the base path are logged, too, and get a request id.
  root.use(
    '*',
    requestLog(context, requestOrigin, (path) => methodsOf(path).length > 0),
  )
  const app = root.basePath(config.basePath)
  const isOAuth = oauthPaths(config)
  const refuse = (error: unknown, c: HonoContext<HttpEnv>) =>
    isOAuth(c.req.path) ? oauthErrorResponse(error, c, log) : problemResponse(error, c, log)
  app.onError(refuse)
  app.use('*', crossOrigin(context))
  app.use('/oauth/*', notCached)
  root.use('*', (c, next) => {
    const malformed = c.env?.sent?.malformed
    if (malformed !== undefined) throw new AuthError('invalid_request', malformed)
    // Hono itself would decode parameters; our matcher does not.
    if (methodsOf(c.req.path).length === 0) throw missing([], c.req.method)
    return next()
  })
  app.use(
    '*',
    bodyReader(formPaths(config), (method, path) => methodsOf(path).includes(method)),
  )
  healthRoutes(app, context)
  const edge: Edge = {
    ...{ app, root, context, guard, requestOrigin, cookie: refreshCookie(config) },
    administrators: administrators(context, guard, requestOrigin),
  }
  // Reversed, so that the API document begins with the features that people use first.
  for (const { routes = [] } of features.toReversed()) for (const add of routes) add(edge)
  auditRoutes(edge)
  const hashing = pathsThatHash(app, config)
  const admit: Admit = (path, peer, header) =>
    hashing.has(path)
      ? passwordAdmission(context).start(() =>
          networksOf(clientAddress(peer(), header(config.forwardedHeader) ?? undefined)),
        )
      : undefined
  openApiRoutes(app, root, config)
  const methodsOf = pathMatcher(app.routes)
  app.notFound((c) => refuse(missing(methodsOf(c.req.path), c.req.method), c))
  return {
    fetch: async (request, platform) => {
      if (!platform.sent?.admitted) {
        const turn = admit(
          pathOf(request, platform),
          () => platform.address,
          (name) => request.headers.get(name),
        )
        if (turn !== undefined) await turn
      }
      return app.fetch(request, platform)
    },
    admit,
    handles: (path) => methodsOf(path).length > 0,
    clientAddress,
    forwardedHeader: config.forwardedHeader,
  }
}

/**
 * Returns the path as it was sent. Hono would decode it: `/%61dmin` would reach `/admin` and bypass
 * the rule of a proxy for `/admin`.
 */
function pathOf({ url }: Request, platform: HttpEnv['Bindings'] | undefined): string {
  return platform?.sent?.path ?? url.slice(url.indexOf('/', url.indexOf('://') + 3)).replace(/[?#].*$/, '')
}

/** The paths of the routes that are declared with `hashesPassword`. */
function pathsThatHash(app: OpenAPIHono<HttpEnv>, { basePath }: Config): ReadonlySet<string> {
  const routes = app.openAPIRegistry.definitions.flatMap((one) => (one.type === 'route' ? one.route : []))
  return new Set(routes.filter((route) => 'x-admission' in route).map(({ path }) => basePath + path))
}

/** RFC 6749 §5.1 requires `Pragma` in addition to `Cache-Control`. */
const notCached: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next()
  // `c.header` would create another response.
  c.res.headers.set('Pragma', 'no-cache')
}

function missing(methods: readonly string[], method: string): AuthError {
  if (methods.length === 0) return new AuthError('not_found', 'There is nothing at this path')
  const allow = methods.join(', ')
  return new AuthError('method_not_allowed', `${method.slice(0, 16)} is not possible here; ${allow} is`, {
    headers: { Allow: allow },
  })
}

/** A path parameter: no dot segment, no percent-encoding and no backslash. */
const PARAMETER = String.raw`(?!\.\.?(?:/|$))[^/%\\]+`

/**
 * Returns a function from a path to the methods of its routes; an empty list if the path is not
 * ours. Each route has exactly one spelling.
 */
function pathMatcher(routes: readonly { path: string; method: string }[]): (path: string) => readonly string[] {
  const table = new Map<string, { pattern: RegExp; methods: string[] }>()
  for (const { path, method } of routes) {
    if (method === 'ALL') continue
    const source = path.replaceAll('.', '\\.').replace(/:\w+/g, PARAMETER)
    const entry = table.get(path) ?? { pattern: new RegExp(`^${source}$`), methods: [] }
    if (!entry.methods.includes(method)) entry.methods.push(method)
    table.set(path, entry)
  }
  const withParameters = [...table].filter(([path]) => path.includes(':')).map(([, entry]) => entry)
  return (path) => (table.get(path) ?? withParameters.find(({ pattern }) => pattern.test(path)))?.methods ?? []
}
