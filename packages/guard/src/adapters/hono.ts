import type { MiddlewareHandler } from 'hono'
import { authenticate, settle } from '../adapter.ts'
import { type AuthFor, type Guard, type Requirement, validateRequirement } from '../guard.ts'
import { validateGuard } from '../validate-guard.ts'

/**
 * Protects Hono routes: `app.get('/orders', protect(guard, { scope: 'orders:read' }), (c) =>
 * c.json(c.var.auth.subject))`, or `app.use(protect(guard))`.
 *
 * Sets the variable `auth`. Responds to a refusal itself; everything else that is thrown goes to
 * `app.onError`. OPTIONS passes with `auth` undefined.
 * @param guard see `createGuard`
 * @param requirement what the routes require; its `check` is called with the web `Request`
 * @throws {TypeError} for a requirement that is not well-formed
 */
export function protect<const R extends readonly [] | readonly [requirement: Requirement<Request>]>(
  guard: Guard,
  ...requirement: R
): MiddlewareHandler<{ Variables: { auth: AuthFor<R> } }> {
  validateGuard(guard)
  validateRequirement(requirement)
  // Not an async function, which would always return a promise.
  return (c, next) =>
    settle<AuthFor<R>, ReturnType<MiddlewareHandler>>(
      () => authenticate(guard, c.req.raw, requirement),
      (auth) => {
        c.set('auth', auth)
        return next()
      },
      ({ status, headers, body }) => Promise.resolve(c.body(body, status, headers)),
    )
}
