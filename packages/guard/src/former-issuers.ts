import { createRemoteJWKSet, type VerificationKeys } from '@sealwax/jwt'
import type { Auth } from './auth.ts'
import type { KeySource } from './issuer.ts'
import { parseSecureUrl } from './urls.ts'

/**
 * Another issuer, such as the system that yours replaces, whose tokens are good until a date: users need not log in again when you move. Its tokens are
 * held against its own keys and rules, never against the guard's.
 */
export interface FormerIssuer {
  /** Its `iss`, exactly; `null`: its tokens have none. It may be the guard's own issuer: then its keys are the other keys that count. */
  readonly issuer: string | null
  /** What `importKey` made of its public key, PEM or secret; under the `kid` that its tokens name, if they name one. Either this or `jwksUri`. */
  readonly key?: VerificationKeys
  /** Where its key set is: https, or http on loopback. */
  readonly jwksUri?: string
  /** From when on its tokens are refused: a Date, or text such as `'2027-03-31'` or `'2027-03-31T12:00:00Z'`. */
  readonly until: Date | string
  /** As in `GuardOptions`. Default: the guard's. */
  readonly audience?: string | readonly string[] | null
  /** As in `GuardOptions`. Default `'JWT'`, which most libraries write; `null` where its tokens have no `typ`. */
  readonly typ?: string | null
  /** As in `GuardOptions`. Default `iss sub exp`, without `iss` where `issuer` is `null`. */
  readonly requiredClaims?: readonly string[]
  /** As in `GuardOptions`, for its tokens. */
  readonly check?: (auth: Auth) => boolean
}

/** A former issuer, checked. */
export interface ReadFormerIssuer {
  readonly issuer: string | null
  /** Milliseconds since 1970. */
  readonly until: number
  readonly keys: VerificationKeys | KeySource
  readonly rules: Pick<FormerIssuer, 'audience' | 'check'> & Required<Pick<FormerIssuer, 'typ' | 'requiredClaims'>>
}

const MEMBERS = new Set(['issuer', 'key', 'jwksUri', 'until', 'audience', 'typ', 'requiredClaims', 'check'])

/**
 * @param now milliseconds since 1970
 * @throws TypeError for what is not a former issuer
 */
export function readFormerIssuers(trust: readonly FormerIssuer[], now: () => number): ReadFormerIssuer[] {
  if (!Array.isArray(trust)) throw new TypeError('createGuard: trust must be a list of former issuers')
  const names = new Set(trust.map(({ issuer }: FormerIssuer) => issuer))
  if (names.size < trust.length) throw new TypeError('createGuard: trust names an issuer twice; key may be a list')
  return trust.map((former: FormerIssuer) => {
    for (const [name, value] of Object.entries(former)) {
      if (!MEMBERS.has(name)) throw new TypeError(`createGuard: trust: unknown member "${name}"`)
      if (value === undefined) throw new TypeError(`createGuard: trust: ${name} is undefined`)
    }
    const {
      issuer,
      until,
      typ = 'JWT',
      requiredClaims = issuer === null ? ['sub', 'exp'] : ['iss', 'sub', 'exp'],
    } = former
    if (issuer !== null && typeof issuer !== 'string') {
      throw new TypeError('createGuard: trust: issuer must be a string, or null for tokens without iss')
    }
    const { audience, check } = former
    const own = { ...(audience !== undefined && { audience }), ...(check && { check }) }
    return { issuer, until: timeOf(until), keys: keysOf(former, now), rules: { ...own, typ, requiredClaims } }
  })
}

function keysOf({ key, jwksUri }: FormerIssuer, now: () => number): VerificationKeys | KeySource {
  if ((key === undefined) === (jwksUri === undefined)) {
    throw new TypeError('createGuard: trust: give either key or jwksUri')
  }
  if (key !== undefined) return key
  if (parseSecureUrl(jwksUri) === undefined) throw new TypeError('createGuard: trust: jwksUri must be an https URL')
  return createRemoteJWKSet(jwksUri as string, { now })
}

function timeOf(until: Date | string): number {
  const known = until instanceof Date || (typeof until === 'string' && /^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(until))
  const time = known ? new Date(until).getTime() : Number.NaN
  if (Number.isNaN(time)) throw new TypeError('createGuard: trust: until must be a date')
  return time
}
