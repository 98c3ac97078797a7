import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import type { Guard } from '@sealwax/guard'
import type { Context as HonoContext } from 'hono'
import type { Client, Context } from '../../engine/context.ts'
import { sessionOfToken } from '../../engine/refresh.ts'
import { isLive, revokeAllSessions, revokeSessionById } from '../../engine/sessions.ts'
import { AuthError } from '../../errors.ts'
import type { ReadClient } from '../client.ts'
import type { RefreshCookie } from '../cookies.ts'
import type { HttpEnv } from '../env.ts'
import { jsonBody, logoutRequest, refusals, setsCookie } from '../schemas.ts'
import { authenticateUser, sessionless } from '../user-authentication.ts'

export function logoutRoutes(
  app: OpenAPIHono<HttpEnv>,
  context: Context,
  guard: Guard,
  clientOf: ReadClient,
  cookie: RefreshCookie,
): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/logout',
      operationId: 'logout',
      summary: 'End this session, the others, or all',
      description:
        'By refresh token in the body, by access token (Bearer), or by cookie. Ending an ended session succeeds.',
      security: [{}, { bearer: [] }, { cookie: [] }],
      request: jsonBody(logoutRequest, false),
      responses: {
        204: { description: 'Logged out', ...setsCookie },
        default: refusals('invalid_grant', 'temporarily_unavailable'),
      },
    }),
    async (c) => {
      const { scope = 'current', refresh_token } = c.req.valid('json') ?? {}
      const client = clientOf(c)
      const caller = await callerOf(c, refresh_token)
      const by = { reason: 'logout', client } as const
      if (scope === 'current') await revokeSessionById(context, caller.sessionId, by)
      // An ended or expired session may end itself again, and so may whoever found a spent token; nothing else.
      else if (caller.live) {
        await revokeAllSessions(context, caller.subject, scope === 'all' ? by : { ...by, except: caller.sessionId })
      }
      await forgetCookie(c, caller, scope)
      return c.body(null, 204)
    },
  )

  interface Caller {
    readonly subject: string
    readonly sessionId: string
    readonly live: boolean
  }

  /** By the token in the body, by the access token, or by the cookie: also when the access token is refused, as after a long pause. */
  async function callerOf(c: HonoContext<HttpEnv>, refreshToken: string | undefined): Promise<Caller> {
    if (refreshToken !== undefined) return byRefreshToken(refreshToken, clientOf(c))
    if (c.req.header('Authorization') === undefined) {
      const kept = cookie.read(c)
      if (kept !== undefined) return byRefreshToken(kept, clientOf(c))
    }
    try {
      return await byAccessToken(c.req.raw)
    } catch (error) {
      const kept = cookie.peek(c) === undefined ? undefined : cookie.read(c)
      if (kept === undefined) throw error
      return byRefreshToken(kept, clientOf(c))
    }
  }

  /** The cookie goes only with its session: else the session would live on unseen. */
  async function forgetCookie(c: HonoContext<HttpEnv>, caller: Caller, scope: string): Promise<void> {
    const kept = cookie.peek(c)
    const session = kept === undefined ? undefined : await sessionOfToken(context, kept)
    if (session === undefined || scope === 'others') return
    const ended = session.id === caller.sessionId || (scope === 'all' && session.subject === caller.subject)
    if (ended) cookie.clear(c)
  }

  async function byAccessToken(request: Request) {
    const { subject, sessionId } = await authenticateUser(guard, request)
    if (sessionId === undefined) throw sessionless()
    return { subject, sessionId, live: true }
  }

  async function byRefreshToken(token: string, client: Client): Promise<Caller> {
    const session = await sessionOfToken(context, token, client)
    if (session === undefined) {
      throw new AuthError('invalid_grant', 'This is not a refresh token', { reason: 'malformed' })
    }
    return { subject: session.subject, sessionId: session.id, live: isLive(session, context.now()) && !session.spent }
  }
}
