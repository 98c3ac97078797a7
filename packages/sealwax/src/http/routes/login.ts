import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import type { Context as HonoContext } from 'hono'
import type { Context } from '../../engine/context.ts'
import { type LoggedIn, login, register } from '../../engine/login.ts'
import { sessionOfToken } from '../../engine/refresh.ts'
import { revokeSessionById } from '../../engine/sessions.ts'
import type { ReadClient } from '../client.ts'
import type { RefreshCookie } from '../cookies.ts'
import type { HttpEnv } from '../env.ts'
import { jsonBody, jsonReply, loginRequest, loginResponse, refusals, setsCookie } from '../schemas.ts'
import { userBody } from './me.ts'

const BUSY = ['overloaded', 'temporarily_unavailable', 'keys_unavailable'] as const

export function loginRoutes(
  app: OpenAPIHono<HttpEnv>,
  context: Context,
  clientOf: ReadClient,
  cookie: RefreshCookie,
): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/login',
      operationId: 'login',
      summary: 'Exchange an e-mail address and a password for tokens',
      request: jsonBody(loginRequest),
      responses: {
        200: { ...jsonReply('Logged in', loginResponse), ...setsCookie },
        default: refusals('invalid_credentials', 'user_disabled', ...BUSY),
      },
    }),
    async (c) => {
      const { mode, ...credentials } = c.req.valid('json')
      const loggedIn = await login(context, credentials, clientOf(c))
      return c.json(await reply(c, mode, loggedIn), 200)
    },
  )
  app.openapi(
    createRoute({
      method: 'post',
      path: '/register',
      operationId: 'register',
      summary: 'Sign up, and log in',
      request: jsonBody(loginRequest),
      responses: {
        201: { ...jsonReply('Signed up', loginResponse), ...setsCookie },
        default: refusals(
          ...([
            'registration_disabled',
            'user_disabled',
            'email_taken',
            'email_invalid',
            'password_too_short',
          ] as const),
          ...(['password_too_long', ...BUSY] as const),
        ),
      },
    }),
    async (c) => {
      const { mode, ...credentials } = c.req.valid('json')
      const loggedIn = await register(context, credentials, clientOf(c))
      return c.json(await reply(c, mode, loggedIn), 201)
    },
  )

  async function reply(c: HonoContext<HttpEnv>, mode: 'token' | 'cookie', { tokens, user }: LoggedIn) {
    if (mode === 'token') return { ...tokens, user: userBody(user) }
    await endReplaced(c)
    const { refresh_token, ...rest } = tokens
    cookie.set(c, refresh_token, tokens.session.remember ? tokens.refresh_expires_in : undefined)
    return { ...rest, user: userBody(user) }
  }

  /** The browser forgets the old token now, so its session would live on unseen (ASVS 7.2.4). */
  async function endReplaced(c: HonoContext<HttpEnv>): Promise<void> {
    const old = cookie.peek(c)
    const session = old === undefined ? undefined : await sessionOfToken(context, old)
    if (session !== undefined) await revokeSessionById(context, session.id, { reason: 'replaced', client: clientOf(c) })
  }
}
