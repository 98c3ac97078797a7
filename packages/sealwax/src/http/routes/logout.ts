import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import type { Guard } from '@sealwax/guard'
import type { Context } from '../../engine/context.ts'
import { sessionOfToken } from '../../engine/refresh.ts'
import { revokeAllSessions, revokeSessionById } from '../../engine/sessions.ts'
import { AuthError } from '../../errors.ts'
import type { ReadClient } from '../client.ts'
import type { RefreshCookie } from '../cookies.ts'
import type { HttpEnv } from '../env.ts'
import { jsonBody, logoutRequest, problemReply } from '../schemas.ts'

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
      summary: 'End this session, the others, or all',
      description:
        'By refresh token in the body, by access token (Bearer), or by cookie. Ending an ended session succeeds.',
      request: jsonBody(logoutRequest, false),
      responses: { 204: { description: 'Logged out' }, default: problemReply },
    }),
    async (c) => {
      const { scope = 'current', refresh_token } = c.req.valid('json') ?? {}
      const bearer = c.req.header('Authorization') !== undefined
      const token = refresh_token ?? (bearer ? undefined : cookie.read(c))
      const caller = token === undefined ? await byAccessToken(c.req.raw) : await byRefreshToken(token)
      const by = { reason: 'logout', client: clientOf(c) } as const
      if (scope === 'current') await revokeSessionById(context, caller.sessionId, by)
      // An ended or expired session may end itself again, and nothing else.
      else if (caller.live) {
        await revokeAllSessions(context, caller.subject, scope === 'all' ? by : { ...by, except: caller.sessionId })
      }
      if (cookie.peek(c) !== undefined && scope !== 'others') cookie.clear(c)
      return c.body(null, 204)
    },
  )

  async function byAccessToken(request: Request) {
    const { subject, sessionId } = await guard.authenticate(request)
    if (sessionId === undefined) throw new AuthError('invalid_request', 'This access token belongs to no session')
    return { subject, sessionId, live: true }
  }

  async function byRefreshToken(token: string) {
    const session = await sessionOfToken(context, token)
    if (session === undefined) {
      throw new AuthError('invalid_grant', 'This is not a refresh token', { reason: 'malformed' })
    }
    const now = context.now()
    const expired = now >= session.idle_expires_at || now >= session.absolute_expires_at
    return { subject: session.subject, sessionId: session.id, live: session.ended_at === null && !expired }
  }
}
