import { createRoute, z } from '@hono/zod-openapi'
import { AuthError } from '../errors.ts'
import type { Edge } from '../http/edge.ts'
import { jsonReply, pageQuery, refusals } from '../http/schemas.ts'
import { authenticateUser } from '../http/user-authentication.ts'
import { revokeAllSessions, revokeSessionById } from './end.ts'
import { getSession, listSessions, type Session } from './list.ts'
import { session } from './schemas.ts'

/** The sessions of the caller. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a list of routes, each part of it short
export function sessionRoutes({ app, context, guard, requestOrigin }: Edge): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sessions',
      operationId: 'listSessions',
      security: [{ bearer: [] }],
      summary: 'Your sessions, newest first',
      request: { query: pageQuery },
      responses: {
        200: jsonReply('Sessions', z.object({ data: z.array(session) })),
        default: refusals('temporarily_unavailable'),
      },
    }),
    async (c) => {
      const { subject, sessionId } = await authenticateUser(guard, c.req.raw)
      const data = await listSessions(context, subject, c.req.valid('query'))
      return c.json({ data: data.map((found) => sessionBody(found, sessionId)) }, 200)
    },
  )
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/sessions',
      operationId: 'endOtherSessions',
      security: [{ bearer: [] }],
      summary: 'End your other sessions',
      responses: { 204: { description: 'Ended' }, default: refusals('temporarily_unavailable') },
    }),
    async (c) => {
      const { subject, sessionId } = await authenticateUser(guard, c.req.raw)
      const except = sessionId === undefined ? {} : { except: sessionId }
      await revokeAllSessions(context, subject, { ...except, origin: requestOrigin(c) })
      return c.body(null, 204)
    },
  )
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sessions/{id}',
      operationId: 'getSession',
      security: [{ bearer: [] }],
      summary: 'One of your sessions',
      description: 'The claim `sid` of an access token is the id of its session.',
      request: { params: z.object({ id: z.string().max(64) }) },
      responses: { 200: jsonReply('The session', session), default: refusals('not_found', 'temporarily_unavailable') },
    }),
    async (c) => {
      const { subject, sessionId } = await authenticateUser(guard, c.req.raw)
      const found = await getSession(context, subject, c.req.valid('param').id)
      if (found === undefined) throw noSuchSession()
      return c.json(sessionBody(found, sessionId), 200)
    },
  )
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/sessions/{id}',
      operationId: 'endSession',
      security: [{ bearer: [] }],
      summary: 'End one of your sessions',
      request: { params: z.object({ id: z.string().max(64) }) },
      responses: { 204: { description: 'Ended' }, default: refusals('not_found', 'temporarily_unavailable') },
    }),
    async (c) => {
      const { subject } = await authenticateUser(guard, c.req.raw)
      const ended = await revokeSessionById(context, c.req.valid('param').id, {
        owner: subject,
        origin: requestOrigin(c),
      })
      if (!ended) throw noSuchSession()
      return c.body(null, 204)
    },
  )
}

function sessionBody(found: Session, current: string | undefined) {
  return {
    id: found.id,
    current: found.id === current,
    created_at: found.createdAt.toISOString(),
    last_seen_at: found.lastSeenAt.toISOString(),
    expires_at: found.expiresAt.toISOString(),
    ...(found.ip !== undefined && { ip: found.ip }),
    ...(found.userAgent !== undefined && { user_agent: found.userAgent }),
  }
}

function noSuchSession(): AuthError {
  return new AuthError('not_found', 'You have no such session')
}
