import { z } from '@hono/zod-openapi'
import { auditRow } from '../http/audit-routes.ts'
import { text, time } from '../http/schemas.ts'
import { deviceId, session, tokens } from '../sessions/schemas.ts'
import { LONE_SURROGATE } from './password-hashing.ts'

/** A password in a body. Its length is checked where it is used. */
const password = z
  .string()
  .max(1024)
  .refine((given) => given.isWellFormed(), LONE_SURROGATE)
  .openapi({ example: 'correct horse battery staple' })

const linkToken = text('The `token` of the link in the mail.', 'swo_…').max(128)
const name = z.string().max(400).openapi({ description: '1 to 100 characters.', example: 'Alex Lee' })

/**
 * Attributes in a body. The validator passes the object on unchanged, so that no member is lost
 * before it is checked.
 */
const attributes = z
  .custom<Record<string, unknown>>(
    (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
    'Expected an object',
  )
  .openapi({
    type: 'object',
    description: 'What the application stores with the user: at most 4 KiB of JSON.',
    example: { theme: 'dark' },
  })

const credentials = {
  email: z.string().max(320).openapi({ example: 'alex@example.com' }),
  password,
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
}

/** The body of `POST /login`. Unknown members are refused. */
export const loginRequest = z.strictObject(credentials).openapi('LoginRequest')

/** The body of `POST /register`. */
export const registerRequest = z
  .strictObject({
    ...credentials,
    email: credentials.email.optional(),
    invitation: linkToken.optional().openapi({
      description: 'The `token` of the link in an invitation, which replaces `email`.',
    }),
    name: name.optional(),
    attributes: attributes.optional(),
  })
  .refine(({ email, invitation }) => (email === undefined) !== (invitation === undefined), {
    path: ['email'],
    message: 'Send either email or invitation',
  })
  .openapi('RegisterRequest')

/** The body of `POST /password`. */
export const passwordRequest = z
  .strictObject({
    current_password: password,
    new_password: password,
    end_other_sessions: z.boolean().default(true),
  })
  .openapi('PasswordRequest')

/** The body of `PATCH /me`. */
export const profileRequest = z
  .strictObject({ name: name.nullable().optional(), attributes: attributes.nullable().optional() })
  .openapi('ProfileRequest')

/** The body of `DELETE /me`. */
export const deleteMeRequest = z
  .strictObject({ password: password.optional().openapi({ description: 'Default: a recent log-in is required.' }) })
  .openapi('DeleteMeRequest')

/** A user as the API returns it. */
export const user = z
  .object({
    id: text('`sub` of the access token.', 'user-123'),
    email: z.string().optional().openapi({ example: 'alex@example.com' }),
    email_verified: z.boolean().optional().openapi({ description: 'Whether the user has shown that it is theirs.' }),
    name: z.string().nullable().optional().openapi({ example: 'Alex Lee' }),
    attributes: z
      .record(z.string(), z.unknown())
      .optional()
      .openapi({ example: { theme: 'dark' } }),
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

const emailAddress = z.string().max(320).openapi({ example: 'alex@example.com' })
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
    z.strictObject({ token: linkToken, password }),
    z.strictObject({ email: emailAddress, code: sixDigits, password }),
  ])
  .openapi('ResetRequest')

/** The body of `POST /email`. */
export const emailChangeRequest = z
  .strictObject({
    email: emailAddress,
    password: password.optional().openapi({
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

const flag = (description: string) => z.enum(['true', 'false']).optional().openapi({ description })
const email = text('The address for log-in.', 'alex@example.com')
const roles = z
  .array(z.string().max(64))
  .max(64)
  .openapi({ description: 'The roles of the access tokens.', example: ['teacher'] })

/** The query parameters of `GET /admin/users`. */
export const userQuery = z.object({
  query: z.string().max(256).optional().openapi({
    description: 'Only users whose e-mail address or name begins with this text, in any case.',
    example: 'ann',
  }),
  role: z.string().max(64).optional().openapi({ description: 'Only users with this role.' }),
  disabled: flag('Only users that are disabled, or only those that are not.'),
  email_verified: flag('Only users whose address is verified, or only those whose address is not.'),
  after: z
    .string()
    .regex(/^[\w.@:-]{1,128}$/)
    .optional()
    .openapi({ description: 'The id of the last user of the previous page.' }),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

/** A user as an administrator sees it. */
export const adminUser = z
  .object({
    id: text('`sub` of the access token.', 'user-123'),
    email,
    email_verified: z.boolean().openapi({ description: 'Whether the user has shown that the address is theirs.' }),
    name: z.string().nullable().openapi({ description: 'Null if there is none.', example: 'Alex Lee' }),
    attributes,
    roles,
    disabled: z.boolean().openapi({ description: 'Whether the user cannot log in.' }),
    created_at: time('When the user was created.'),
  })
  .openapi('AdminUser')

/** One user with what an administrator needs to judge an incident. */
export const adminUserDetails = z
  .object({
    user: adminUser.openapi({ description: 'The user.' }),
    sessions: z
      .array(session.omit({ current: true }).openapi('UserSession'))
      .openapi({ description: 'Live sessions, newest first, at most 100.' }),
    events: z.array(auditRow).openapi({ description: 'The last 20 rows of the audit log, newest first.' }),
  })
  .openapi('AdminUserDetails')

/** The body of `POST /admin/users`. An administrator never chooses a password. */
export const createUserRequest = z
  .strictObject({
    email: z.string().max(320).openapi({ description: 'The address for log-in.', example: 'alex@example.com' }),
    name: name.optional(),
    roles: roles.optional(),
  })
  .openapi('CreateUserRequest')

/** The body of `PATCH /admin/users/{id}`. */
export const rolesRequest = z.strictObject({ roles }).openapi('RolesRequest')
