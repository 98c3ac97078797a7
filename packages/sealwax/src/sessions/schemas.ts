import { z } from '@hono/zod-openapi'
import { seconds, text, time } from '../http/schemas.ts'

/** The device id in bodies. */
export const deviceId = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\x21-\x7e]+$/, 'A device id is visible ASCII characters')
  .optional()
  .openapi({
    description:
      'An id that the client chose for this device and sends each time. It identifies the device when a reply was lost.',
  })

const refreshToken = (fallback: string) =>
  z
    .string()
    .max(4096)
    .optional()
    .openapi({ description: `Default: ${fallback}.`, example: 'swr_AQ…' })

/** The body of `POST /refresh`. */
export const refreshRequest = z
  .strictObject({ refresh_token: refreshToken('the cookie'), device: deviceId })
  .openapi('RefreshRequest')

/** The body of `POST /login/exchange`. */
export const exchangeRequest = z
  .strictObject({
    mode: z.enum(['token', 'cookie']).default('token').openapi({
      description: 'With `cookie`, the refresh token is in an HttpOnly cookie, not in the body of the reply.',
    }),
    device: deviceId,
    remember: z.boolean().optional().openapi({
      description:
        'With `false`, the session ends within a day of its last use, and the cookie with the browser session.',
    }),
  })
  .openapi('ExchangeRequest')

/** The body of `POST /refresh/confirm`. */
export const confirmRequest = z.strictObject({ refresh_token: refreshToken('the cookie') }).openapi('ConfirmRequest')

/** The body of `POST /logout`. */
export const logoutRequest = z
  .strictObject({
    scope: z
      .enum(['current', 'others', 'all'])
      .default('current')
      .openapi({ description: 'The sessions of the user to end.' }),
    refresh_token: refreshToken('the access token or the cookie'),
  })
  .openapi('LogoutRequest')

/** The members of a reply with tokens (RFC 6749 §5.1). */
export const tokens = {
  access_token: text('A JWT (RFC 9068): send it in the header `Authorization`, after the scheme `token_type`.', 'eyJ…'),
  token_type: z.enum(['Bearer', 'DPoP']).openapi({
    description: '`DPoP` if the request had a proof (RFC 9449): the tokens are bound to its key.',
  }),
  expires_in: seconds('Seconds until the access token expires.', 900),
  refresh_token: text('Opaque. Absent in cookie mode.', 'swr_AQ…').optional(),
  refresh_expires_in: seconds('Seconds until the session ends if it is not refreshed.', 1_209_600),
  scope: text('Scopes, separated by spaces.', 'orders:read').optional(),
  session: z.object({
    id: text('`sid` of the access token.', '4pXq7cT2mVb9Rk1LwZ8sDg'),
    expires_at: time('When the session ends at the latest, refreshed or not.'),
    remember: z.boolean().openapi({ description: 'Whether the session outlives the browser session.' }),
  }),
}

/** The reply of `POST /refresh`. */
export const tokenResponse = z.object(tokens).openapi('TokenResponse')

/** A session as the API returns it. */
export const session = z
  .object({
    id: text('`sid` of its access tokens.', '4pXq7cT2mVb9Rk1LwZ8sDg'),
    current: z.boolean().openapi({ description: 'Whether it is the session of this access token.' }),
    created_at: time('When the user logged in.'),
    last_seen_at: time('The hour of its last use. Uses in the current hour are not shown yet.'),
    expires_at: time('When it ends at the latest, refreshed or not.'),
    ip: text('The address of the last use.', '203.0.113.7').optional(),
    user_agent: text('The user agent of the last use.', 'Mozilla/5.0').optional(),
  })
  .openapi('Session')
