import { createRoute } from '@hono/zod-openapi'
import type { Context as HonoContext } from 'hono'
import type { Edge } from '../http/edge.ts'
import type { HttpEnv } from '../http/env.ts'
import { hashesPassword, jsonBody, jsonReply, refusals, setsCookie } from '../http/schemas.ts'
import { revokeSessionById } from '../sessions/end.ts'
import { findSessionByToken } from '../sessions/refresh.ts'
import { type LoggedIn, login, register } from './login.ts'
import { userBody } from './me-routes.ts'
import { loginRequest, loginResponse } from './schemas.ts'

/** Why a new password is refused, besides its length. */
const PASSWORD_REFUSALS = ['password_too_common', 'password_too_personal', 'password_breached'] as const
const UNAVAILABLE = ['temporarily_unavailable', 'keys_unavailable'] as const

/** Log-in and sign-up. */
export function loginRoutes({ app, context, requestOrigin, cookie }: Edge): void {
  app.openapi(
    createRoute({
      ...hashesPassword,
      method: 'post',
      path: '/login',
      operationId: 'login',
      summary: 'Exchange an e-mail address and a password for tokens',
      request: jsonBody(loginRequest),
      responses: {
        200: { ...jsonReply('Logged in', loginResponse), ...setsCookie },
        default: refusals('invalid_credentials', 'user_disabled', ...UNAVAILABLE),
      },
    }),
    async (c) => {
      const { mode, ...credentials } = c.req.valid('json')
      const loggedIn = await login(context, credentials, requestOrigin(c))
      return c.json(await reply(c, mode, loggedIn), 200)
    },
  )
  app.openapi(
    createRoute({
      ...hashesPassword,
      method: 'post',
      path: '/register',
      operationId: 'register',
      summary: 'Sign up and log in',
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
          ...(['password_too_long', ...PASSWORD_REFUSALS, ...UNAVAILABLE] as const),
        ),
      },
    }),
    async (c) => {
      const { mode, ...credentials } = c.req.valid('json')
      const loggedIn = await register(context, credentials, requestOrigin(c))
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

  /** The new cookie replaces the old token, whose session would continue unnoticed (ASVS 7.2.4). */
  async function endReplaced(c: HonoContext<HttpEnv>): Promise<void> {
    const old = cookie.peek(c)
    const session = old === undefined ? undefined : await findSessionByToken(context, old)
    if (session !== undefined)
      await revokeSessionById(context, session.id, { reason: 'replaced', origin: requestOrigin(c) })
  }
}
