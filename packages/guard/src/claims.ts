import { JwtError, type JwtPayload } from '@sealwax/jwt'
import { applySchema, type ClaimSchema, isClaimSchema } from './claim-schema.ts'
import { isListOf, isNonEmpty, mustBe, type OptionRules } from './strict-options.ts'

/**
 * Where a value is in the claims: the name of a claim, the path to a member of an object such as
 * `['realm_access', 'roles']`, or a function of the claims. A name with dots is one name.
 */
export type ClaimSource = string | readonly string[] | ((payload: JwtPayload) => unknown)

/** Where an issuer writes what `Auth` contains. Default for each: the claims of the RFCs. */
export interface ClaimMapping<Claims = unknown> {
  /**
   * `Auth.subject`: a string that is not empty, or a whole number, which becomes a string. Default
   * `sub`, which must be a string.
   */
  readonly subject?: ClaimSource
  /**
   * `Auth.scopes`: a string with spaces between the scopes, or a list. Default `scope`; in tokens
   * without it `scp`.
   */
  readonly scopes?: ClaimSource
  /**
   * `Auth.roles`: a list, or a string, which is one role. Default `roles`, which must be a list.
   */
  readonly roles?: ClaimSource
  /** `Auth.clientId`: a string. Default `client_id`; in tokens without it `azp`. */
  readonly clientId?: ClaimSource
  /**
   * A schema for the claims of your application, of zod, valibot or another library with Standard
   * Schema: validates and types `Auth.payload`. A token that does not match is refused with
   * `token_claim_invalid`. Must be synchronous. Claims that it drops are kept, and it cannot
   * replace the registered ones (`iss`, `sub`, `exp` …). Default: none.
   */
  readonly schema?: ClaimSchema<Claims>
}

/** What the claims of a token say. */
export interface ReadClaims {
  readonly subject: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  readonly clientId: string | undefined
  /** All claims, with what the schema made of them. */
  readonly payload: JwtPayload
}

const mustBeSource = mustBe(
  'the name of a claim, the path to a member as a list of names, or a function of the claims',
  (value) => isNonEmpty(value) || isListOf(value) || typeof value === 'function',
)

const mustBeSchema = mustBe('a schema of a library with Standard Schema, such as zod or valibot', isClaimSchema)

/** What the option `claims` accepts. */
export const CLAIM_MAPPING: OptionRules<ClaimMapping> = {
  example: "{ scopes: 'scp' }",
  hints: { scope: 'write scopes', role: 'write roles', sub: 'write subject', client_id: 'write clientId' },
  rules: {
    subject: mustBeSource,
    scopes: mustBeSource,
    roles: mustBeSource,
    clientId: mustBeSource,
    schema: mustBeSchema,
  },
}

/** Returns the function that reads the claims of verified tokens. */
export function claimsReader(mapping: ClaimMapping = {}): (payload: JwtPayload) => ReadClaims {
  const { subject = 'sub', schema } = mapping
  const scopes = mapping.scopes ?? (({ scope, scp }: JwtPayload) => scope ?? scp)
  const roles = mapping.roles ?? (({ roles }: JwtPayload) => (Array.isArray(roles) ? roles : undefined))
  const clientId = mapping.clientId ?? (({ client_id, azp }: JwtPayload) => client_id ?? azp)
  return (payload) => {
    const client = find(payload, clientId, 'clientId')
    return {
      subject: readSubject(find(payload, subject, 'subject'), nameOf(subject)),
      scopes: readList(find(payload, scopes, 'scopes'), (text) => text.split(' ').filter(isNonEmpty)),
      roles: readList(find(payload, roles, 'roles'), (text) => [text]),
      clientId: isNonEmpty(client) ? client : undefined,
      payload: schema === undefined ? payload : applySchema(schema, payload),
    }
  }
}

function find(payload: JwtPayload, source: ClaimSource, option: Exclude<keyof ClaimMapping, 'schema'>): unknown {
  if (typeof source !== 'function') return [source].flat().reduce<unknown>(memberOf, payload)
  const value = source(payload)
  if (!(value instanceof Promise)) return value
  value.catch(() => {})
  throw new TypeError(`createGuard: claims.${option} must return a value (got a promise)`)
}

/** Own members only: a claim may have the name of a member of Object.prototype. */
function memberOf(value: unknown, name: string): unknown {
  const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, name)
  return isObject ? (value as Record<string, unknown>)[name] : undefined
}

function readSubject(value: unknown, claim: string | undefined): string {
  if (isNonEmpty(value)) return value
  if (Number.isSafeInteger(value)) return String(value)
  const about = claim === undefined ? undefined : { claim }
  if (value === undefined) {
    throw new JwtError('ERR_JWT_CLAIM_MISSING', `the token has no ${claim ?? 'claim with a subject'}`, about)
  }
  throw new JwtError('ERR_JWT_CLAIM', `${claim ?? 'the subject'} is empty, or not a string or whole number`, about)
}

/** A list with anything but strings is none: a part of it could mean something else. */
function readList(value: unknown, split: (text: string) => readonly string[]): readonly string[] {
  if (typeof value === 'string') return value === '' ? [] : split(value)
  return isListOf(value, () => true) ? [...(value as string[])] : []
}

/** For messages. What a function reads is not known. */
function nameOf(source: ClaimSource): string | undefined {
  return typeof source === 'function' ? undefined : [source].flat().join('.')
}
