import type { Context, MiddlewareHandler } from 'hono'
import { authenticate, type ProtectArguments, readProtectArguments, settle } from '../adapter.ts'
import type { AuthFor, Guard } from '../guard.ts'
import { validateGuard } from '../validate-guard.ts'

type MaybePromise = Response | Promise<Response>

/**
 * Protects Hono routes: `app.get('/orders', protect(guard, { scope: 'orders:read' }), (c) =>
 * c.json(c.var.auth.subject))`, or `app.use(protect(guard))`.
 *
 * Sets the variable `auth`. Responds to a refusal itself; everything else that is thrown goes to
 * `app.onError`. OPTIONS passes with `auth` undefined.
 * @param guard see `createGuard`
 * @param rest what the routes require, whose `check` is called with the web `Request`; and
 * {@link ProtectOptions}: `onRefused(error, c)`, which returns a response or throws
 * @throws {TypeError} for a requirement or options that are not well-formed
 */
export function protect<Claims, const R extends ProtectArguments<Request, Claims, [c: Context], MaybePromise>>(
  guard: Guard<Claims>,
  ...rest: R
): MiddlewareHandler<{ Variables: { auth: AuthFor<R, Claims> } }> {
  validateGuard(guard)
  const { requirement, onRefused } = readProtectArguments<Request, Claims, [c: Context], MaybePromise>(rest)
  // Not an async function, which would always return a promise.
  return (c, next) =>
    settle<AuthFor<R, Claims>, ReturnType<MiddlewareHandler>>(
      () => authenticate(guard, c.req.raw, requirement) as AuthFor<R, Claims>,
      (auth) => {
        c.set('auth', auth)
        return next()
      },
      async ({ status, headers, body }, error) => {
        if (onRefused === undefined) return c.body(body, status, headers)
        c.status(status)
        for (const [name, value] of Object.entries(error.headers)) c.header(name, value)
        return onRefused(error, c)
      },
    )
}
