import { decodeBase64url } from './compact.ts'
import type { Jwk } from './jwk.ts'
import { encodeBase64url } from './signature.ts'

/**
 * A JWK as its issuer should have written it: members that are `null` are absent, and the numbers of an RSA public key have no leading zero octets
 * (RFC 7518 §2). Many issuers write both, and neither changes which key it is. What is wrong in any other way stays for the checks to refuse.
 */
export function normalJwk(jwk: Jwk): Jwk {
  const members = Object.entries(jwk).filter(([, value]) => value !== null)
  const normal = Object.fromEntries(members) as Jwk
  if (normal.kty === 'RSA') for (const member of ['n', 'e']) normal[member] = withoutZeros(normal[member])
  return normal
}

function withoutZeros(value: unknown): unknown {
  // "A" is six zero bits: a text that does not begin with it has no leading zero octet.
  if (typeof value !== 'string' || !value.startsWith('A')) return value
  const octets = decodeBase64url(value)
  const first = octets?.findIndex((octet) => octet !== 0) ?? -1
  return octets === undefined || first < 1 ? value : encodeBase64url(octets.subarray(first))
}
