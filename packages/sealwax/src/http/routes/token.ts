import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from '../../engine/context.ts'
import { grantClientCredentials } from '../../engine/grants.ts'
import { refreshSession } from '../../engine/refresh.ts'
import { FIRST_PARTY } from '../../engine/tokens.ts'
import { AuthError } from '../../errors.ts'
import type { ReadClient } from '../client.ts'
import { authenticateCaller, missing, type OAuthCaller, unauthenticated } from '../client-authentication.ts'
import type { HttpEnv } from '../env.ts'
import { formBody, GRANT_TYPES, oauthErrors, oauthTokenResponse, tokenRequest } from '../oauth-schemas.ts'
import { jsonReply } from '../schemas.ts'

export function tokenRoutes(app: OpenAPIHono<HttpEnv>, context: Context, clientOf: ReadClient): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/oauth/token',
      operationId: 'getToken',
      security: [{ basic: [] }, {}],
      summary: 'Get an access token (RFC 6749)',
      description:
        'client_credentials for API clients, which authenticate by HTTP Basic or in the body; refresh_token for the first-party client, which is public.',
      request: formBody(tokenRequest),
      responses: {
        200: jsonReply('Tokens', oauthTokenResponse),
        default: oauthErrors(
          'unsupported_grant_type',
          'unauthorized_client',
          'invalid_grant',
          'invalid_scope',
          'invalid_client',
          'temporarily_unavailable',
          'keys_unavailable',
        ),
      },
    }),
    async (c) => {
      const { grant_type, refresh_token, scope, ...parameters } = c.req.valid('form')
      if (grant_type === undefined) throw missing('grant_type')
      if (!(GRANT_TYPES as readonly string[]).includes(grant_type)) {
        throw new AuthError('unsupported_grant_type', `Use ${GRANT_TYPES.join(' or ')}`)
      }
      const caller = await authenticateCaller(context, c, parameters, clientOf)
      if (grant_type === 'client_credentials') {
        return c.json(grantClientCredentials(context, requireClient(caller, parameters.client_id), scope), 200)
      }
      if (caller !== 'public') throw notForClients()
      if (refresh_token === undefined) throw missing('refresh_token')
      return c.json(await refreshSession(context, refresh_token, clientOf(c), { scope }), 200)
    },
  )
}

function requireClient(caller: OAuthCaller, id: string | undefined): Exclude<OAuthCaller, 'public'> {
  if (caller !== 'public') return caller
  if (id === FIRST_PARTY) throw new AuthError('unauthorized_client', 'A public client has no credentials to exchange')
  throw unauthenticated('The client must authenticate')
}

function notForClients(): AuthError {
  return new AuthError('unauthorized_client', 'API clients have no refresh tokens: use client_credentials again')
}
