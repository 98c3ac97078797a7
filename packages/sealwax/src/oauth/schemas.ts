import { z } from '@hono/zod-openapi'
import { REFUSAL_REASONS } from '../errors.ts'
import type { ErrorCode } from '../http/refusals.ts'
import { jsonReply, seconds, text, time } from '../http/schemas.ts'
import { tokens } from '../sessions/schemas.ts'

/** The grants of this server. There is no authorization endpoint and no password grant. */
export const GRANT_TYPES = ['client_credentials', 'refresh_token'] as const

const optional = (description: string) => z.string().optional().openapi({ description })

/**
 * Missing parameters are refused by the routes, in the form of RFC 6749; unknown ones are ignored
 * (§3.2).
 */
const clientParameters = {
  client_id: optional(
    '`cli_…` with `client_secret`, instead of HTTP Basic. First-party apps send `sealwax` or nothing.',
  ),
  client_secret: optional('The secret of the client, instead of HTTP Basic.'),
}

export const tokenRequest = z
  .object({
    grant_type: z
      .string()
      .optional()
      .openapi({
        description: 'What is exchanged for a token: the credentials of the client, or a refresh token.',
        enum: [...GRANT_TYPES],
        example: 'client_credentials',
      }),
    scope: optional('The requested scopes, separated by spaces. Default: all that were granted.'),
    refresh_token: optional('Required with `grant_type=refresh_token`.'),
    ...clientParameters,
  })
  .openapi('OAuthTokenRequest', { required: ['grant_type'] })

export const tokenParameter = z
  .object({
    token: z.string().optional().openapi({ description: 'An access token or a refresh token.', example: '<token>' }),
    token_type_hint: optional('Ignored: the kind of a token is known from its form.'),
    ...clientParameters,
  })
  .openapi('OAuthToken', { required: ['token'] })

export const oauthTokenResponse = z
  .object({
    ...tokens,
    refresh_token: text('Opaque. Absent for API clients.', 'swr_AQ…').optional(),
    refresh_expires_in: tokens.refresh_expires_in.optional(),
    session: tokens.session.optional(),
  })
  .openapi('OAuthTokenResponse')

export const introspection = z
  .object({
    active: z.boolean().openapi({ description: 'Whether the token is valid. If not, there are no other members.' }),
    token_use: z
      .enum(['access_token', 'refresh_token'])
      .optional()
      .openapi({ description: 'The kind of the token. A resource server must accept only access tokens.' }),
    token_type: z.enum(['Bearer', 'DPoP']).optional().openapi({ description: 'Only for access tokens.' }),
    cnf: z
      .object({ jkt: text('The RFC 7638 thumbprint of the key.', '0ZcOCORZNYy-…') })
      .optional()
      .openapi({ description: 'The thumbprint of the key that the token is bound to (RFC 9449 §6.2).' }),
    sub: text('The user, or the API client itself.', 'user-123').optional(),
    sid: text('The session. A token of an API client has an id of its own here.', '4pXq7cT2mVb9Rk1LwZ8sDg').optional(),
    scope: text('Scopes, separated by spaces.', 'orders:read').optional(),
    client_id: text('`sealwax`, or the API client.', 'sealwax').optional(),
    exp: seconds('When it expires, in seconds since 1970.', 1_768_480_500).optional(),
    iat: seconds('When it was issued, in seconds since 1970.', 1_768_479_600).optional(),
    aud: z
      .union([z.string(), z.array(z.string())])
      .optional()
      .openapi({ description: 'The audience.' }),
    iss: text('The issuer.', 'https://auth.example.com').optional(),
    jti: text('The id of the access token.', 'mS0Zq3vX7tB1kL9wY5cRhA').optional(),
    roles: z
      .array(z.string())
      .optional()
      .openapi({ description: 'The roles of the user.', example: ['teacher'] }),
    auth_time: seconds('When the user logged in, in seconds since 1970.', 1_768_479_600).optional(),
  })
  .openapi('Introspection')

export const apiClient = z
  .object({
    id: text('The `client_id`, and the `sub` of its access tokens.', 'cli_…'),
    name: text('A name for people.', 'nightly export'),
    scopes: z.array(z.string()).openapi({ description: 'The scopes that it may request.', example: ['orders:read'] }),
    disabled: z.boolean().openapi({ description: 'Whether it cannot authenticate.' }),
    secrets: z
      .array(
        z.object({
          created_at: time('When it was made.'),
          expires_at: time('When it expires; null for the current one.').nullable(),
        }),
      )
      .openapi({ description: 'The valid secrets, oldest first: two during the overlap of a rotation.' }),
    created_at: time('When the client was created.'),
    updated_at: time('When it was last changed, or its secret rotated.'),
  })
  .openapi('ApiClient')

export const issuedSecret = z
  .object({ client: apiClient, secret: text('Returned only here; the server stores its SHA-256.', 'sws_…') })
  .openapi('IssuedSecret')

const clientName = text('A name for people: 1 to 128 characters.', 'nightly export')
const clientScopes = z.array(z.string()).openapi({
  description: 'The scopes that it may request: at most 64 names of 1 to 64 characters.',
  example: ['orders:read'],
})

export const createClientRequest = z
  .strictObject({ name: clientName, scopes: clientScopes.optional() })
  .openapi('CreateClient')

export const clientChange = z
  .strictObject({ name: clientName.optional(), scopes: clientScopes.optional() })
  .openapi('ChangeClient')

export const rotateRequest = z
  .strictObject({
    overlap: z.union([z.number(), z.string()]).default('24h').openapi({
      description:
        'How long the current secret stays valid: seconds, or a duration such as `24h`. With 0, all other secrets expire now.',
    }),
  })
  .openapi('RotateSecret')

const oauthError = z
  .object({
    error: text('Stable: switch on it.', 'invalid_grant'),
    error_description: text('A sentence about this refusal, for people.', 'This refresh token was used before'),
    reason: z
      .enum(REFUSAL_REASONS)
      .optional()
      .openapi({ description: 'Why a refresh token was refused; goes with `invalid_grant`.' }),
    request_id: text('Also in the header `X-Request-Id`, and in the log.', 'w3gk2Fq9XyZt'),
  })
  .openapi('OAuthError', { description: 'A refusal (RFC 6749 §5.2).' })

/** Describes a form body. */
export function formBody<S extends z.ZodType>(schema: S) {
  return { body: { required: true, content: { 'application/x-www-form-urlencoded': { schema } } } } as const
}

/** Describes the errors of a route of `/oauth/*` (RFC 6749 §5.2). */
export function oauthErrors(...codes: ErrorCode[]) {
  return { ...jsonReply('An error (RFC 6749)', oauthError), 'x-codes': codes } as const
}
