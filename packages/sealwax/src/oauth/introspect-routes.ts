import { createRoute } from '@hono/zod-openapi'
import { GuardError } from '@sealwax/guard'
import { AuthError } from '../errors.ts'
import type { Edge } from '../http/edge.ts'
import { jsonReply } from '../http/schemas.ts'
import { isRefreshToken } from '../sessions/tokens.ts'
import { checkedToken } from './checked-token.ts'
import { authenticateCaller, missing, unauthenticated } from './client-authentication.ts'
import { introspectAccessToken, introspectRefreshToken } from './introspection.ts'
import { formBody, introspection, oauthErrors, tokenParameter } from './schemas.ts'

/** The scope that a client needs for introspection. */
const INTROSPECT = 'introspect'

/** Token introspection. */
export function introspectRoutes({ app, context, requestOrigin }: Edge): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/oauth/introspect',
      operationId: 'introspectToken',
      security: [{ basic: [] }, {}],
      summary: 'Introspect a token (RFC 7662)',
      description:
        'For API clients with the scope introspect, which authenticate by HTTP Basic or in the body. It changes nothing: refresh tokens stay as they are.',
      request: formBody(tokenParameter),
      responses: {
        200: jsonReply('The state of the token', introspection),
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
      const caller = await authenticateCaller(context, c, parameters, requestOrigin)
      if (caller === 'public') throw unauthenticated('The client must authenticate')
      if (!caller.scopes.includes(INTROSPECT)) {
        throw new AuthError('insufficient_scope', `This client does not have the scope ${INTROSPECT}`)
      }
      if (token === undefined) throw missing('token')
      if (isRefreshToken(token)) return c.json(await introspectRefreshToken(context, token), 200)
      const access = await checkedToken(context, token)
      if (access instanceof GuardError) return c.json({ active: false }, 200)
      return c.json(await introspectAccessToken(context, access), 200)
    },
  )
}
