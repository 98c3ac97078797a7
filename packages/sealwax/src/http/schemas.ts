import { z } from '@hono/zod-openapi'
import { LONE_SURROGATE } from '../engine/passwords.ts'
import { AuthError, type FieldError, REFUSAL_REASONS } from '../errors.ts'
import { ALL_ERRORS, type ErrorCode } from './refusals.ts'

export const time = (description: string) => z.string().openapi({ format: 'date-time', description })
export const text = (description: string, example: string) => z.string().openapi({ description, example })
export const seconds = (description: string, example: number) => z.number().int().openapi({ description, example })

const deviceId = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\x21-\x7e]+$/, 'A device id is visible ASCII characters')
  .optional()
  .openapi({
    description:
      'An id that the client chose for this device and sends each time: it recognizes the device when a reply was lost.',
  })

/** How somebody logs in or signs up. Bodies are strict: a member nobody asked for is refused, not ignored. */
export const loginRequest = z
  .strictObject({
    email: z.string().max(320).openapi({ example: 'alex@example.com' }),
    password: z
      .string()
      .max(1024)
      .refine((password) => password.isWellFormed(), LONE_SURROGATE)
      .openapi({ example: 'correct horse battery staple' }),
    mode: z.enum(['token', 'cookie']).default('token').openapi({
      description:
        '`cookie`: the refresh token goes into a cookie that no script can read, and not into the body of the reply.',
    }),
    device: deviceId,
    remember: z.boolean().default(true).openapi({
      description: '`false`: the session ends within a day of its last use, the cookie with the browser.',
    }),
  })
  .openapi('LoginRequest')

const refreshToken = (leftOut: string) =>
  z
    .string()
    .max(4096)
    .optional()
    .openapi({ description: `Left out: ${leftOut}.`, example: 'swr_AQ…' })

export const refreshRequest = z
  .strictObject({ refresh_token: refreshToken('the cookie is read'), device: deviceId })
  .openapi('RefreshRequest')

export const confirmRequest = z
  .strictObject({ refresh_token: refreshToken('the cookie is read') })
  .openapi('ConfirmRequest')

export const logoutRequest = z
  .strictObject({
    scope: z
      .enum(['current', 'others', 'all'])
      .default('current')
      .openapi({ description: 'Which sessions of the user end.' }),
    refresh_token: refreshToken('the access token or the cookie is read'),
  })
  .openapi('LogoutRequest')

export const user = z
  .object({
    id: text('`sub` of the access token.', 'user-123'),
    email: z.string().optional().openapi({ example: 'alex@example.com' }),
    roles: z.array(z.string()).openapi({ example: ['teacher'] }),
    created_at: time('When the user was created; absent for users of your own.').optional(),
  })
  .openapi('User')

export const tokens = {
  access_token: text('A JWT (RFC 9068): send it as `Authorization: Bearer …`.', 'eyJ…'),
  token_type: z.literal('Bearer'),
  expires_in: seconds('Seconds until the access token expires.', 900),
  refresh_token: text('Opaque. Absent in cookie mode.', 'swr_AQ…').optional(),
  refresh_expires_in: seconds('Seconds until the session ends if it is not refreshed.', 1_209_600),
  scope: text('Scopes, separated by spaces.', 'orders:read').optional(),
  session: z.object({
    id: text('`sid` of the access token.', '4pXq7cT2mVb9Rk1LwZ8sDg'),
    expires_at: time('The session ends then, refreshed or not.'),
    remember: z.boolean().openapi({ description: 'Whether it outlives the browser that began it.' }),
  }),
}

export const tokenResponse = z.object(tokens).openapi('TokenResponse')
export const loginResponse = z.object({ ...tokens, user }).openapi('LoginResponse')

export const session = z
  .object({
    id: text('`sid` of its access tokens.', '4pXq7cT2mVb9Rk1LwZ8sDg'),
    current: z.boolean().openapi({ description: 'Whether it is the session of this access token.' }),
    created_at: time('When somebody logged in.'),
    last_seen_at: time('The hour of its last use; what happens in the hour that is running does not show yet.'),
    expires_at: time('When it ends, if it is not refreshed.'),
    ip: z.string().optional().openapi({ example: '203.0.113.7' }),
    user_agent: z.string().optional().openapi({ example: 'Mozilla/5.0' }),
  })
  .openapi('Session')

const flag = (description: string) => z.boolean().default(false).openapi({ description })

