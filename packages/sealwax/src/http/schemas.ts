import { z } from '@hono/zod-openapi'
import { AuthError, type FieldError, REFUSAL_REASONS } from '../errors.ts'
import { once } from './once.ts'
import { allErrors, type ErrorCode } from './refusals.ts'

export const time = (description: string) => z.string().openapi({ format: 'date-time', description })
export const text = (description: string, example: string) => z.string().openapi({ description, example })
export const seconds = (description: string, example: number) => z.number().int().openapi({ description, example })

/** Created with the first route, when every feature has added its codes. */
const problem = once(() =>
  z
    .object({
      type: text('`urn:sealwax:error:` and the code.', 'urn:sealwax:error:token_expired'),
      title: text('The title of this code.', 'Token has expired'),
      status: z.number().int().openapi({ description: 'The HTTP status.', example: 401 }),
      detail: text('A sentence that explains this error.', 'The access token has expired.'),
      code: z
        .enum(Object.keys(allErrors()))
        .openapi({ description: 'The stable error code.', example: 'token_expired' }),
      error: text('The same as `title`.', 'Token has expired'),
      reason: z
        .enum(REFUSAL_REASONS)
        .optional()
        .openapi({ description: 'Why; only with `invalid_grant` and `user_disabled`.' }),
      errors: z
        .array(
          z.object({
            path: text('A JSON pointer into the body.', '/email'),
            code: text('The kind of error.', 'invalid_type'),
            message: text('A sentence that explains the error.', 'Invalid input'),
          }),
        )
        .optional()
        .openapi({ description: 'The invalid values; only with `validation_failed`.' }),
      request_id: text('Also in the header `X-Request-Id` and in the log.', 'w3gk2Fq9XyZt'),
    })
    .openapi('Problem', { description: 'An error (RFC 9457).' }),
)

/** The query parameters of a paginated list. */
export const pageQuery = z.object({
  after: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .optional()
    .openapi({ description: 'The id of the last item of the previous page.' }),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

/** The OpenAPI description of a JSON body. */
export function jsonBody<S extends z.ZodType>(schema: S, required = true) {
  return { body: { required, content: { 'application/json': { schema } } } } as const
}

/** The OpenAPI description of a JSON reply. */
export function jsonReply<S extends z.ZodType>(description: string, schema: S) {
  return { description, content: { 'application/json': { schema } } } as const
}

/** A reply that also sets or clears the refresh cookie. */
export const setsCookie = {
  headers: {
    'Set-Cookie': { description: 'The refresh token, in cookie mode only.', schema: { type: 'string' } },
  },
} as const

/**
 * The error codes of a route. The document adds those implied by its security, body and parameters.
 */
export function refusals(...codes: ErrorCode[]) {
  return {
    description: 'A problem',
    content: { 'application/problem+json': { schema: problem() } },
    'x-codes': codes,
  } as const
}

/**
 * Part of a route that hashes a password: in a flood its requests start a few at a time, and it may
 * return `overloaded`. The path must be below the base path and have no parameters.
 */
export const hashesPassword = { 'x-admission': 'password' } as const

/** Names of the parts of a request: the validator's, and ours. */
const PARTS: Readonly<Record<string, string>> = { query: 'query', param: 'path', header: 'header' }

/**
 * Converts the result of the validator to `validation_failed`. Does not contain the values, which
 * may be passwords.
 */
export function validationError(issues: readonly z.core.$ZodIssue[], target = 'json'): AuthError {
  const errors = issues.map((issue): FieldError => {
    const names = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 5).map((key) => key.slice(0, 64)) : []
    const path = [...issue.path, ...names.slice(0, 1)].map((part) => `/${pointerPart(String(part))}`).join('')
    return { path, code: issue.code, message: names.length > 0 ? 'Unknown member' : issue.message }
  })
  return new AuthError('validation_failed', `The ${PARTS[target] ?? 'body'} of the request is invalid`, { errors })
}

/** RFC 6901 §3: `~` and `/` are escaped inside a JSON pointer. */
function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
