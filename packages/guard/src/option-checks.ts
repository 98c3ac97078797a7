import { shapeOf } from './shape.ts'
import type { GuardOptions } from './trust.ts'

/**
 * Checks the names that tokens are held against. RFC 8725 §3.8: keys must belong to the issuer, and those beside a list of issuers do not.
 * @throws TypeError with what to write instead
 */
export function checkNames({ issuer, audience }: GuardOptions): void {
  if (Array.isArray(issuer)) {
    throw new TypeError(
      'createGuard: issuer must be one issuer: with a list, a key of one issuer would vouch for all of them. ' +
        'Write the others as issuers: [{ issuer, keys }], each with its own keys',
    )
  }
  if (issuer !== null && (typeof issuer !== 'string' || issuer === '')) {
    throw new TypeError(`createGuard: issuer must be a string, or null to accept any; got ${gotOf(issuer)}`)
  }
  const names: unknown[] = [audience].flat()
  if (audience !== null && (names.length === 0 || names.some((name) => typeof name !== 'string' || name === ''))) {
    throw new TypeError(
      `createGuard: audience must be a string, a list of strings, or null to accept tokens meant for others; got ${gotOf(audience)}`,
    )
  }
}

function gotOf(value: unknown): string {
  if (value === '') return 'an empty string'
  return Array.isArray(value) && value.length === 0 ? 'an empty list' : shapeOf(value)
}
