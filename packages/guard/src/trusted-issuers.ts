import { shapeOf } from './shape.ts'
import type { GuardOptions } from './trust.ts'

/**
 * An issuer beside the one that the options of the guard name: another identity provider, or the system that yours replaces, whose tokens then stay good until a
 * date. Its tokens are held against its own keys and rules, never against the guard's (RFC 8725 §3.8).
 */
export interface TrustedIssuer
  extends Pick<
    GuardOptions,
    'keys' | 'revocation' | 'check' | 'typ' | 'requiredClaims' | 'algorithms' | 'maxLifetime' | 'senderConstrained'
  > {
  /** Its `iss`, exactly; `null`: its tokens have none. It may be the guard's own issuer: then its keys are the other keys that count. */
  readonly issuer: string | null
  /** As in `GuardOptions`. Default: the guard's. */
  readonly audience?: string | readonly string[] | null
  /**
   * From when on its tokens are refused: a Date, or text such as `'2027-03-31'` or `'2027-03-31T12:00:00Z'`. Default: never. With a date, or
   * where `issuer` is `null`, `typ` is `'JWT'` and `requiredClaims` are `iss sub exp` by default (without `iss` for `null`), as most older systems write their tokens.
   */
  readonly until?: Date | string
}

/** One of them, checked as far as only it needs checking. */
export interface ReadTrustedIssuer {
  readonly issuer: string | null
  /** Milliseconds since 1970; infinite without a date. */
  readonly until: number
  /** Its members that are options of a guard. */
  readonly rules: Omit<TrustedIssuer, 'issuer' | 'until'>
}

const MEMBERS: ReadonlySet<string> = new Set<keyof TrustedIssuer>([
  ...(['issuer', 'audience', 'typ', 'requiredClaims', 'algorithms', 'maxLifetime', 'senderConstrained'] as const),
  ...(['keys', 'revocation', 'check', 'until'] as const),
])

/** Names that members are taken for, and what to write. */
const RENAMED: Readonly<Record<string, string>> = {
  key: 'write keys',
  jwksUri: 'write keys: createRemoteJWKSet(url)',
}

/** @throws TypeError for what is not a trusted issuer */
export function readTrustedIssuers(issuers: readonly TrustedIssuer[]): ReadTrustedIssuer[] {
  if (!Array.isArray(issuers)) throw new TypeError('createGuard: issuers must be a list, such as [{ issuer, keys }]')
  const read = issuers.map(readTrustedIssuer)
  const names = read.map(({ issuer }) => issuer)
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) {
    const name = twice === null ? 'null' : `"${twice}"`
    throw new TypeError(`createGuard: issuers names ${name} twice; give one entry with a list of keys`)
  }
  return read
}

function readTrustedIssuer(entry: TrustedIssuer, index: number): ReadTrustedIssuer {
  const where = `createGuard: issuers[${index}]`
  if (typeof entry !== 'object' || entry === null) {
    throw new TypeError(`${where} must be an object such as { issuer, keys }; got ${shapeOf(entry)}`)
  }
  for (const [name, value] of Object.entries(entry)) {
    if (Object.hasOwn(RENAMED, name)) throw new TypeError(`${where}: there is no ${name}; ${RENAMED[name]}`)
    if (!MEMBERS.has(name)) throw new TypeError(`${where}: unknown member "${name}"`)
    if (value === undefined && name !== 'issuer') {
      throw new TypeError(`${where}: ${name} is undefined; leave it out to get its default`)
    }
  }
  const { issuer, until, ...own } = entry
  if (issuer !== null && (typeof issuer !== 'string' || issuer === '')) {
    throw new TypeError(`${where}: issuer must be the iss of its tokens, or null for tokens without one`)
  }
  if (issuer === null && own.keys === undefined) {
    throw new TypeError(`${where}: keys must be given: tokens without iss name nobody who could be asked for keys`)
  }
  const end = until === undefined ? Number.POSITIVE_INFINITY : timeOf(until, where)
  if (until === undefined && issuer !== null) return { issuer, until: end, rules: own }
  const requiredClaims = issuer === null ? ['sub', 'exp'] : ['iss', 'sub', 'exp']
  return { issuer, until: end, rules: { typ: 'JWT', requiredClaims, ...own } }
}

function timeOf(until: Date | string, where: string): number {
  const known = until instanceof Date || (typeof until === 'string' && /^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(until))
  const time = known ? new Date(until).getTime() : Number.NaN
  // A day that the month does not have would silently be one of the next month.
  const isReal =
    !Number.isNaN(time) && (until instanceof Date || new Date(time).toISOString().startsWith(until.slice(0, 10)))
  if (!isReal) throw new TypeError(`${where}: until must be a Date, or a date such as '2027-03-31'`)
  return time
}
