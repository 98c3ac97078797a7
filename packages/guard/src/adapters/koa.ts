import type { Context, Middleware } from 'koa'
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

/**
 * Protects everything behind it in Koa: `app.use(protect(guard)).use((ctx) => { ctx.body =
 * ctx.state.auth.subject })`, or one route of a router: `router.get('/orders', protect(guard, {
 * scope: 'orders:read' }), handler)`.
 *
 * Sets `ctx.state.auth`; the middleware behind it in the same chain knows its type. Responds to a
 * refusal itself; everything else that is thrown goes to Koa's error handling. OPTIONS passes with
 * `auth` undefined.
 * @param guard see `createGuard`
 * @param rest what the routes require, whose `check` is called with Koa's context; and
 * {@link ProtectOptions}: `onRefused(error, ctx)`
 * @throws {TypeError} for a requirement or options that are not well-formed
 */
export function protect<Claims, const R extends ProtectArguments<Context, Claims, [ctx: Context]>>(
  guard: Guard<Claims>,
  ...rest: R
): Middleware<{ auth: AuthFor<R, Claims> }, object> {
  validateGuard(guard)
  const { requirement, onRefused } = readProtectArguments<Context, Claims, [ctx: Context], unknown>(rest)
  const own = requirementOfWrapper(requirement)
  return (ctx, next) =>
    settle(
      () => authenticate(guard, wrapped(ctx.req, ctx as unknown as Context), own) as AuthFor<R, Claims>,
      (auth) => {
        ctx.state.auth = auth
        return next()
      },
      async ({ status, headers, body }, error) => {
        ctx.status = status
        ctx.set({ ...(onRefused === undefined ? headers : error.headers) })
        if (onRefused === undefined) ctx.body = body
        else await onRefused(error, ctx as unknown as Context)
      },
    )
}
