import { GUARD_ERRORS, GuardError, type GuardErrorCode } from '@sealwax/guard'
import { AUTH_ERRORS, type AuthErrorCode } from '../errors.ts'

export type ErrorCode = AuthErrorCode | GuardErrorCode

/**
 * Every code with its status and title, by status. A code that both the guard and the API use has
 * the same status in both.
 */
export function allErrors(): Readonly<Record<ErrorCode, readonly [status: number, title: string]>> {
  const rows = Object.entries({ ...GUARD_ERRORS, ...AUTH_ERRORS }).sort(([, [one]], [, [other]]) => one - other)
  return Object.fromEntries(rows) as ReturnType<typeof allErrors>
}

/** Only for routes that require more than a token; none of ours sets `check`. */
const BEYOND_THE_TOKEN: readonly string[] = [
  'reauthentication_required',
  'insufficient_scope',
  'insufficient_role',
  'check_failed',
  'csrf_failed',
] satisfies GuardErrorCode[]

const OF_THE_TOKEN = Object.keys(GUARD_ERRORS).filter((code) => !BEYOND_THE_TOKEN.includes(code)) as GuardErrorCode[]

/** The parts of an OpenAPI operation that determine the possible errors. */
export interface Declared {
  readonly method: string
  /** Media type of the body, if there is one. */
  readonly body: string | undefined
  readonly hasParameters: boolean
  /** The names of the accepted security schemes. */
  readonly schemes: readonly string[]
  /** Whether the user must have a role. */
  readonly needsRole: boolean
  readonly hashesPassword: boolean
}

const FORM = 'application/x-www-form-urlencoded'

/** Errors that follow from other parts of a route, so that it does not list them. */
const IMPLIED: readonly (readonly [when: (declared: Declared) => boolean, codes: readonly ErrorCode[]])[] = [
  [() => true, ['internal_error']],
  [({ method }) => method !== 'get', ['invalid_request', 'payload_too_large']],
  [({ method, body }) => method !== 'get' && body !== FORM, ['malformed_json']],
  [({ method, body }) => (method === 'post' || method === 'patch') && body !== FORM, ['unsupported_media_type']],
  [({ body }) => body !== undefined && body !== FORM, ['validation_failed']],
  [({ hasParameters }) => hasParameters, ['validation_failed']],
  [({ schemes }) => schemes.includes('bearer'), OF_THE_TOKEN],
  [({ needsRole }) => needsRole, ['insufficient_role']],
  [({ schemes }) => schemes.includes('cookie'), ['csrf_failed']],
  [({ hashesPassword }) => hashesPassword, ['overloaded']],
]

/** The error codes of an operation: its own and the implied ones, in the order of the tables. */
export function possibleCodes(own: readonly ErrorCode[], declared: Declared): ErrorCode[] {
  const implied = IMPLIED.flatMap(([when, codes]) => (when(declared) ? codes : []))
  const possible = new Set<string>([...own, ...implied])
  return Object.keys(allErrors()).filter((code) => possible.has(code)) as ErrorCode[]
}

/** Additional members in the example of a code. */
const MORE: Readonly<Partial<Record<ErrorCode, object>>> = {
  invalid_grant: { reason: 'expired' },
  validation_failed: { errors: [{ path: '/email', code: 'invalid_type', message: 'Invalid input' }] },
}

/** An example of a problem document. */
export function exampleProblem(code: ErrorCode): object {
  const [status, title] = allErrors()[code]
  const detail = code in GUARD_ERRORS && !(code in AUTH_ERRORS) ? new GuardError(code as GuardErrorCode).detail : title
  const type = `urn:sealwax:error:${code}`
  return { type, title, status, detail, code, error: title, ...MORE[code], request_id: 'w3gk2Fq9XyZt' }
}

/**
 * Whether the reply has a challenge (RFC 6750 §3): every 401 (RFC 9110 §15.5.2), and the scope
 * errors of the guard.
 */
export function hasChallenge(code: ErrorCode): boolean {
  if (allErrors()[code][0] === 401) return true
  return code in GUARD_ERRORS && 'WWW-Authenticate' in new GuardError(code as GuardErrorCode).headers
}
