import type { Auth, Guard } from '@sealwax/guard'
import type { Context as HonoContext, MiddlewareHandler } from 'hono'
import type { Client } from '../engine/context.ts'
import type { ReadClient } from './client.ts'
import type { HttpEnv } from './env.ts'

/** What the routes for administrators share: users with the role `admin`. */
export interface Administrators {
  /** Lets nobody else in. The middleware of a route runs before its parameters and its body are judged. */
  readonly only: MiddlewareHandler<HttpEnv>
  /** Where the request came from, and on whose word it acts. */
  clientOf(c: HonoContext<HttpEnv>): Client
}

export function administrators(guard: Guard, clientOf: ReadClient): Administrators {
  return {
    async only(c, next) {
      const auth: Auth = await guard.authenticate(c.req.raw, { role: 'admin' })
      c.set('auth', auth)
      await next()
    },
    clientOf: (c) => ({ ...clientOf(c), by: c.get('auth').subject }),
  }
}
