import { createRoute } from '@hono/zod-openapi'
import type { Edge } from '../http/edge.ts'
import { hashesPassword, jsonBody, refusals } from '../http/schemas.ts'
import { requestReset, resetPassword } from './password-reset.ts'
import { emailRequest, resetRequest } from './schemas.ts'

/** A new password for users who have forgotten theirs. */
export function resetRoutes({ app, context, requestOrigin }: Edge): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/password/forgot',
      operationId: 'forgotPassword',
      summary: 'Send the mail for a new password',
      description: 'The reply is the same whether or not there is a user with this address.',
      request: jsonBody(emailRequest),
      responses: {
        202: { description: 'Accepted' },
        default: refusals('too_many_attempts', 'mail_unavailable', 'temporarily_unavailable'),
      },
    }),
    async (c) => {
      await requestReset(context, c.req.valid('json').email, requestOrigin(c))
      return c.body(null, 202)
    },
  )
  app.openapi(
    createRoute({
      ...hashesPassword,
      method: 'post',
      path: '/password/reset',
      operationId: 'resetPassword',
      summary: 'Set a new password with the link or code of the mail',
      description: 'Ends all sessions and starts none: the user logs in with the new password.',
      request: jsonBody(resetRequest),
      responses: {
        204: { description: 'The new password is set' },
        default: refusals(
          'too_many_attempts',
          'one_time_token_invalid',
          'password_too_short',
          'password_too_long',
          'temporarily_unavailable',
        ),
      },
    }),
    async (c) => {
      const { password, ...presented } = c.req.valid('json')
      await resetPassword(context, presented, password, requestOrigin(c))
      return c.body(null, 204)
    },
  )
}
