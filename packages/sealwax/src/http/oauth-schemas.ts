import { z } from '@hono/zod-openapi'
import { REFUSAL_REASONS } from '../errors.ts'
import type { ErrorCode } from './refusals.ts'
import { jsonReply, seconds, text, time, tokens } from './schemas.ts'

/** The grants of this server. There is no authorization endpoint and no password grant. */
export const GRANT_TYPES = ['client_credentials', 'refresh_token'] as const

const optional = (description: string) => z.string().optional().openapi({ description })

/** What OAuth asks for is a form. What is missing is told by the route, in the words of RFC 6749; what is unknown is ignored (§3.2). */
const clientParameters = {
  client_id: optional('`cli_…` with `client_secret`, instead of HTTP Basic; `sealwax` or left out: your own apps.'),
  client_secret: optional('The secret of the client, instead of HTTP Basic.'),
}

export const tokenRequest = z
  .object({
    grant_type: z
      .string()
      .optional()
      .openapi({
        description: 'What is exchanged: the credentials of the client, or a refresh token.',
        enum: [...GRANT_TYPES],
        example: 'client_credentials',
      }),
    scope: optional('Fewer scopes than there are, separated by spaces. Left out: all of them.'),
    refresh_token: optional('Goes with `grant_type=refresh_token`.'),
    ...clientParameters,
  })
  .openapi('OAuthTokenRequest', { required: ['grant_type'] })

export const tokenParameter = z
  .object({
    token: z.string().optional().openapi({ description: 'An access token or a refresh token.', example: '<token>' }),
    token_type_hint: optional('Not needed: a token shows what it is.'),
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
    active: z.boolean().openapi({ description: 'False: nothing else is told.' }),
    token_use: z
      .enum(['access_token', 'refresh_token'])
      .optional()
      .openapi({ description: 'What it is for. A resource server lets in access tokens only.' }),
    token_type: z.literal('Bearer').optional().openapi({ description: 'Of access tokens.' }),
    sub: text('The user, or the API client itself.', 'user-123').optional(),
    sid: text('The session; that of an API client is of this token alone.', '4pXq7cT2mVb9Rk1LwZ8sDg').optional(),
    scope: text('Scopes, separated by spaces.', 'orders:read').optional(),
    client_id: text('`sealwax`, or the API client.', 'sealwax').optional(),
    exp: seconds('When it ends, in seconds since 1970.', 1_768_480_500).optional(),
    iat: seconds('When it was issued, in seconds since 1970.', 1_768_479_600).optional(),
    aud: z
      .union([z.string(), z.array(z.string())])
      .optional()
      .openapi({ description: 'What it is for.' }),
    iss: text('The issuer.', 'https://auth.example.com').optional(),
    jti: text('The id of the access token.', 'mS0Zq3vX7tB1kL9wY5cRhA').optional(),
    roles: z
      .array(z.string())
      .optional()
      .openapi({ description: 'Of the user.', example: ['teacher'] }),
    auth_time: seconds('When the user logged in, in seconds since 1970.', 1_768_479_600).optional(),
  })
  .openapi('Introspection')

export const apiClient = z
  .object({
    id: text('The `client_id`, and the `sub` of its access tokens.', 'cli_…'),
    name: text('For people.', 'nightly export'),
    scopes: z.array(z.string()).openapi({ description: 'All that it may ask for.', example: ['orders:read'] }),
    disabled: z.boolean().openapi({ description: 'Whether it is refused.' }),
    secrets: z
      .array(
        z.object({
          created_at: time('When it was made.'),
          expires_at: time('When it stops to serve; null for the current one.').nullable(),
        }),
      )
      .openapi({ description: 'The secrets that serve now, oldest first: two while the overlap of a rotation lasts.' }),
    created_at: time('When the client was created.'),
    updated_at: time('When it was changed, or its secret rotated.'),
  })
  .openapi('ApiClient')

export const issuedSecret = z
  .object({ client: apiClient, secret: text('Shown this once; the server keeps its SHA-256.', 'sws_…') })
  .openapi('IssuedSecret')

const clientName = text('For people: 1 to 128 characters.', 'nightly export')
const clientScopes = z.array(z.string()).openapi({
  description: 'All that it may ask for: at most 64 names of 1 to 64 characters.',
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
        'How long the current secret serves on: seconds, or a duration such as `24h`. 0 ends all others now.',
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

/** A form as a route describes it. */
export function formBody<S extends z.ZodType>(schema: S) {
  return { body: { required: true, content: { 'application/x-www-form-urlencoded': { schema } } } } as const
}

/** The refusals of one route of `/oauth/*` (RFC 6749 §5.2): the codes are its own. */
export function oauthErrors(...codes: ErrorCode[]) {
  return { ...jsonReply('An error (RFC 6749)', oauthError), 'x-codes': codes } as const
}
