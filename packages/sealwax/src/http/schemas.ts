import { z } from '@hono/zod-openapi'
import { AuthError, type FieldError } from '../errors.ts'

/** Bodies are strict: a member nobody asked for is refused, not ignored. */
const credentials = z
  .strictObject({
    email: z.string().max(320).openapi({ example: 'alex@example.com' }),
    password: z.string().max(1024).openapi({ example: 'correct horse battery staple' }),
  })
  .openapi('Credentials')

/** How a log-in wants its refresh token. */
export const loginRequest = credentials
  .extend({
    /** `cookie`: the refresh token goes into a cookie that no script can read, and not into the body. */
    mode: z.enum(['token', 'cookie']).default('token'),
    /** False: the session ends within a day of its last use, the cookie with the browser. */
    remember: z.boolean().default(true),
  })
  .openapi('LoginRequest')

export const refreshRequest = z
  .strictObject({ refresh_token: z.string().max(4096).optional().openapi({ example: 'swr_AQ…' }) })
  .openapi('RefreshRequest')

export const logoutRequest = z
  .strictObject({
    /** Which sessions end. */
    scope: z.enum(['current', 'others', 'all']).default('current'),
    refresh_token: z.string().max(4096).optional(),
  })
  .openapi('LogoutRequest')

export const user = z
  .object({
    id: z.string(),
    email: z.string().optional(),
    roles: z.array(z.string()),
    created_at: z.string().optional(),
  })
  .openapi('User')

const tokens = {
  access_token: z.string(),
  token_type: z.literal('Bearer'),
  expires_in: z.number().int(),
  /** Absent in cookie mode. */
  refresh_token: z.string().optional(),
  refresh_expires_in: z.number().int(),
  scope: z.string().optional(),
  session: z.object({ id: z.string(), expires_at: z.string(), remember: z.boolean() }),
}

export const tokenResponse = z.object(tokens).openapi('TokenResponse')
export const loginResponse = z.object({ ...tokens, user }).openapi('LoginResponse')

export const session = z
  .object({
    id: z.string(),
    current: z.boolean(),
    created_at: z.string(),
    last_seen_at: z.string(),
    expires_at: z.string(),
    ip: z.string().optional(),
    user_agent: z.string().optional(),
  })
  .openapi('Session')

export const signingKey = z
  .object({
    kid: z.string(),
    alg: z.string(),
    state: z.enum(['published', 'signing', 'retiring', 'retired', 'revoked']),
    created_at: z.string(),
    signs_from: z.string(),
    /** Null while no successor is planned. */
    signs_until: z.string().nullable(),
    retires_at: z.string().nullable(),
    revoked_at: z.string().nullable(),
  })
  .openapi('SigningKey')

export const revokeKeyRequest = z
  .strictObject({
    /** Ends the sessions that may hold an access token of the key, instead of letting them renew. */
    end_sessions: z.boolean().default(false),
    /** Revokes every key, the standby too. */
    all: z.boolean().default(false),
    /** Changes nothing, and answers what would be. */
    dry_run: z.boolean().default(false),
  })
  .openapi('RevokeKeyRequest')

export const keyRevocation = z
  .object({
    revoked: z.array(z.string()),
    /** The key that signs now; null: one that is made for it. */
    signing: z.string().nullable(),
    /** Live sessions that may hold an access token of these keys. */
    sessions: z.number().int(),
    /** How many users they belong to. */
    subjects: z.number().int(),
    ends_sessions: z.boolean(),
  })
  .openapi('KeyRevocation')
/** What OAuth asks for is a form. What is missing is told by the route, in the words of RFC 6749; what is unknown is ignored (§3.2). */
const clientParameters = {
  client_id: z.string().optional().openapi({ example: 'cli_…' }),
  client_secret: z.string().optional(),
  client_assertion: z.string().optional(),
}

export const tokenRequest = z
  .object({
    grant_type: z.string().optional().openapi({ example: 'client_credentials' }),
    scope: z.string().optional().openapi({ example: 'orders:read' }),
    refresh_token: z.string().optional().openapi({ example: 'swr_AQ…' }),
    ...clientParameters,
  })
  .openapi('OAuthTokenRequest')

export const tokenParameter = z
  .object({ token: z.string().optional(), token_type_hint: z.string().optional(), ...clientParameters })
  .openapi('OAuthToken')

export const oauthTokenResponse = z
  .object({
    ...tokens,
    refresh_expires_in: tokens.refresh_expires_in.optional(),
    session: tokens.session.optional(),
  })
  .openapi('OAuthTokenResponse')

export const introspection = z.looseObject({ active: z.boolean() }).openapi('Introspection')

export const apiClient = z
  .object({
    id: z.string().openapi({ example: 'cli_…' }),
    name: z.string(),
    scopes: z.array(z.string()),
    disabled: z.boolean(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi('ApiClient')

export const issuedSecret = z
  .object({ client: apiClient, secret: z.string().openapi({ example: 'sws_…' }) })
  .openapi('IssuedSecret')

const clientName = z.string().openapi({ example: 'nightly export' })
const clientScopes = z.array(z.string()).openapi({ example: ['orders:read'] })

export const createClientRequest = z
  .strictObject({ name: clientName, scopes: clientScopes.optional() })
  .openapi('CreateClient')

export const clientChange = z
  .strictObject({ name: clientName.optional(), scopes: clientScopes.optional() })
  .openapi('ChangeClient')

export const rotateRequest = z
  .strictObject({
    /** How long the current secret serves on: seconds, or a duration such as `24h`. */
    overlap: z.union([z.number(), z.string()]).default('24h'),
  })
  .openapi('RotateSecret')

const oauthError = z
  .object({
    error: z.string(),
    error_description: z.string(),
    reason: z.string().optional(),
    request_id: z.string(),
  })
  .openapi('OAuthError')

const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string(),
    error: z.string(),
    reason: z.string().optional(),
    errors: z.array(z.object({ path: z.string(), code: z.string(), message: z.string() })).optional(),
    request_id: z.string(),
  })
  .openapi('Problem')

/** A body as a route describes it. */
export function jsonBody<S extends z.ZodType>(schema: S, required = true) {
  return { body: { required, content: { 'application/json': { schema } } } } as const
}

/** A form as a route describes it. */
export function formBody<S extends z.ZodType>(schema: S) {
  return { body: { required: true, content: { 'application/x-www-form-urlencoded': { schema } } } } as const
}

/** A reply as a route describes it. */
export function jsonReply<S extends z.ZodType>(description: string, schema: S) {
  return { description, content: { 'application/json': { schema } } } as const
}

/** The replies every route may give. */
export const problemReply = {
  description: 'A problem',
  content: { 'application/problem+json': { schema: problem } },
} as const

/** The refusals of `/oauth/*` (RFC 6749 §5.2). */
export const oauthErrorReplies = { default: jsonReply('An error (RFC 6749)', oauthError) } as const

/** What the validator found, as `validation_failed`. No value is repeated: it may be a password. */
export function validationError(issues: readonly z.core.$ZodIssue[]): AuthError {
  const errors = issues.map((issue): FieldError => {
    const names = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 5).map((key) => key.slice(0, 64)) : []
    const path = [...issue.path, ...names.slice(0, 1)].map((part) => `/${pointerPart(String(part))}`).join('')
    return { path, code: issue.code, message: names.length > 0 ? 'There is no such member' : issue.message }
  })
  return new AuthError('validation_failed', 'The request body is not as it should be', { errors })
}

/** RFC 6901 §3: `~` and `/` are escaped inside a JSON pointer. */
function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
