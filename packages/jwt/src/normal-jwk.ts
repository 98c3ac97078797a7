import { decodeBase64url } from './compact.ts'
import type { Jwk } from './jwk.ts'
import { encodeBase64url } from './signature.ts'

/**
 * Removes members that are `null` and leading zero octets of the numbers of an RSA public key
 * (RFC 7518 §2). Many issuers write them, and neither changes the key. Other mistakes are left for
 * the checks.
 */
export function normalizeJwk(jwk: Jwk): Jwk {
  const members = Object.entries(jwk).filter(([, value]) => value !== null)
  const normal = Object.fromEntries(members) as Jwk
  if (normal.kty === 'RSA') for (const member of ['n', 'e']) normal[member] = withoutZeros(normal[member])
  return normal
}

function withoutZeros(value: unknown): unknown {
  // "A" encodes six zero bits, so a value with a leading zero octet starts with it.
  if (typeof value !== 'string' || !value.startsWith('A')) return value
  const octets = decodeBase64url(value)
  const first = octets?.findIndex((octet) => octet !== 0) ?? -1
  return octets === undefined || first < 1 ? value : encodeBase64url(octets.subarray(first))
}
