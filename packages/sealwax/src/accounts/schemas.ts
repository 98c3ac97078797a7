import { z } from '@hono/zod-openapi'
import { text, time } from '../http/schemas.ts'
import { deviceId, tokens } from '../sessions/schemas.ts'
import { LONE_SURROGATE } from './passwords.ts'

/** The body of `POST /login` and `POST /register`. Unknown members are refused. */
export const loginRequest = z
  .strictObject({
    email: z.string().max(320).openapi({ example: 'alex@example.com' }),
    password: z
      .string()
      .max(1024)
      .refine((password) => password.isWellFormed(), LONE_SURROGATE)
      .openapi({ example: 'correct horse battery staple' }),
    mode: z.enum(['token', 'cookie']).default('token').openapi({
      description: 'With `cookie`, the refresh token is in an HttpOnly cookie, not in the body of the reply.',
    }),
    device: deviceId,
    device_token: z.string().max(256).optional().openapi({
      description:
        'The `device_token` of an earlier log-in on this device. With it, failed attempts elsewhere do not make this log-in wait. A wrong one is ignored. Default: the cookie.',
    }),
    remember: z.boolean().default(true).openapi({
      description:
        'With `false`, the session ends within a day of its last use, and the cookie with the browser session.',
    }),
  })
  .openapi('LoginRequest')

/** A user as the API returns it. */
export const user = z
  .object({
    id: text('`sub` of the access token.', 'user-123'),
    email: z.string().optional().openapi({ example: 'alex@example.com' }),
    roles: z.array(z.string()).openapi({ example: ['teacher'] }),
    created_at: time('When the user was created. Absent for users of the application.').optional(),
  })
  .openapi('User')

/** The reply of `POST /login` and `POST /register`. */
export const loginResponse = z
  .object({
    ...tokens,
    user,
    device_token: text('Send it with the next log-in on this device. Absent in cookie mode.', 'swd_…').optional(),
  })
  .openapi('LoginResponse')
