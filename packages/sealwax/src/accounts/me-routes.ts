import { createRoute, z } from '@hono/zod-openapi'
import type { Edge } from '../http/edge.ts'
import { jsonReply, refusals } from '../http/schemas.ts'
import { authenticateUser } from '../http/user-authentication.ts'
import { user } from './schemas.ts'
import { getUser, type User } from './users.ts'

/** The caller. */
export function meRoutes({ app, context, guard }: Edge): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/me',
      operationId: 'getMe',
      summary: 'The user of this access token',
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
      // The roles of the token, which may come from `loadSubject`.
      const body = { ...(known === undefined ? { id: subject } : userBody(known)), roles: [...roles] }
      return c.json({ user: body, session: { ...(sessionId !== undefined && { id: sessionId }) } }, 200)
    },
  )
}

/** Returns a user as the API returns it. */
export function userBody({ id, email, roles, createdAt }: User) {
  return { id, email, roles: [...roles], created_at: createdAt.toISOString() }
}
