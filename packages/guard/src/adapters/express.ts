import type { Request } from 'express'
import { authenticate, settle } from '../adapter.ts'
import { type AuthFor, type Guard, type Requirement, validateRequirement } from '../guard.ts'
import { validateGuard } from '../validate-guard.ts'

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
 * @param requirement what the routes require; its `check` is called with Express's request, with
 * `params`
 * @throws {TypeError} for a requirement that is not well-formed
 */
export function protect<const R extends readonly [] | readonly [requirement: Requirement<Request>]>(
  guard: Guard,
  ...requirement: R
): ProtectMiddleware<AuthFor<R>> {
  validateGuard(guard)
  validateRequirement(requirement)
  return (req: object, response: object, next: (error?: unknown) => void) => {
    const res = response as ProtectedResponse<AuthFor<R>>
    return settle(
      () => authenticate(guard, req as Request, requirement),
      (auth) => {
        res.locals.auth = auth
        ;(req as { auth?: unknown }).auth = auth
        next()
      },
      ({ status, headers, body }) => {
        res.statusCode = status
        for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
        res.end(body)
      },
    )
  }
}
