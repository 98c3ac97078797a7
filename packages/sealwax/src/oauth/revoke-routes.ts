import { createRoute } from '@hono/zod-openapi'
import { GuardError } from '@sealwax/guard'
import type { Context as HonoContext } from 'hono'
import { isClientToken } from '../core/client-id.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import type { Edge } from '../http/edge.ts'
import type { HttpEnv } from '../http/env.ts'
import { revokeSessionById } from '../sessions/end.ts'
import { findSessionByToken } from '../sessions/find-session.ts'
import { FIRST_PARTY, isRefreshToken } from '../sessions/tokens.ts'
import { listKeys } from '../signing-keys/rotation.ts'
import { checkedToken } from './checked-token.ts'
import { authenticateCaller, missing, unauthenticated } from './client-authentication.ts'
import { revokeClientToken } from './client-credentials.ts'
import { formBody, oauthErrors, tokenParameter } from './schemas.ts'

/** Token revocation. */
export function revokeRoutes({ app, context, requestOrigin }: Edge): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/oauth/revoke',
      operationId: 'revokeToken',
      security: [{}, { basic: [] }],
      summary: 'Revoke a token (RFC 7009)',
      description:
        'Revoking a token of a session ends the session, and needs no authentication. A token of an API client is revoked alone, and only by that client, which must authenticate (RFC 7009 §2.1).',
      request: formBody(tokenParameter),
      responses: {
        200: { description: 'Revoked, or invalid already' },
        default: oauthErrors('revocation_unavailable', 'invalid_client', 'temporarily_unavailable', 'keys_unavailable'),
      },
    }),
    async (c) => {
      const { token, ...parameters } = c.req.valid('form')
      const caller = await authenticateCaller(context, c, parameters, requestOrigin)
      if (token === undefined) throw missing('token')
      await revoke(c, token, caller === 'public' ? undefined : caller.id)
      return c.body(null, 200)
    },
  )

  /** @param own the authenticated client, which may revoke only its own tokens */
  async function revoke(c: HonoContext<HttpEnv>, token: string, own: string | undefined): Promise<void> {
    const origin = requestOrigin(c)
    if (isRefreshToken(token)) {
      const session = own === undefined ? await findSessionByToken(context, token, origin) : undefined
      if (session !== undefined) await revokeSessionById(context, session.id, { reason: 'logout', origin })
      return
    }
    const access = await checkedToken(context, token)
    if (access instanceof GuardError) return own === undefined ? revokeStale(access, origin) : undefined
    if (own !== undefined && access.clientId !== own) return
    if (isClientToken(access)) {
      if (own === undefined) throw unauthenticated('This token belongs to an API client, which must authenticate')
      return revokeClientToken(context, access, origin)
    }
    const { sessionId, subject, clientId } = access
    if (sessionId === undefined || clientId !== FIRST_PARTY) return
    await revokeSessionById(context, sessionId, { owner: subject, reason: 'logout', origin })
  }

  /**
   * A token that is stale after a change of roles is genuine, and its session has not ended. One
   * with a revoked key may be forged.
   */
  async function revokeStale({ code, sessionId, kid }: GuardError, origin: RequestOrigin): Promise<void> {
    if (code !== 'token_stale' || sessionId === undefined) return
    const key = (await listKeys(context)).find((one) => one.kid === kid)
    if (key === undefined || key.state === 'revoked') return
    await revokeSessionById(context, sessionId, { reason: 'logout', origin })
  }
}
