import { JwtError, type JwtPayload } from '@sealwax/jwt'

/**
 * A schema of a library that follows Standard Schema 1 (standardschema.dev), such as zod or
 * valibot.
 */
export interface ClaimSchema<Claims = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly validate: (value: unknown) => SchemaResult<Claims> | Promise<SchemaResult<Claims>>
    /** For the compiler only: there is no such value. */
    readonly types?: { readonly output: Claims } | undefined
  }
}

/** What a schema returns. */
type SchemaResult<Claims> =
  | { readonly value: Claims; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** The guard relies on these claims, so that a schema cannot replace them. */
const KEPT = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sid', 'auth_time', 'cnf'] as const

/** Whether a value is a schema. */
export function isClaimSchema(value: unknown): boolean {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || !('~standard' in value)) {
    return false
  }
  const standard = value['~standard'] as { readonly validate?: unknown } | undefined
  return typeof standard?.validate === 'function'
}

/**
 * Validates the claims of a verified token.
 * @returns the claims with what the schema makes of them
 * @throws {JwtError} `ERR_JWT_CLAIM`, which names the claim
 * @throws {TypeError} for a schema that is asynchronous or does not return an object
 */
export function applySchema(schema: ClaimSchema, payload: JwtPayload): JwtPayload {
  const result = schema['~standard'].validate(payload)
  if (result instanceof Promise) {
    result.catch(() => {})
    throw new TypeError('createGuard: claims.schema must be synchronous')
  }
  if (result.issues !== undefined) throw refusalFor(result.issues)
  const { value } = result
  if (typeof value !== 'object' || value === null) {
    throw new TypeError('createGuard: claims.schema must return an object')
  }
  const kept = KEPT.filter((claim) => Object.hasOwn(payload, claim)).map((claim) => [claim, payload[claim]])
  return { ...payload, ...value, ...Object.fromEntries(kept) }
}

function refusalFor([issue]: readonly SchemaIssue[]): JwtError {
  const [first] = issue?.path ?? []
  const claim = String(typeof first === 'object' ? first.key : (first ?? '')) || undefined
  const message = `${claim === undefined ? 'the claims do' : `the claim ${claim} does`} not match claims.schema`
  // The message may contain a value of the token: it is for the log, not for the client.
  const cause = new Error(issue?.message)
  return new JwtError('ERR_JWT_CLAIM', message, { cause, ...(claim !== undefined && { claim }) })
}
