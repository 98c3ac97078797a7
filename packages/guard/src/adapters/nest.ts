import { type CanActivate, type ExecutionContext, HttpException } from '@nestjs/common'
import {
  authenticate,
  type MaybeRequirement,
  type RawRequest,
  requirementOfWrapper,
  settle,
  wrapped,
} from '../adapter.ts'
import { type Auth, type AuthFor, type Guard, validateRequirement } from '../guard.ts'
import { validateGuard } from '../validate-guard.ts'

/** The members that Nest's requests have on every platform. */
export interface NestRequest {
  /** The header fields. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The method. */
  readonly method: string
  /** The path and query. */
  readonly url: string
  /** The parameters of the route. */
  readonly params: Readonly<Record<string, string>>
  /** The parsed query. */
  readonly query: unknown
}

/** The type of `@Req()` behind {@link protect}. */
export type ProtectedRequest<Req = NestRequest, A = Auth> = Req & { readonly auth: A }

interface Reply {
  header(name: string, value: string): unknown
}

/**
 * Creates a guard class for Nest: `@UseGuards(protect(guard, { scope: 'orders:read' }))` on a
 * controller or a method, `{ provide: APP_GUARD, useClass: protect(guard) }` for the whole
 * application.
 *
 * Sets `request.auth`; a decorator cannot pass its type to the method, so write `@Req() request:
 * ProtectedRequest`. A refusal is thrown as an `HttpException` with the problem as its response and
 * the `GuardError` as its `cause`, after the header fields are set: your exception filters see it.
 * Other errors are passed on. HTTP only: other contexts throw a TypeError. OPTIONS passes with
 * `auth` undefined.
 * @param guard see `createGuard`
 * @param requirement what the routes require; its `check` is called with the request of the
 * platform, with `params`
 * @throws {TypeError} for a requirement that is not well-formed
 */
export function protect<Claims, const R extends MaybeRequirement<NestRequest, Claims>>(
  guard: Guard<Claims>,
  ...requirement: R
): new () => CanActivate {
  validateGuard(guard)
  validateRequirement(requirement)
  const own = requirementOfWrapper<NestRequest, Claims>(requirement)
  return class ProtectGuard implements CanActivate {
    canActivate(context: ExecutionContext): boolean | Promise<boolean> {
      if (context.getType() !== 'http') throw new TypeError('protect: guards HTTP routes only')
      const request = context.switchToHttp().getRequest<NestRequest & { raw?: RawRequest; auth?: AuthFor<R, Claims> }>()
      return settle(
        () => authenticate(guard, wrapped(request.raw ?? (request as unknown as RawRequest), request), own),
        (auth) => {
          request.auth = auth as AuthFor<R, Claims>
          return true
        },
        ({ status, headers }, error) => {
          const reply = context.switchToHttp().getResponse<Reply>()
          for (const [name, value] of Object.entries(headers)) reply.header(name, value)
          throw new HttpException(error.problem(), status, { cause: error })
        },
      )
    }
  }
}
