import { type Auth, type Guard, GuardError } from '@sealwax/guard'
import type { Context as HonoContext, MiddlewareHandler } from 'hono'
import type { Context } from '../core/context.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import type { HttpEnv } from './env.ts'
import type { ReadOrigin } from './request-origin.ts'

/** Shared by the routes for administrators, who are users with the role in `adminRole`. */
export interface Administrators {
  /**
   * Refuses other callers. Middleware of a route runs before its parameters and body are checked.
   */
  readonly only: MiddlewareHandler<HttpEnv>
  /**
   * For irreversible operations: requires a recent log-in, so that a stolen token is not enough.
   */
  readonly recently: MiddlewareHandler<HttpEnv>
  /** The OpenAPI description of both. */
  readonly security: [{ bearer: [role: string] }]
  /** The origin of the request and the administrator who sent it. */
  requestOrigin(c: HonoContext<HttpEnv>): RequestOrigin
}

/** Maximum age of an administrator's log-in for irreversible operations. */
const RECENT = '15m'

/** The OpenAPI sentence for irreversible operations. */
export const LOGGED_IN_RECENTLY = 'The administrator must have logged in within the last 15 minutes.'

export function administrators({ config, log }: Context, guard: Guard, requestOrigin: ReadOrigin): Administrators {
  const role = config.adminRole

  /** Checked after the token, so that the log can name the refused user. */
  function requiring(requirement: { role: string; fresh?: typeof RECENT }): MiddlewareHandler<HttpEnv> {
    return async (c, next) => {
      const auth: Auth = await guard.authenticate(c.req.raw)
      try {
        await guard.authenticate(c.req.raw, requirement)
      } catch (error) {
        if (error instanceof GuardError) {
          const { amr } = auth.payload
          log.warn(
            { subject: auth.subject, amr, code: error.code, request_id: c.get('requestId') },
            'administrator refused',
          )
        }
        throw error
      }
      c.set('auth', auth)
      await next()
    }
  }

  return {
    only: requiring({ role }),
    recently: requiring({ role, fresh: RECENT }),
    security: [{ bearer: [role] }],
    requestOrigin: (c) => ({ ...requestOrigin(c), by: c.get('auth').subject }),
  }
}
