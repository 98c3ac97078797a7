import { createRoute } from '@hono/zod-openapi'
import type { Context as HonoContext } from 'hono'
import { readProvedKey } from '../dpop/proof-key.ts'
import { AuthError } from '../errors.ts'
import type { Edge } from '../http/edge.ts'
import type { HttpEnv } from '../http/env.ts'
import { jsonBody, refusals, setsCookie } from '../http/schemas.ts'
import { authenticateUser, sessionless } from '../http/user-authentication.ts'
import { revokeAllSessions, revokeSessionById } from './end.ts'
import { findSessionByToken } from './find-session.ts'
import { isLive } from './rules.ts'
import { logoutRequest } from './schemas.ts'

/** Log-out. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a list of routes, each part of it short
export function logoutRoutes({ app, context, guard, requestOrigin, cookie }: Edge): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/logout',
      operationId: 'logout',
      summary: 'End this session, the other sessions, or all',
      description:
        'The session is that of the refresh token in the body, of the access token (Bearer), or of the cookie. Ending an ended session succeeds.',
      security: [{}, { bearer: [] }, { cookie: [] }],
      request: jsonBody(logoutRequest, false),
      responses: {
        204: { description: 'Logged out', ...setsCookie },
        default: refusals('invalid_grant', 'invalid_dpop_proof', 'use_dpop_nonce', 'temporarily_unavailable'),
      },
    }),
    async (c) => {
      const { scope = 'current', refresh_token } = c.req.valid('json') ?? {}
      const origin = requestOrigin(c)
      const caller = await findCaller(c, refresh_token)
      const by = { reason: 'logout', origin } as const
      if (scope === 'current') await revokeSessionById(context, caller.sessionId, by)
      // An ended or expired session, or the holder of a spent token, may end only this session.
      else if (caller.live) {
        await revokeAllSessions(context, caller.subject, scope === 'all' ? by : { ...by, except: caller.sessionId })
      }
      await clearCookie(c, caller, scope)
      return c.body(null, 204)
    },
  )

  interface Caller {
    readonly subject: string
    readonly sessionId: string
    readonly live: boolean
  }

  /**
   * Identifies the caller by the token in the body, by the access token, or by the cookie. The
   * cookie also counts when the access token is refused, because it has expired.
   */
  async function findCaller(c: HonoContext<HttpEnv>, refreshToken: string | undefined): Promise<Caller> {
    if (refreshToken !== undefined) return byRefreshToken(c, refreshToken)
    if (c.req.header('Authorization') === undefined) {
      const kept = cookie.read(c)
      if (kept !== undefined) return byRefreshToken(c, kept)
    }
    try {
      return await byAccessToken(c.req.raw)
    } catch (error) {
      const kept = cookie.peek(c) === undefined ? undefined : cookie.read(c)
      if (kept === undefined) throw error
      return byRefreshToken(c, kept)
    }
  }

  /**
   * Clears the cookie only if its session has ended: otherwise that session would continue
   * unnoticed.
   */
  async function clearCookie(c: HonoContext<HttpEnv>, caller: Caller, scope: string): Promise<void> {
    const kept = cookie.peek(c)
    const session = kept === undefined ? undefined : await findSessionByToken(context, kept)
    if (session === undefined || scope === 'others') return
    const ended = session.id === caller.sessionId || (scope === 'all' && session.subject === caller.subject)
    if (ended) cookie.clear(c)
  }

  async function byAccessToken(request: Request) {
    const { subject, sessionId } = await authenticateUser(guard, request)
    if (sessionId === undefined) throw sessionless()
    return { subject, sessionId, live: true }
  }

  /**
   * Without the key that it is bound to, a token ends only its own session, as in `/oauth/revoke`.
   */
  async function byRefreshToken(c: HonoContext<HttpEnv>, token: string): Promise<Caller> {
    const session = await findSessionByToken(context, token, requestOrigin(c))
    if (session === undefined) {
      throw new AuthError('invalid_grant', 'This is not a refresh token', { reason: 'malformed' })
    }
    const hasKey = session.jkt === null || session.jkt === readProvedKey(context, c.req.raw)?.jkt
    const live = isLive(session, context.now()) && !session.spent && hasKey
    return { subject: session.subject, sessionId: session.id, live }
  }
}
