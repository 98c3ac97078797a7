import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Guard } from '@sealwax/guard'
import type { Context } from '../../engine/context.ts'
import { getUser, type User } from '../../engine/users.ts'
import type { HttpEnv } from '../env.ts'
import { jsonReply, refusals, user } from '../schemas.ts'
import { authenticateUser } from '../user-authentication.ts'

export function meRoutes(app: OpenAPIHono<HttpEnv>, context: Context, guard: Guard): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/me',
      operationId: 'getMe',
      summary: 'Who the bearer of this access token is',
      security: [{ bearer: [] }],
      responses: {
        200: jsonReply(
          'The user and the session',
          z.object({ user, session: z.object({ id: z.string().optional() }) }).openapi('Me'),
        ),
        default: refusals('temporarily_unavailable'),
      },
    }),
    async (c) => {
      const { subject, roles, sessionId } = await authenticateUser(guard, c.req.raw)
      const known = await getUser(context, subject)
      // The roles of the token: `loadSubject` may have supplied them.
      const body = { ...(known === undefined ? { id: subject } : userBody(known)), roles: [...roles] }
      return c.json({ user: body, session: { ...(sessionId !== undefined && { id: sessionId }) } }, 200)
    },
  )
}

/** A user as the API shows one. */
export function userBody({ id, email, roles, createdAt }: User) {
  return { id, email, roles: [...roles], created_at: createdAt.toISOString() }
}
