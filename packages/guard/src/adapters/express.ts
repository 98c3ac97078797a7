import type { NextFunction, Request, Response } from 'express'
import { authenticate, type ProtectArguments, readProtectArguments, setHead, settle } from '../adapter.ts'
import type { AuthFor, Guard } from '../guard.ts'
import { validateGuard } from '../validate-guard.ts'

type HandlerArguments = [req: Request, res: Response, next: NextFunction]

/** Only the members of Express's response that are used. */
interface ProtectedResponse<A> {
  readonly locals: { auth: A }
  statusCode: number
  setHeader(name: string, value: string): unknown
  end(body: string): unknown
}

/**
 * Express middleware. Behind it in the same route the type of `res.locals.auth` is known:
 * TypeScript infers from the last signature. The first one allows other middleware that does not
 * know the type of `res.locals`.
 */
export interface ProtectMiddleware<A> {
  (req: object, res: object, next: (error?: unknown) => void): void | Promise<void>
  (req: object, res: ProtectedResponse<A>, next: (error?: unknown) => void): void | Promise<void>
}

/**
 * Protects Express routes: `app.get('/orders', protect(guard, { scope: 'orders:read' }), handler)`,
 * or `app.use(protect(guard))`.
 *
 * Sets `res.locals.auth` (handlers in the same call know its type) and `req.auth` (typed by `import
 * '@sealwax/guard/express/global'`). Responds to a refusal itself, independent of the application's
 * error handler; everything else that is thrown goes to `next`. OPTIONS passes with `auth`
 * undefined.
 * @param guard see `createGuard`
 * @param rest what the routes require, whose `check` is called with Express's request, with
 * `params`; and {@link ProtectOptions}: `onRefused(error, req, res, next)`
 * @throws {TypeError} for a requirement or options that are not well-formed
 */
export function protect<Claims, const R extends ProtectArguments<Request, Claims, HandlerArguments>>(
  guard: Guard<Claims>,
  ...rest: R
): ProtectMiddleware<AuthFor<R, Claims>> {
  validateGuard(guard)
  const { requirement, onRefused } = readProtectArguments<Request, Claims, HandlerArguments, unknown>(rest)
  return (req: object, response: object, next: (error?: unknown) => void) => {
    const res = response as ProtectedResponse<AuthFor<R, Claims>>
    return settle<AuthFor<R, Claims>, unknown>(
      () => authenticate(guard, req as Request, requirement) as AuthFor<R, Claims>,
      (auth) => {
        res.locals.auth = auth
        ;(req as { auth?: unknown }).auth = auth
        return next()
      },
      (answer, error) => {
        setHead(res, onRefused === undefined ? answer : error)
        if (onRefused !== undefined) return onRefused(error, req as Request, response as Response, next)
        res.end(answer.body)
        return undefined
      },
    ) as void | Promise<void>
  }
}
