import { createRoute, z } from '@hono/zod-openapi'
import type { Edge } from '../http/edge.ts'
import { hashesPassword, jsonBody, jsonReply, refusals } from '../http/schemas.ts'
import { authenticateUser } from '../http/user-authentication.ts'
import { changeOwnProfile, changePassword, deleteOwnAccount } from './own-account.ts'
import { deleteMeRequest, passwordRequest, profileRequest, user } from './schemas.ts'
import { getUser, type User } from './users.ts'

/** How recent the log-in must be to delete the account without the password. */
const RECENT = '15m'

/** The caller. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a list of routes, each part of it short
export function meRoutes({ app, context, guard, requestOrigin, cookie }: Edge): void {
  const me = z.object({ user, session: z.object({ id: z.string().optional() }) }).openapi('Me')
  const security = [{ bearer: [] }]

  app.openapi(
    createRoute({
      method: 'get',
      path: '/me',
      operationId: 'getMe',
      summary: 'The user of this access token',
      security,
      responses: { 200: jsonReply('The user and the session', me), default: refusals('temporarily_unavailable') },
    }),
    async (c) => {
      const { subject, roles, sessionId } = await authenticateUser(guard, c.req.raw)
      const known = await getUser(context, subject)
      // The roles of the token, which may come from `loadSubject`.
      const body = { ...(known === undefined ? { id: subject } : userBody(known)), roles: [...roles] }
      return c.json({ user: body, session: { ...(sessionId !== undefined && { id: sessionId }) } }, 200)
    },
  )
  app.openapi(
    createRoute({
      method: 'patch',
      path: '/me',
      operationId: 'updateMe',
      summary: 'Change your name or attributes',
      description: 'The body is a JSON Merge Patch (RFC 7396): what is left out stays, `null` removes.',
      security,
      request: jsonBody(profileRequest),
      responses: {
        200: jsonReply('The user and the session', me),
        default: refusals('user_external', 'attributes_invalid', 'temporarily_unavailable'),
      },
    }),
    async (c) => {
      const { subject, roles, sessionId } = await authenticateUser(guard, c.req.raw)
      const changed = await changeOwnProfile(context, subject, c.req.valid('json'), requestOrigin(c))
      const session = { ...(sessionId !== undefined && { id: sessionId }) }
      return c.json({ user: { ...userBody(changed), roles: [...roles] }, session }, 200)
    },
  )
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/me',
      operationId: 'deleteMe',
      summary: 'Delete your account',
      description: 'With the password, or within 15 minutes of the log-in. All sessions end.',
      security,
      request: jsonBody(deleteMeRequest, false),
      responses: {
        204: { description: 'Deleted' },
        default: refusals(
          ...([
            'reauthentication_required',
            'user_external',
            'password_not_set',
            'password_incorrect',
            'too_many_attempts',
          ] as const),
          ...(['unsupported_media_type', 'overloaded', 'temporarily_unavailable'] as const),
        ),
      },
    }),
    async (c) => {
      const { password } = c.req.valid('json') ?? {}
      const caller = await authenticateUser(guard, c.req.raw)
      if (password === undefined) await guard.authenticate(c.req.raw, { fresh: RECENT })
      await deleteOwnAccount(context, caller, password, requestOrigin(c))
      if (cookie.peek(c) !== undefined) cookie.clear(c)
      return c.body(null, 204)
    },
  )
  app.openapi(
    createRoute({
      ...hashesPassword,
      method: 'post',
      path: '/password',
      operationId: 'changePassword',
      summary: 'Change your password',
      description: 'This session continues; the others end, unless `end_other_sessions` is false.',
      security,
      request: jsonBody(passwordRequest),
      responses: {
        204: { description: 'Changed' },
        default: refusals(
          ...(['user_external', 'password_not_set', 'password_incorrect', 'too_many_attempts'] as const),
          ...(['password_too_short', 'password_too_long', 'temporarily_unavailable'] as const),
        ),
      },
    }),
    async (c) => {
      const caller = await authenticateUser(guard, c.req.raw)
      const { current_password, new_password, end_other_sessions } = c.req.valid('json')
      const change = {
        currentPassword: current_password,
        newPassword: new_password,
        endOtherSessions: end_other_sessions,
      }
      await changePassword(context, caller, change, requestOrigin(c))
      return c.body(null, 204)
    },
  )
}

/** Returns a user as the API returns it. */
export function userBody({ id, email, emailVerified, name, attributes, roles, createdAt }: User) {
  return {
    ...{ id, email, email_verified: emailVerified, name: name ?? null, attributes: { ...attributes } },
    ...{ roles: [...roles], created_at: createdAt.toISOString() },
  }
}
