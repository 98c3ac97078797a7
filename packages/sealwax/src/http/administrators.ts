import { type Auth, type Guard, GuardError } from '@sealwax/guard'
import type { Context as HonoContext, MiddlewareHandler } from 'hono'
import type { Client, Context } from '../engine/context.ts'
import type { ReadClient } from './client.ts'
import type { HttpEnv } from './env.ts'

/** What the routes for administrators share: users with the role that `adminRole` names. */
export interface Administrators {
  /** Refuses everybody else. The middleware of a route runs before its parameters and its body are checked. */
  readonly only: MiddlewareHandler<HttpEnv>
  /** The same for what cannot be undone: the log-in must be recent, so that a stolen token alone is not enough. */
  readonly recently: MiddlewareHandler<HttpEnv>
  /** How the document describes both. */
  readonly security: [{ bearer: [role: string] }]
  /** Where the request came from, and which administrator sent it. */
  clientOf(c: HonoContext<HttpEnv>): Client
}

/** How old the log-in of an administrator may be where an act cannot be undone. */
const RECENT = '15m'

/** The sentence of the document about such an act. */
export const LOGGED_IN_RECENTLY = 'The administrator must have logged in within the last 15 minutes.'

export function administrators({ config, log }: Context, guard: Guard, clientOf: ReadClient): Administrators {
  const role = config.adminRole

  /** The requirement is checked apart from the token, because only then is it known who was refused. */
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
    clientOf: (c) => ({ ...clientOf(c), by: c.get('auth').subject }),
  }
}
