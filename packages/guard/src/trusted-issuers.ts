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

/** @throws TypeError for what is not a trusted issuer */
export function readTrustedIssuers(issuers: readonly TrustedIssuer[]): ReadTrustedIssuer[] {
  if (!Array.isArray(issuers)) throw new TypeError('createGuard: issuers must be a list such as [{ issuer, keys }]')
  const read = issuers.map(readTrustedIssuer)
  const names = new Set(read.map(({ issuer }) => issuer))
  if (names.size < read.length) throw new TypeError('createGuard: issuers names an issuer twice; keys may be a list')
  return read
}

function readTrustedIssuer(entry: TrustedIssuer): ReadTrustedIssuer {
  if (typeof entry !== 'object' || entry === null)
    throw new TypeError('createGuard: issuers: each is { issuer, keys, … }')
  for (const [name, value] of Object.entries(entry)) {
    if (!MEMBERS.has(name)) throw new TypeError(`createGuard: issuers: unknown member "${name}"`)
    if (value === undefined) throw new TypeError(`createGuard: issuers: ${name} is undefined; leave it out`)
  }
  const { issuer, until, ...own } = entry
  if (issuer !== null && (typeof issuer !== 'string' || issuer === '')) {
    throw new TypeError('createGuard: issuers: issuer must be a string, or null for tokens without iss')
  }
  if (issuer === null && own.keys === undefined) {
    throw new TypeError('createGuard: issuers: keys must be given where issuer is null: nobody can be asked for them')
  }
  const end = until === undefined ? Number.POSITIVE_INFINITY : timeOf(until)
  if (until === undefined && issuer !== null) return { issuer, until: end, rules: own }
  const requiredClaims = issuer === null ? ['sub', 'exp'] : ['iss', 'sub', 'exp']
  return { issuer, until: end, rules: { typ: 'JWT', requiredClaims, ...own } }
}

function timeOf(until: Date | string): number {
  const known = until instanceof Date || (typeof until === 'string' && /^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(until))
  const time = known ? new Date(until).getTime() : Number.NaN
  if (Number.isNaN(time)) throw new TypeError('createGuard: issuers: until must be a date')
  return time
}
