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
    remember: z.boolean().default(true).openapi({
      description:
        'With `false`, the session ends within a day of its last use, and the cookie with the browser session.',
    }),
  })
  .openapi('LoginRequest')

/** The body of `POST /register`. */
export const registerRequest = loginRequest
  .extend({
    email: loginRequest.shape.email.optional(),
    invitation: z
      .string()
      .regex(/^swo_[\w-]{43}$/)
      .optional()
      .openapi({ description: 'The `token` of the link in an invitation, which replaces `email`.' }),
  })
  .refine(({ email, invitation }) => (email === undefined) !== (invitation === undefined), {
    path: ['email'],
    message: 'Send either email or invitation',
  })
  .openapi('RegisterRequest')

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
export const loginResponse = z.object({ ...tokens, user }).openapi('LoginResponse')

const emailAddress = z.string().max(320).openapi({ example: 'alex@example.com' })
const newPassword = loginRequest.shape.password
const linkToken = z
  .string()
  .regex(/^swo_[\w-]{43}$/)
  .openapi({ description: 'The `token` of the link in the mail.' })
const sixDigits = z
  .string()
  .regex(/^\d{6}$/)
  .openapi({ description: 'The code in the mail.', example: '042137' })

/** The body of the routes that send a mail to an address. */
export const emailRequest = z.strictObject({ email: emailAddress }).openapi('EmailRequest')

/** The body of `POST /email/verify`. */
export const verifyRequest = z
  .union([z.strictObject({ token: linkToken }), z.strictObject({ email: emailAddress, code: sixDigits })])
  .openapi('VerifyRequest')

/** The body of `POST /password/reset`. */
export const resetRequest = z
  .union([
    z.strictObject({ token: linkToken, password: newPassword }),
    z.strictObject({ email: emailAddress, code: sixDigits, password: newPassword }),
  ])
  .openapi('ResetRequest')

/** The body of `POST /email`. */
export const emailChangeRequest = z
  .strictObject({
    email: emailAddress,
    password: newPassword.optional().openapi({
      description: 'The current password. Without it, the user must have logged in within the last 15 minutes.',
    }),
  })
  .openapi('EmailChangeRequest')

/** The body of `POST /email/undo`. */
export const undoRequest = z.strictObject({ token: linkToken }).openapi('UndoRequest')

/** The body of `POST /invitations`. */
export const invitationRequest = z
  .strictObject({ email: emailAddress, roles: z.array(z.string().max(64)).max(64).optional() })
  .openapi('InvitationRequest')

/** An invitation as the API returns it. */
export const invitation = z
  .object({
    email: z.string().openapi({ example: 'alex@example.com' }),
    roles: z.array(z.string()).openapi({ example: ['teacher'] }),
    created_at: time('When it was sent.'),
    expires_at: time('When it expires.'),
  })
  .openapi('Invitation')
