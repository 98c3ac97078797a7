import { createRoute } from '@hono/zod-openapi'
import type { Context as HonoContext } from 'hono'
import { readProvedKey } from '../dpop/proof-key.ts'
import { deviceCookie } from '../http/cookies.ts'
import type { Edge } from '../http/edge.ts'
import type { HttpEnv } from '../http/env.ts'
import { hashesPassword, jsonBody, jsonReply, refusals, setsCookie } from '../http/schemas.ts'
import { revokeSessionById } from '../sessions/end.ts'
import { findSessionByToken } from '../sessions/find-session.ts'
import { acceptInvitation } from './invitations.ts'
import { type LoggedIn, login } from './login.ts'
import { userBody } from './me-routes.ts'
import { register, requestRegistration } from './registration.ts'
import { loginRequest, loginResponse, registerRequest } from './schemas.ts'

/** Why a new password is refused, besides its length. */
const PASSWORD_REFUSALS = ['password_too_common', 'password_too_personal', 'password_breached'] as const
const PROOF_REFUSALS = ['invalid_dpop_proof', 'use_dpop_nonce'] as const
const UNAVAILABLE = ['temporarily_unavailable', 'keys_unavailable'] as const

/** Log-in and sign-up. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a list of routes, each part of it short
export function loginRoutes({ app, context, requestOrigin, cookie }: Edge): void {
  const devices = deviceCookie(context.config)
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
        default: refusals(
          ...(['invalid_credentials', 'user_disabled', 'too_many_attempts'] as const),
          ...PROOF_REFUSALS,
          ...UNAVAILABLE,
        ),
      },
    }),
    async (c) => {
      const { mode, device_token: deviceToken = devices.peek(c), ...credentials } = c.req.valid('json')
      const key = readProvedKey(context, c.req.raw)
      const loggedIn = await login(context, { ...credentials, deviceToken }, requestOrigin(c), key)
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
      description:
        'With `registration: verified`, the reply is 202, and the link or code in the mail completes the sign-up.',
      request: jsonBody(registerRequest),
      responses: {
        201: { ...jsonReply('Signed up', loginResponse), ...setsCookie },
        202: { description: 'A mail was sent to the address; the same whether or not it has an account' },
        default: refusals(
          ...([
            'registration_disabled',
            'too_many_attempts',
            'registration_refused',
            'attributes_invalid',
            'user_disabled',
            'email_taken',
            'one_time_token_invalid',
            'email_invalid',
            'password_too_short',
          ] as const),
          ...PROOF_REFUSALS,
          ...(['password_too_long', ...PASSWORD_REFUSALS, ...UNAVAILABLE] as const),
        ),
      },
    }),
    async (c) => {
      const { mode, device_token: _, invitation, email = '', ...rest } = c.req.valid('json')
      const origin = requestOrigin(c)
      const key = readProvedKey(context, c.req.raw)
      if (invitation !== undefined) {
        const accepted = await acceptInvitation(context, { ...rest, invitation }, origin, key)
        return c.json(await reply(c, mode, accepted), 201)
      }
      if (context.config.registration === 'verified') {
        await requestRegistration(context, { ...rest, email }, origin)
        return c.body(null, 202)
      }
      return c.json(await reply(c, mode, await register(context, { ...rest, email }, origin, key)), 201)
    },
  )

  async function reply(c: HonoContext<HttpEnv>, mode: 'token' | 'cookie', { tokens, user, deviceToken }: LoggedIn) {
    if (mode === 'token') return { ...tokens, user: userBody(user), device_token: deviceToken }
    await endReplaced(c)
    const { refresh_token, ...rest } = tokens
    cookie.set(c, refresh_token, tokens.session.remember ? tokens.refresh_expires_in : undefined)
    devices.set(c, deviceToken)
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
