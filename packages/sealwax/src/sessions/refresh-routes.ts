import { createRoute } from '@hono/zod-openapi'
import { readProvedKey } from '../dpop/proof-key.ts'
import { AuthError } from '../errors.ts'
import type { Edge } from '../http/edge.ts'
import { jsonBody, jsonReply, refusals, setsCookie } from '../http/schemas.ts'
import { confirmRefreshToken, refresh } from './refresh.ts'
import { confirmRequest, refreshRequest, tokenResponse } from './schemas.ts'

/** Refresh, and its confirmation. */
export function refreshRoutes({ app, context, requestOrigin, cookie }: Edge): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/refresh',
      operationId: 'refresh',
      summary: 'Exchange a refresh token for new tokens',
      description:
        'A token that is sent again soon, by a second tab or after a lost reply, is accepted. Without a token in the body the cookie is read; it is set only when the token changes.',
      security: [{ cookie: [] }, {}],
      request: jsonBody(refreshRequest, false),
      responses: {
        200: { ...jsonReply('New tokens', tokenResponse), ...setsCookie },
        default: refusals('invalid_grant', ...PROOF_REFUSALS, 'temporarily_unavailable', 'keys_unavailable'),
      },
    }),
    async (c) => {
      const { refresh_token: sent, device } = c.req.valid('json') ?? {}
      const origin = requestOrigin(c)
      const key = readProvedKey(context, c.req.raw)
      if (sent !== undefined) return c.json((await refresh(context, sent, origin, { device, key })).tokens, 200)
      const kept = cookie.read(c)
      if (kept === undefined) throw missingToken()
      const { tokens, verdict } = await refresh(context, kept, origin, { device, key })
      const { refresh_token, ...rest } = tokens
      // A late reply must not overwrite a newer cookie.
      if (verdict !== 'kept') cookie.set(c, refresh_token, rest.session.remember ? rest.refresh_expires_in : undefined)
      return c.json(rest, 200)
    },
  )
  app.openapi(
    createRoute({
      method: 'post',
      path: '/refresh/confirm',
      operationId: 'confirmRefresh',
      summary: 'Confirm that a refresh token has been stored',
      description:
        'Optional. The previous token is accepted for one more grace window; after that it is a replay. Send the confirmation right after the token is stored durably, or not at all. Without a token in the body the cookie is read.',
      security: [{ cookie: [] }, {}],
      request: jsonBody(confirmRequest, false),
      responses: {
        204: { description: 'Confirmed' },
        default: refusals('invalid_grant', ...PROOF_REFUSALS, 'temporarily_unavailable', 'keys_unavailable'),
      },
    }),
    async (c) => {
      const token = c.req.valid('json')?.refresh_token ?? cookie.read(c)
      if (token === undefined) throw missingToken()
      await confirmRefreshToken(context, token, readProvedKey(context, c.req.raw))
      return c.body(null, 204)
    },
  )
}

const PROOF_REFUSALS = ['invalid_dpop_proof', 'use_dpop_nonce'] as const

function missingToken(): AuthError {
  const errors = [{ path: '/refresh_token', code: 'invalid_type', message: 'A refresh token is required' }]
  return new AuthError('validation_failed', 'Send refresh_token in the body', { errors })
}
