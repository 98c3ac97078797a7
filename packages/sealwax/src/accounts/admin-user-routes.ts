import { createRoute, z } from '@hono/zod-openapi'
import { LOGGED_IN_RECENTLY } from '../http/administrators.ts'
import { auditBody } from '../http/audit-routes.ts'
import type { Edge } from '../http/edge.ts'
import { jsonBody, jsonReply, refusals } from '../http/schemas.ts'
import { revokeAllSessions } from '../sessions/end.ts'
import type { Session } from '../sessions/list.ts'
import { describeUser, refuseOwnAccount, type UserDetails } from './administration.ts'
import { userBody } from './me-routes.ts'
import { startReset } from './password-reset.ts'
import { adminUser, adminUserDetails, createUserRequest, rolesRequest, userQuery } from './schemas.ts'
import { listUsers } from './user-list.ts'
import { createUser, deleteUser, disableUser, enableUser, noSuchUser, setRoles, type User } from './users.ts'

const one = { params: z.object({ id: z.string().max(128) }) }

/** Built-in users, for administrators. */
export function adminUserRoutes(edge: Edge): void {
  readingRoutes(edge)
  changingRoutes(edge)
  resetRoute(edge)
  endingRoutes(edge)
}

function readingRoutes({ app, context, administrators: { only, security } }: Edge): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/admin/users',
      operationId: 'listUsers',
      security,
      middleware: only,
      summary: 'Users, ordered by id; with a query, by address and then by name',
      request: { query: userQuery },
      responses: {
        200: jsonReply('Users', z.object({ data: z.array(adminUser) })),
        default: refusals('temporarily_unavailable'),
      },
    }),
    async (c) => {
      const { email_verified, disabled, ...query } = c.req.valid('query')
      const flag = (given: 'true' | 'false' | undefined) => (given === undefined ? undefined : given === 'true')
      const page = { ...query, disabled: flag(disabled), emailVerified: flag(email_verified) }
      return c.json({ data: (await listUsers(context, page)).map(adminUserBody) }, 200)
    },
  )
  app.openapi(
    createRoute({
      method: 'get',
      path: '/admin/users/{id}',
      operationId: 'getUser',
      security,
      middleware: only,
      summary: 'One user with live sessions and the last 20 audit events',
      request: one,
      responses: {
        200: jsonReply('The user', adminUserDetails),
        default: refusals('not_found', 'temporarily_unavailable'),
      },
    }),
    async (c) => {
      return c.json(userDetailsBody(await describeUser(context, c.req.valid('param').id)), 200)
    },
  )
}

function changingRoutes({ app, context, administrators }: Edge): void {
  const { recently, security, requestOrigin } = administrators
  app.openapi(
    createRoute({
      method: 'post',
      path: '/admin/users',
      operationId: 'createUser',
      security,
      middleware: recently,
      summary: 'Create a user without a password',
      description: LOGGED_IN_RECENTLY,
      request: jsonBody(createUserRequest),
      responses: {
        201: jsonReply('The user', adminUser),
        default: refusals('reauthentication_required', 'email_taken', 'email_invalid', 'temporarily_unavailable'),
      },
    }),
    async (c) => {
      const created = await createUser(context, c.req.valid('json'), requestOrigin(c))
      return c.json(adminUserBody(created), 201)
    },
  )
  app.openapi(
    createRoute({
      method: 'patch',
      path: '/admin/users/{id}',
      operationId: 'setUserRoles',
      security,
      middleware: recently,
      summary: 'Replace the roles of a user',
      description: LOGGED_IN_RECENTLY,
      request: { ...one, ...jsonBody(rolesRequest) },
      responses: {
        200: jsonReply('The user', adminUser),
        default: refusals('reauthentication_required', 'not_found', 'own_account', 'temporarily_unavailable'),
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      const { roles } = c.req.valid('json')
      const origin = requestOrigin(c)
      if (!roles.includes(context.config.adminRole)) refuseOwnAccount(origin, id, 'give up your own role')
      return c.json(adminUserBody(await setRoles(context, id, roles, origin)), 200)
    },
  )
}

function resetRoute({ app, context, administrators }: Edge): void {
  const { only, security, requestOrigin } = administrators
  app.openapi(
    createRoute({
      method: 'post',
      path: '/admin/users/{id}/password-reset',
      operationId: 'startPasswordReset',
      security,
      middleware: only,
      summary: 'Send a user the mail for a new password',
      request: one,
      responses: {
        202: { description: 'Accepted' },
        default: refusals('not_found', 'mail_unavailable', 'temporarily_unavailable'),
      },
    }),
    async (c) => {
      await startReset(context, c.req.valid('param').id, requestOrigin(c))
      return c.body(null, 202)
    },
  )
}

function endingRoutes({ app, context, administrators }: Edge): void {
  const { only, recently, security, requestOrigin } = administrators
  const switches = { disable: disableUser, enable: enableUser } as const
  for (const [verb, act] of Object.entries(switches)) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `/admin/users/{id}/${verb}`,
        operationId: `${verb}User`,
        security,
        middleware: only,
        summary: verb === 'disable' ? 'Disable a user and end all sessions' : 'Enable a user',
        request: one,
        responses: {
          200: jsonReply('The user', adminUser),
          default: refusals(
            'not_found',
            ...(verb === 'disable' ? (['own_account'] as const) : []),
            'temporarily_unavailable',
          ),
        },
      }),
      async (c) => {
        const { id } = c.req.valid('param')
        const origin = requestOrigin(c)
        if (verb === 'disable') refuseOwnAccount(origin, id, 'disable yourself')
        return c.json(adminUserBody(await act(context, id, origin)), 200)
      },
    )
  }
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/admin/users/{id}/sessions',
      operationId: 'endUserSessions',
      security,
      middleware: only,
      summary: 'End all sessions of a user, built-in or of the application',
      request: { params: z.object({ id: z.string().max(256) }) },
      responses: { 204: { description: 'Ended' }, default: refusals('temporarily_unavailable') },
    }),
    async (c) => {
      await revokeAllSessions(context, c.req.valid('param').id, { origin: requestOrigin(c) })
      return c.body(null, 204)
    },
  )
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/admin/users/{id}',
      operationId: 'deleteUser',
      security,
      middleware: recently,
      summary: 'Delete a user and end all sessions',
      description: LOGGED_IN_RECENTLY,
      request: one,
      responses: {
        204: { description: 'Deleted' },
        default: refusals('reauthentication_required', 'not_found', 'own_account', 'temporarily_unavailable'),
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      const origin = requestOrigin(c)
      refuseOwnAccount(origin, id, 'delete yourself here')
      if (!(await deleteUser(context, id, origin))) throw noSuchUser()
      return c.body(null, 204)
    },
  )
}

/** Returns a user as administrators see it, in the API and in the command. */
export function adminUserBody(user: User) {
  return { ...userBody(user), disabled: user.disabled }
}

/** Returns a user with sessions and events, as administrators see it. */
export function userDetailsBody({ user, sessions, events }: UserDetails) {
  return { user: adminUserBody(user), sessions: sessions.map(sessionBody), events: events.map(auditBody) }
}

/** Returns a session of a user, as administrators see it. */
export function sessionBody({ id, createdAt, lastSeenAt, expiresAt, ip, userAgent }: Session) {
  return {
    ...{ id, created_at: createdAt.toISOString(), last_seen_at: lastSeenAt.toISOString() },
    expires_at: expiresAt.toISOString(),
    ...(ip !== undefined && { ip }),
    ...(userAgent !== undefined && { user_agent: userAgent }),
  }
}
