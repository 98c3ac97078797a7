import { GUARD_ERRORS, GuardError, type GuardErrorCode } from '@sealwax/guard'
import { AUTH_ERRORS, type AuthErrorCode } from '../errors.ts'

export type ErrorCode = AuthErrorCode | GuardErrorCode

/** Every code, with its status and title. Where the guard and the API share a code they agree on its status. */
export const ALL_ERRORS: Readonly<Record<ErrorCode, readonly [status: number, title: string]>> = {
  ...GUARD_ERRORS,
  ...AUTH_ERRORS,
}

/** Only a route that requires more than a token gives these; none of ours sets `check`. */
const BEYOND_THE_TOKEN: readonly string[] = [
  'reauthentication_required',
  'insufficient_scope',
  'insufficient_role',
  'check_failed',
  'csrf_failed',
] satisfies GuardErrorCode[]

const OF_THE_TOKEN = Object.keys(GUARD_ERRORS).filter((code) => !BEYOND_THE_TOKEN.includes(code)) as GuardErrorCode[]

/** What an operation of the document declares, as far as it decides which refusals are possible. */
export interface Declared {
  readonly method: string
  /** Media type of the body, when there is one. */
  readonly body: string | undefined
  readonly hasParameters: boolean
  /** The names of all security schemes it accepts. */
  readonly schemes: readonly string[]
  /** Whether its bearer must have a role. */
  readonly needsRole: boolean
}

const FORM = 'application/x-www-form-urlencoded'

/** The refusals that a route need not list, because something else of it says so. */
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
]

/** The codes that an operation may refuse with: its own, and those implied; ordered as the tables are. */
export function possibleCodes(own: readonly ErrorCode[], declared: Declared): ErrorCode[] {
  const implied = IMPLIED.flatMap(([when, codes]) => (when(declared) ? codes : []))
  const possible = new Set<string>([...own, ...implied])
  return Object.keys(ALL_ERRORS).filter((code) => possible.has(code)) as ErrorCode[]
}

/** What is said of a code beside its status and title, where documents show an example. */
const MORE: Readonly<Partial<Record<ErrorCode, object>>> = {
  invalid_grant: { reason: 'expired' },
  validation_failed: { errors: [{ path: '/email', code: 'invalid_type', message: 'Invalid input' }] },
}

/** A problem document as it might be sent. */
export function exampleProblem(code: ErrorCode): object {
  const [status, title] = ALL_ERRORS[code]
  const detail = code in GUARD_ERRORS && !(code in AUTH_ERRORS) ? new GuardError(code as GuardErrorCode).detail : title
  const type = `urn:sealwax:error:${code}`
  return { type, title, status, detail, code, error: title, ...MORE[code], request_id: 'w3gk2Fq9XyZt' }
}

/** Whether a challenge (RFC 6750 §3) goes with this code: with every 401 (RFC 9110 §15.5.2), and with what the guard says about scopes. */
export function hasChallenge(code: ErrorCode): boolean {
  if (ALL_ERRORS[code][0] === 401) return true
  return code in GUARD_ERRORS && 'WWW-Authenticate' in new GuardError(code as GuardErrorCode).headers
}
