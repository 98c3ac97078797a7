import { createRoute } from '@hono/zod-openapi'
import type { Edge } from '../http/edge.ts'
import { hashesPassword, jsonBody, refusals } from '../http/schemas.ts'
import { authenticateUser } from '../http/user-authentication.ts'
import { requestEmailChange, undoEmailChange } from './email-change.ts'
import { requestVerification, verifyEmail } from './email-verification.ts'
import { emailChangeRequest, emailRequest, undoRequest, verifyRequest } from './schemas.ts'

const UNAVAILABLE = 'temporarily_unavailable'

/** The e-mail address: verification and change. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a list of routes, each part of it short
export function emailRoutes({ app, context, guard, requestOrigin }: Edge): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/email/verify',
      operationId: 'verifyEmail',
      summary: 'Verify an e-mail address with the link or code that was sent to it',
      description: 'Completes a sign-up, or applies a change of address. It starts no session.',
      request: jsonBody(verifyRequest),
      responses: {
        204: { description: 'Verified' },
        default: refusals('too_many_attempts', 'one_time_token_invalid', 'email_taken', UNAVAILABLE),
      },
    }),
    async (c) => {
      await verifyEmail(context, c.req.valid('json'), requestOrigin(c))
      return c.body(null, 204)
    },
  )
  app.openapi(
    createRoute({
      method: 'post',
      path: '/email/verification',
      operationId: 'requestVerification',
      summary: 'Send the mail that verifies an address once more',
      description: 'The reply is the same whether or not the address waits for one.',
      request: jsonBody(emailRequest),
      responses: {
        202: { description: 'Accepted' },
        default: refusals('too_many_attempts', 'mail_unavailable', UNAVAILABLE),
      },
    }),
    async (c) => {
      await requestVerification(context, c.req.valid('json').email, requestOrigin(c))
      return c.body(null, 202)
    },
  )
  app.openapi(
    createRoute({
      ...hashesPassword,
      method: 'post',
      path: '/email',
      operationId: 'changeEmail',
      summary: 'Change the e-mail address',
      description:
        'Sends a mail to the new address; the change is applied when it answers. The old address is told, and can undo it for 72 hours.',
      security: [{ bearer: [] }],
      request: jsonBody(emailChangeRequest),
      responses: {
        202: { description: 'Accepted' },
        default: refusals(
          'too_many_attempts',
          'mail_unavailable',
          'email_invalid',
          'password_incorrect',
          'reauthentication_required',
          'password_not_set',
          'user_external',
          UNAVAILABLE,
        ),
      },
    }),
    async (c) => {
      const { email, password } = c.req.valid('json')
      const caller = await authenticateUser(guard, c.req.raw)
      if (password === undefined) await guard.authenticate(c.req.raw, { fresh: '15m' })
      await requestEmailChange(context, caller, { email, password }, requestOrigin(c))
      return c.body(null, 202)
    },
  )
  app.openapi(
    createRoute({
      method: 'post',
      path: '/email/undo',
      operationId: 'undoEmailChange',
      summary: 'Return to the previous e-mail address',
      description: 'Ends all sessions, and sends the mail for a new password to the previous address.',
      request: jsonBody(undoRequest),
      responses: {
        204: { description: 'Undone' },
        default: refusals('too_many_attempts', 'one_time_token_invalid', 'email_taken', UNAVAILABLE),
      },
    }),
    async (c) => {
      await undoEmailChange(context, c.req.valid('json').token, requestOrigin(c))
      return c.body(null, 204)
    },
  )
}
