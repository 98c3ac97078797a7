import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import { type Guard, GuardError } from '@sealwax/guard'
import type { Context as HonoContext } from 'hono'
import type { Client, Context } from '../../engine/context.ts'
import { isClientToken, revokeClientToken } from '../../engine/grants.ts'
import { listKeys } from '../../engine/key-rotation.ts'
import { sessionOfToken } from '../../engine/refresh.ts'
import { revokeSessionById } from '../../engine/sessions.ts'
import { FIRST_PARTY, isRefreshToken } from '../../engine/tokens.ts'
import { checkedToken } from '../checked-token.ts'
import type { ReadClient } from '../client.ts'
import { authenticateCaller, missing, unauthenticated } from '../client-authentication.ts'
import type { HttpEnv } from '../env.ts'
import { formBody, oauthErrors, tokenParameter } from '../oauth-schemas.ts'

export function revokeRoutes(app: OpenAPIHono<HttpEnv>, context: Context, guard: Guard, clientOf: ReadClient): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/oauth/revoke',
      operationId: 'revokeToken',
      security: [{}, { basic: [] }],
      summary: 'Take a token back (RFC 7009)',
      description:
        'A token of a session ends the session, and whoever has it may take it back. A token of an API client is revoked alone, and only by that client, which must authenticate (RFC 7009 §2.1).',
      request: formBody(tokenParameter),
      responses: {
        200: { description: 'Revoked, or not valid anyway' },
        default: oauthErrors('revocation_unavailable', 'invalid_client', 'temporarily_unavailable', 'keys_unavailable'),
      },
    }),
    async (c) => {
      const { token, ...parameters } = c.req.valid('form')
      const caller = await authenticateCaller(context, c, parameters, clientOf)
      if (token === undefined) throw missing('token')
      await revoke(c, token, caller === 'public' ? undefined : caller.id)
      return c.body(null, 200)
    },
  )

  /** @param own the client whose tokens alone are reached; undefined: whoever has the token of a session. */
  async function revoke(c: HonoContext<HttpEnv>, token: string, own: string | undefined): Promise<void> {
    const client = clientOf(c)
    if (isRefreshToken(token)) {
      const session = own === undefined ? await sessionOfToken(context, token, client) : undefined
      if (session !== undefined) await revokeSessionById(context, session.id, { reason: 'logout', client })
      return
    }
    const access = await checkedToken(guard, token)
    if (access instanceof GuardError) return own === undefined ? revokeStale(access, client) : undefined
    if (own !== undefined && access.clientId !== own) return
    if (isClientToken(access)) {
      if (own === undefined) throw unauthenticated('This token belongs to an API client, which must authenticate')
      return revokeClientToken(context, access, client)
    }
    const { sessionId, subject, clientId } = access
    if (sessionId === undefined || clientId !== FIRST_PARTY) return
    await revokeSessionById(context, sessionId, { owner: subject, reason: 'logout', client })
  }

  /** A token of yesterday's roles is refused, but its signature held, and its session lives. Under a revoked key anybody may have written it. */
  async function revokeStale({ code, sessionId, kid }: GuardError, client: Client): Promise<void> {
    if (code !== 'token_stale' || sessionId === undefined) return
    const key = (await listKeys(context)).find((one) => one.kid === kid)
    if (key === undefined || key.state === 'revoked') return
    await revokeSessionById(context, sessionId, { reason: 'logout', client })
  }
}
