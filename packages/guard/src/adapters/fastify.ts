import type {
  ContextConfigDefault,
  FastifyBaseLogger,
  FastifyReply,
  FastifyRequest,
  FastifySchema,
  FastifyTypeProvider,
  FastifyTypeProviderDefault,
  RawRequestDefaultExpression,
  RawServerBase,
  RawServerDefault,
  RouteGenericInterface,
} from 'fastify'
import type { FastifyRequestType, ResolveFastifyRequestType } from 'fastify/types/type-provider.js'
import {
  authenticate,
  type ProtectArguments,
  readProtectArguments,
  requirementOfWrapper,
  settle,
  wrapped,
} from '../adapter.ts'
import type { AuthFor, Guard } from '../guard.ts'
import { validateGuard } from '../validate-guard.ts'

declare module 'fastify' {
  interface RouteGenericInterface {
    /** The type of `request.auth`, in routes with explicit types. */
    Auth?: unknown
  }

  // The parameters must be those of Fastify's own declaration, word for word.
  interface FastifyRequest<
    RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    SchemaCompiler extends FastifySchema = FastifySchema,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
    ContextConfig = ContextConfigDefault,
    Logger extends FastifyBaseLogger = FastifyBaseLogger,
    RequestType extends FastifyRequestType = ResolveFastifyRequestType<TypeProvider, SchemaCompiler, RouteGeneric>,
  > {
    /**
     * Who sent the request, on routes behind `protect` of `@sealwax/guard/fastify`; `undefined` on
     * all others.
     */
    auth: RouteGeneric extends { Auth: infer A } ? A : undefined
  }
}

type HandlerArguments = [request: FastifyRequest, reply: FastifyReply]

/**
 * An `onRequest` hook. The route behind it knows the type of `request.auth`: TypeScript infers from
 * the last signature. The first one allows routes with explicit types, and `addHook`.
 */
export interface ProtectHook<A> {
  (request: object, reply: object, done: () => void): void
  (request: FastifyRequest<RouteGenericInterface & { Auth: A }>, reply: FastifyReply, done: () => void): void
}

/**
 * Protects Fastify routes: `app.get('/orders', { onRequest: protect(guard, { scope: 'orders:read'
 * }) }, (request) => request.auth.subject)`, or everything in a plugin: `app.addHook('onRequest',
 * protect(guard))`.
 *
 * Sets `request.auth`. Its type is known if the hook is in the options before the handler. With
 * `addHook`, `app.route` or explicit types, write `app.get<{ Auth: Auth }>`. Responds to a refusal
 * itself; everything else that is thrown goes to the error handler. OPTIONS passes with `auth`
 * undefined.
 * @param guard see `createGuard`
 * @param rest what the routes require, whose `check` is called with Fastify's request, with
 * `params`; and {@link ProtectOptions}: `onRefused(error, request, reply)`
 * @throws {TypeError} for a requirement or options that are not well-formed
 */
export function protect<Claims, const R extends ProtectArguments<FastifyRequest, Claims, HandlerArguments>>(
  guard: Guard<Claims>,
  ...rest: R
): ProtectHook<AuthFor<R, Claims>> {
  validateGuard(guard)
  const { requirement, onRefused } = readProtectArguments<FastifyRequest, Claims, HandlerArguments, unknown>(rest)
  const own = requirementOfWrapper(requirement)
  return (given: object, reply: object, done: (error?: unknown) => void) => {
    const request = given as FastifyRequest
    const settled = settle<unknown, unknown>(
      () => authenticate(guard, wrapped(request.raw, request), own),
      (auth) => {
        ;(request as { auth?: unknown }).auth = auth
        return done()
      },
      ({ status, headers, body }, error) => {
        const response = (reply as FastifyReply).code(status).headers(onRefused === undefined ? headers : error.headers)
        if (onRefused !== undefined) return onRefused(error, request, response)
        // A Buffer, because Fastify adds a charset to the media type of a string.
        response.send(Buffer.from(body))
        return undefined
      },
    )
    if (settled instanceof Promise) settled.catch(done)
  }
}
