import { TRUSTED_ISSUER, timeOf } from '../option-rules.ts'
import type { TrustedIssuer } from '../options.ts'
import { checkOptions } from '../strict-options.ts'

/** A checked entry of the option `issuers`. */
export interface ReadTrustedIssuer {
  /** Its `iss`; `null` for tokens without one. */
  readonly issuer: string | null
  /** Milliseconds since 1970; infinite without a date. */
  readonly until: number
  /** Its members that are options of a guard. */
  readonly rules: Omit<TrustedIssuer, 'issuer' | 'until'>
}

/** @throws {TypeError} for an entry that is not well-formed, or an issuer that is listed twice */
export function readTrustedIssuers(issuers: readonly TrustedIssuer[]): ReadTrustedIssuer[] {
  const read = issuers.map(readTrustedIssuer)
  const names = read.map(({ issuer }) => issuer)
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) {
    const name = twice === null ? 'null' : `"${twice}"`
    throw new TypeError(`createGuard: issuers names ${name} twice; write one entry with a list of keys`)
  }
  return read
}

function readTrustedIssuer(entry: TrustedIssuer, index: number): ReadTrustedIssuer {
  const caller = `createGuard: issuers[${index}]`
  checkOptions(caller, entry, TRUSTED_ISSUER)
  const { issuer, until, ...rules } = entry
  if (issuer === null && rules.keys === undefined) {
    throw new TypeError(`${caller}: keys must be given: tokens without iss do not say where to fetch keys`)
  }
  const end = timeOf(until) ?? Number.POSITIVE_INFINITY
  if (until === undefined && issuer !== null) return { issuer, until: end, rules }
  const requiredClaims = issuer === null ? ['exp'] : ['iss', 'exp']
  return { issuer, until: end, rules: { typ: 'JWT', requiredClaims, ...rules } }
}
