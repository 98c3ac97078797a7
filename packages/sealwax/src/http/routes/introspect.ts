import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import { type Guard, GuardError } from '@sealwax/guard'
import type { Context } from '../../engine/context.ts'
import { introspectAccessToken, introspectRefreshToken } from '../../engine/introspection.ts'
import { isRefreshToken } from '../../engine/tokens.ts'
import { AuthError } from '../../errors.ts'
import { checkedToken } from '../checked-token.ts'
import type { ReadClient } from '../client.ts'
import { authenticateCaller, missing, unauthenticated } from '../client-authentication.ts'
import type { HttpEnv } from '../env.ts'
import { formBody, introspection, oauthErrors, tokenParameter } from '../oauth-schemas.ts'
import { jsonReply } from '../schemas.ts'

/** The scope a client needs to be told about tokens. */
const INTROSPECT = 'introspect'

export function introspectRoutes(
  app: OpenAPIHono<HttpEnv>,
  context: Context,
  guard: Guard,
  clientOf: ReadClient,
): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/oauth/introspect',
      operationId: 'introspectToken',
      security: [{ basic: [] }, {}],
      summary: 'Ask about a token (RFC 7662)',
      description:
        'For API clients that have the scope introspect, which authenticate by HTTP Basic or in the body. Asking changes nothing: no refresh token is spent.',
      request: formBody(tokenParameter),
      responses: {
        200: jsonReply('What is known of it', introspection),
        default: oauthErrors(
          'insufficient_scope',
          'revocation_unavailable',
          'invalid_client',
          'temporarily_unavailable',
          'keys_unavailable',
        ),
      },
    }),
    async (c) => {
      const { token, ...parameters } = c.req.valid('form')
      const caller = await authenticateCaller(context, c, parameters, clientOf)
      if (caller === 'public') throw unauthenticated('The client must authenticate')
      if (!caller.scopes.includes(INTROSPECT)) {
        throw new AuthError('insufficient_scope', `This client does not have the scope ${INTROSPECT}`)
      }
      if (token === undefined) throw missing('token')
      if (isRefreshToken(token)) return c.json(await introspectRefreshToken(context, token), 200)
      const access = await checkedToken(guard, token)
      if (access instanceof GuardError) return c.json({ active: false }, 200)
      return c.json(await introspectAccessToken(context, access), 200)
    },
  )
}
