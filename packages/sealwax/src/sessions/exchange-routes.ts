import { createRoute } from '@hono/zod-openapi'
import type { Context as HonoContext } from 'hono'
import { readProvedKey } from '../dpop/proof-key.ts'
import type { Edge } from '../http/edge.ts'
import type { HttpEnv } from '../http/env.ts'
import { jsonBody, jsonReply, refusals, setsCookie } from '../http/schemas.ts'
import { revokeSessionById } from './end.ts'
import { exchangeSession } from './exchange.ts'
import { findSessionByToken } from './find-session.ts'
import { exchangeRequest, tokenResponse } from './schemas.ts'

/** The exchange of sessions of an older system. */
export function exchangeRoutes({ app, context, requestOrigin, cookie }: Edge): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/login/exchange',
      operationId: 'exchangeSession',
      summary: 'Exchange a session of an older system for tokens',
      description:
        'With the option `exchange`. The session is that of an access token of another issuer (Bearer), or what the application reads from the request, such as a cookie. Each is exchanged once; a client whose reply was lost may repeat the request.',
      security: [{ bearer: [] }, {}],
      request: jsonBody(exchangeRequest, false),
      responses: {
        200: { ...jsonReply('Logged in', tokenResponse), ...setsCookie },
        default: refusals(
          ...(['invalid_dpop_proof', 'use_dpop_nonce'] as const),
          ...(['exchange_disabled', 'exchange_refused', 'user_disabled', 'check_failed'] as const),
          ...(['csrf_failed', 'temporarily_unavailable', 'keys_unavailable'] as const),
        ),
      },
    }),
    async (c) => {
      cookie.requireOurPage(c)
      const { mode = 'token', ...options } = c.req.valid('json') ?? {}
      const given = { ...options, client: requestOrigin(c) }
      const tokens = await exchangeSession(context, c.req.raw, given, readProvedKey(context, c.req.raw))
      if (mode === 'token') return c.json(tokens, 200)
      await endReplaced(c, tokens.session.id)
      const { refresh_token, ...rest } = tokens
      cookie.set(c, refresh_token, tokens.session.remember ? tokens.refresh_expires_in : undefined)
      return c.json(rest, 200)
    },
  )

  /** As at log-in, unless the exchange was repeated: then the cookie is of the same session. */
  async function endReplaced(c: HonoContext<HttpEnv>, id: string): Promise<void> {
    const old = cookie.peek(c)
    const session = old === undefined ? undefined : await findSessionByToken(context, old)
    if (session === undefined || session.id === id) return
    await revokeSessionById(context, session.id, { reason: 'replaced', origin: requestOrigin(c) })
  }
}