export const signingKey = z
  .object({
    kid: text('The key id, as tokens name it.', 'HjEf7pgCYoCk…'),
    alg: text('The one algorithm of this key.', 'ES256'),
    state: z
      .enum(['published', 'signing', 'retiring', 'retired', 'revoked'])
      .openapi({ description: 'Where it stands: waiting, in use, only verifying, gone, taken back.' }),
    created_at: time('When it was made, and published.'),
    signs_from: time('When it began to sign, or will.'),
    signs_until: time('When the next key takes over; null while none is planned.').nullable(),
    retires_at: time('When it leaves the JWK Set; null like `signs_until`.').nullable(),
    revoked_at: time('When it was taken back in an emergency.').nullable(),
  })
  .openapi('SigningKey')

export const revokeKeyRequest = z
  .strictObject({
    end_sessions: flag('Ends the sessions that may hold an access token of the key, instead of letting them renew.'),
    all: flag('Revokes every key, the standby too.'),
    dry_run: flag('Changes nothing, and answers what would be.'),
  })
  .openapi('RevokeKeyRequest')

export const keyRevocation = z
  .object({
    revoked: z.array(z.string()).openapi({ description: 'The ids of the keys.' }),
    signing: z.string().nullable().openapi({ description: 'The key that signs now; null: one that is made for it.' }),
    sessions: z.number().int().openapi({ description: 'Live sessions that may hold an access token of these keys.' }),
    subjects: z.number().int().openapi({ description: 'How many users they belong to.' }),
    ends_sessions: z.boolean().openapi({ description: 'Whether they end, or renew silently.' }),
  })
  .openapi('KeyRevocation')

const problem = z
  .object({
    type: text('`urn:sealwax:error:` and the code.', 'urn:sealwax:error:token_expired'),
    title: text('The same for every refusal of this code.', 'Token has expired'),
    status: z.number().int().openapi({ description: 'The HTTP status again.', example: 401 }),
    detail: text('A sentence about this refusal, for people.', 'The access token has expired.'),
    code: z.enum(Object.keys(ALL_ERRORS)).openapi({ description: 'Stable: switch on it.', example: 'token_expired' }),
    error: text('The title again.', 'Token has expired'),
    reason: z
      .enum(REFUSAL_REASONS)
      .optional()
      .openapi({ description: 'Why a refresh token was refused; goes with `invalid_grant`.' }),
    errors: z
      .array(
        z.object({
          path: text('A JSON pointer into the body.', '/email'),
          code: text('What is wrong there.', 'invalid_type'),
          message: text('A sentence, for people.', 'Invalid input'),
        }),
      )
      .optional()
      .openapi({ description: 'What is wrong where; goes with `validation_failed`.' }),
    request_id: text('Also in the header `X-Request-Id`, and in the log.', 'w3gk2Fq9XyZt'),
  })
  .openapi('Problem', { description: 'A refusal (RFC 9457).' })

/** Which page of a list. */
export const pageQuery = z.object({
  after: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .optional()
    .openapi({ description: 'The id of the last one of the page before.' }),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

/** A body as a route describes it. */
export function jsonBody<S extends z.ZodType>(schema: S, required = true) {
  return { body: { required, content: { 'application/json': { schema } } } } as const
}

/** A reply as a route describes it. */
export function jsonReply<S extends z.ZodType>(description: string, schema: S) {
  return { description, content: { 'application/json': { schema } } } as const
}

/** A reply that also sets the refresh cookie, or clears it. */
export const setsCookie = {
  headers: {
    'Set-Cookie': { description: 'The refresh token, in cookie mode only.', schema: { type: 'string' } },
  },
} as const

/** The refusals of one route: the codes are its own; what its security, body and parameters imply is added in the document. */
export function refusals(...codes: ErrorCode[]) {
  return {
    description: 'A problem',
    content: { 'application/problem+json': { schema: problem } },
    'x-codes': codes,
  } as const
}

/** What the validator calls the parts of a request, and we do. */
const PARTS: Readonly<Record<string, string>> = { query: 'query', param: 'path', header: 'header' }

/** What the validator found, as `validation_failed`. No value is repeated: it may be a password. */
export function validationError(issues: readonly z.core.$ZodIssue[], target = 'json'): AuthError {
  const errors = issues.map((issue): FieldError => {
    const names = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 5).map((key) => key.slice(0, 64)) : []
    const path = [...issue.path, ...names.slice(0, 1)].map((part) => `/${pointerPart(String(part))}`).join('')
    return { path, code: issue.code, message: names.length > 0 ? 'There is no such member' : issue.message }
  })
  return new AuthError('validation_failed', `The ${PARTS[target] ?? 'body'} of the request is invalid`, { errors })
}

/** RFC 6901 §3: `~` and `/` are escaped inside a JSON pointer. */
function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
