import { createRoute, z } from '@hono/zod-openapi'
import { AuthError } from '../errors.ts'
import { LOGGED_IN_RECENTLY } from '../http/administrators.ts'
import type { Edge } from '../http/edge.ts'
import { jsonBody, jsonReply, refusals } from '../http/schemas.ts'
import { type Invitation, inviteUser, listInvitations, withdrawInvitation } from './invitations.ts'
import { emailRequest, invitation, invitationRequest } from './schemas.ts'

const UNAVAILABLE = 'temporarily_unavailable'

/** Invitations, for administrators. */
export function invitationRoutes({
  app,
  context,
  administrators: { only, recently, security, requestOrigin },
}: Edge): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/invitations',
      operationId: 'inviteUser',
      summary: 'Invite a user by mail',
      description: `A second invitation to an address replaces the first. ${LOGGED_IN_RECENTLY}`,
      security,
      middleware: recently,
      request: jsonBody(invitationRequest),
      responses: {
        201: jsonReply('Invited', invitation),
        default: refusals(
          'reauthentication_required',
          'mail_unavailable',
          'email_invalid',
          'email_taken',
          'registration_disabled',
          UNAVAILABLE,
        ),
      },
    }),
    async (c) => {
      const { email, roles } = c.req.valid('json')
      const invited = await inviteUser(context, { email, ...(roles && { roles }) }, requestOrigin(c))
      return c.json(invitationBody(invited), 201)
    },
  )
  app.openapi(
    createRoute({
      method: 'get',
      path: '/invitations',
      operationId: 'listInvitations',
      summary: 'Open invitations, ordered by address',
      security,
      middleware: only,
      request: {
        query: z.object({
          after: z.string().max(320).optional().openapi({ description: 'The last address of the previous page.' }),
          limit: z.coerce.number().int().min(1).max(500).default(50),
        }),
      },
      responses: {
        200: jsonReply('A page of invitations', z.object({ data: z.array(invitation) }).openapi('Invitations')),
        default: refusals(UNAVAILABLE),
      },
    }),
    async (c) => {
      const { after, limit } = c.req.valid('query')
      return c.json({ data: (await listInvitations(context, { after, limit })).map(invitationBody) }, 200)
    },
  )
  app.openapi(
    createRoute({
      method: 'post',
      path: '/invitations/withdraw',
      operationId: 'withdrawInvitation',
      summary: 'Withdraw an invitation',
      security,
      middleware: only,
      request: jsonBody(emailRequest),
      responses: { 204: { description: 'Withdrawn' }, default: refusals('email_invalid', 'not_found', UNAVAILABLE) },
    }),
    async (c) => {
      const withdrawn = await withdrawInvitation(context, c.req.valid('json').email, requestOrigin(c))
      if (!withdrawn) throw new AuthError('not_found', 'There is no open invitation to this address')
      return c.body(null, 204)
    },
  )
}

/** Returns an invitation as the API returns it. */
export function invitationBody({ email, roles, createdAt, expiresAt }: Invitation) {
  return { email, roles: [...roles], created_at: createdAt.toISOString(), expires_at: expiresAt.toISOString() }
}
