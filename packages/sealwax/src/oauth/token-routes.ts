import { createRoute } from '@hono/zod-openapi'
import { readProvedKey } from '../dpop/proof-key.ts'
import { AuthError } from '../errors.ts'
import type { Edge } from '../http/edge.ts'
import { jsonReply } from '../http/schemas.ts'
import { refreshSession } from '../sessions/refresh.ts'
import { FIRST_PARTY } from '../sessions/tokens.ts'
import { authenticateCaller, missing, type OAuthCaller, unauthenticated } from './client-authentication.ts'
import { grantClientCredentials } from './client-credentials.ts'
import { formBody, GRANT_TYPES, oauthErrors, oauthTokenResponse, tokenRequest } from './schemas.ts'

/** The token endpoint. */
export function tokenRoutes({ app, context, requestOrigin }: Edge): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/oauth/token',
      operationId: 'getToken',
      security: [{ basic: [] }, {}],
      summary: 'Get an access token (RFC 6749)',
      description:
        '`client_credentials` is for API clients, which authenticate by HTTP Basic or in the body; `refresh_token` is for the first-party client, which is public.',
      request: formBody(tokenRequest),
      responses: {
        200: jsonReply('Tokens', oauthTokenResponse),
        default: oauthErrors(
          'unsupported_grant_type',
          'unauthorized_client',
          'invalid_grant',
          'invalid_scope',
          'invalid_client',
          'invalid_dpop_proof',
          'use_dpop_nonce',
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
      const caller = await authenticateCaller(context, c, parameters, requestOrigin)
      const key = readProvedKey(context, c.req.raw)
      if (grant_type === 'client_credentials') {
        const client = requireClient(caller, parameters.client_id)
        await key?.use()
        return c.json(grantClientCredentials(context, client, { scope, jkt: key?.jkt }), 200)
      }
      if (caller !== 'public') throw notForClients()
      if (refresh_token === undefined) throw missing('refresh_token')
      return c.json(await refreshSession(context, refresh_token, requestOrigin(c), { scope, key }), 200)
    },
  )
}

function requireClient(caller: OAuthCaller, id: string | undefined): Exclude<OAuthCaller, 'public'> {
  if (caller !== 'public') return caller
  if (id === FIRST_PARTY) throw new AuthError('unauthorized_client', 'A public client has no credentials to exchange')
  throw unauthenticated('The client must authenticate')
}

function notForClients(): AuthError {
  return new AuthError('unauthorized_client', 'API clients have no refresh tokens: use client_credentials')
}
