import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from '../../engine/context.ts'
import { refreshSession } from '../../engine/refresh.ts'
import { AuthError } from '../../errors.ts'
import type { ReadClient } from '../client.ts'
import type { RefreshCookie } from '../cookies.ts'
import type { HttpEnv } from '../env.ts'
import { jsonBody, jsonReply, refreshRequest, refusals, setsCookie, tokenResponse } from '../schemas.ts'

export function refreshRoutes(
  app: OpenAPIHono<HttpEnv>,
  context: Context,
  clientOf: ReadClient,
  cookie: RefreshCookie,
): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/refresh',
      operationId: 'refresh',
      summary: 'Exchange a refresh token for fresh tokens',
      description:
        'A token sent twice, by a second tab or after a lost reply, gets the same successor. Without a token in the body the cookie is read.',
      security: [{ cookie: [] }, {}],
      request: jsonBody(refreshRequest, false),
      responses: {
        200: { ...jsonReply('Fresh tokens', tokenResponse), ...setsCookie },
        default: refusals('invalid_grant', 'temporarily_unavailable', 'keys_unavailable'),
      },
    }),
    async (c) => {
      const { refresh_token: sent } = c.req.valid('json') ?? {}
      if (sent !== undefined) return c.json(await refreshSession(context, sent, clientOf(c)), 200)
      const kept = cookie.read(c)
      if (kept === undefined) throw missingToken()
      const { refresh_token, ...rest } = await refreshSession(context, kept, clientOf(c))
      cookie.set(c, refresh_token, rest.session.remember ? rest.refresh_expires_in : undefined)
      return c.json(rest, 200)
    },
  )
}

function missingToken(): AuthError {
  const errors = [{ path: '/refresh_token', code: 'invalid_type', message: 'A refresh token is required' }]
  return new AuthError('validation_failed', 'Send refresh_token in the body', { errors })
}
