import type { Context, Middleware } from 'koa'
import { authenticate, requirementOfWrapper, settle, wrapped } from '../adapter.ts'
import type { AuthFor, Guard, Requirement } from '../guard.ts'
import { validateGuard } from '../validate-guard.ts'

/**
 * Protects everything behind it in Koa: `app.use(protect(guard)).use((ctx) => { ctx.body =
 * ctx.state.auth.subject })`, or one route of a router: `router.get('/orders', protect(guard, {
 * scope: 'orders:read' }), handler)`.
 *
 * Sets `ctx.state.auth`; the middleware behind it in the same chain knows its type. Responds to a
 * refusal itself; everything else that is thrown goes to Koa's error handling. OPTIONS passes with
 * `auth` undefined.
 * @param guard see `createGuard`
 * @param requirement what the routes require; its `check` is called with Koa's context
 * @throws {TypeError} for a requirement that is not well-formed
 */
export function protect<const R extends readonly [] | readonly [requirement: Requirement<Context>]>(
  guard: Guard,
  ...requirement: R
): Middleware<{ auth: AuthFor<R> }, object> {
  validateGuard(guard)
  const own = requirementOfWrapper<Context>(requirement)
  return (ctx, next) =>
    settle(
      () => authenticate(guard, wrapped(ctx.req, ctx as unknown as Context), own) as AuthFor<R>,
      (auth) => {
        ctx.state.auth = auth
        return next()
      },
      async ({ status, headers, body }) => {
        ctx.status = status
        ctx.set({ ...headers })
        ctx.body = body
      },
    )
}
