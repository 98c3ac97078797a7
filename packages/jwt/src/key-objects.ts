import { createPrivateKey, createPublicKey, KeyObject, type webcrypto } from 'node:crypto'
import type { Jwk } from './jwk.ts'
import { refuseKey } from './jwk.ts'

/**
 * Returns the JWK of a public or private key object. An RSASSA-PSS key (RFC 4055 §1.2) gets the
 * `alg` that its parameters allow; one without parameters gets `alg`, or else PS256.
 *
 * @throws {JwtError} `ERR_JWT_KEY`
 */
export function toJwk(key: KeyObject, alg: string | undefined): Jwk {
  if (key.asymmetricKeyType !== 'rsa-pss') return exportKey(key)
  const own = pssAlgorithm(key) ?? alg ?? 'PS256'
  if (!own.startsWith('PS')) throw refuseKey('an RSASSA-PSS key is for PS256, PS384 or PS512')
  return { ...(plainRsa(key).export({ format: 'jwk' }) as Jwk), alg: own }
}

function exportKey(key: KeyObject): Jwk {
  try {
    return key.export({ format: 'jwk' }) as Jwk
  } catch (cause) {
    // Such as DSA and Diffie-Hellman keys.
    throw refuseKey('the key has a type that is not supported', cause)
  }
}

/** The only algorithm of JWS that the parameters allow; `undefined` if there are no parameters. */
function pssAlgorithm({ asymmetricKeyDetails = {} }: KeyObject): string | undefined {
  const { hashAlgorithm, mgf1HashAlgorithm, saltLength = 0 } = asymmetricKeyDetails
  if (hashAlgorithm === undefined) return undefined
  const bits = /^sha(256|384|512)$/.exec(hashAlgorithm)?.[1]
  // RFC 7518 §3.5: the same hash for both, and a salt of its length.
  if (bits === undefined || mgf1HashAlgorithm !== hashAlgorithm || saltLength > Number(bits) / 8) {
    throw refuseKey('the parameters of the RSASSA-PSS key do not allow PS256, PS384 or PS512')
  }
  return `PS${bits}`
}

const BIT_STRING = 0x03
const OCTET_STRING = 0x04

/** The same key without parameters: OpenSSL exports no JWK of an RSASSA-PSS key. */
function plainRsa(key: KeyObject): KeyObject {
  const isPrivate = key.type === 'private'
  const der = key.export({ format: 'der', type: isPrivate ? 'pkcs8' : 'spki' } as { format: 'der'; type: 'spki' })
  // The PKCS#1 key is in an OCTET STRING (RFC 5208 §5), or in a BIT STRING (RFC 5280 §4.1) after
  // the number of its unused bits, which is 0.
  const [outer] = elementsOf(der)
  const wanted = isPrivate ? OCTET_STRING : BIT_STRING
  const inner = elementsOf(outer?.content ?? Buffer.alloc(0)).find(({ tag }) => tag === wanted)?.content
  const pkcs1 = { key: inner?.subarray(isPrivate ? 0 : 1) ?? Buffer.alloc(0), format: 'der', type: 'pkcs1' } as const
  return isPrivate ? createPrivateKey(pkcs1) : createPublicKey(pkcs1)
}

/** The elements of DER that OpenSSL has written (X.690 §8.1). */
function elementsOf(der: Buffer): { readonly tag: number; readonly content: Buffer }[] {
  const elements: { tag: number; content: Buffer }[] = []
  for (let at = 0; at < der.length; ) {
    const first = der[at + 1] as number
    const size = first < 0x80 ? 0 : first & 0x7f
    const start = at + 2 + size
    const end = start + (size === 0 ? first : der.readUIntBE(at + 2, size))
    elements.push({ tag: der[at] as number, content: der.subarray(start, end) })
    at = end
  }
  return elements
}

/**
 * Returns the key object of a CryptoKey, and the algorithm that it is for if its JWK does not say.
 *
 * @throws {JwtError} `ERR_JWT_KEY`
 */
export function fromCryptoKey(key: webcrypto.CryptoKey): { key: KeyObject; alg: string | undefined } {
  if (!key.extractable) throw refuseKey('the CryptoKey is not extractable')
  const wanted = key.type === 'public' ? 'verify' : 'sign'
  if (!key.usages.includes(wanted)) throw refuseKey(`the usages of the CryptoKey do not include ${wanted}`)
  const { name, hash } = key.algorithm as { name: string; hash?: { name: string } }
  const prefix = { 'RSASSA-PKCS1-v1_5': 'RS', 'RSA-PSS': 'PS', HMAC: 'HS' }[name]
  return { key: KeyObject.from(key), alg: prefix && `${prefix}${hash?.name.replace('SHA-', '')}` }
}
