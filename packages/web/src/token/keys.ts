import { type AlgorithmName, browserAlgorithm, isAlgorithm } from './algorithms.ts'
import { decodeBase64url } from './base64url.ts'
import type { VerificationKey } from './sign.ts'

/** A public key as the reader gave it: a JWK, or the octets of a SubjectPublicKeyInfo. */
export type GivenKey =
  | { readonly jwk: JsonWebKey & { readonly kid?: string } }
  | { readonly spki: Uint8Array<ArrayBuffer> }

/** The keys in a text, or why there are none. */
export type GivenKeys =
  | {
      readonly keys: readonly GivenKey[]
      /** Whether they are a JWK Set, in which a token finds its key by `kid`. */
      readonly isSet: boolean
      /** Something that the reader should know, such as that the key is a private one. */
      readonly warning?: string
    }
  | { readonly fault: string }

/** Reads a public key in PEM, a JWK or a JWK Set. */
export function readKeys(text: string): GivenKeys {
  const trimmed = text.trim()
  if (trimmed.startsWith('-----BEGIN')) return readPem(trimmed)
  if (trimmed.startsWith('{') || trimmed.startsWith('[')) return readJson(trimmed)
  return { fault: 'This is neither PEM (-----BEGIN PUBLIC KEY-----) nor JSON (a JWK or a JWK Set).' }
}

const PEM = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/

function readPem(text: string): GivenKeys {
  const [, label, body] = PEM.exec(text) ?? []
  if (label === undefined || body === undefined) return { fault: 'The PEM is incomplete: its last line is missing.' }
  if (label === 'CERTIFICATE') {
    return { fault: 'This is a certificate. Its key: openssl x509 -in FILE -pubkey -noout' }
  }
  if (label.endsWith('PRIVATE KEY')) {
    return { fault: 'This is a private key. Verifying needs the public one: openssl pkey -in FILE -pubout' }
  }
  if (label === 'RSA PUBLIC KEY') {
    return { fault: 'This is PKCS #1. As SubjectPublicKeyInfo: openssl rsa -RSAPublicKey_in -in FILE -pubout' }
  }
  if (label !== 'PUBLIC KEY') return { fault: `This is a PEM of another kind: ${label}.` }
  const plain = body.replaceAll(/\s/g, '').replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
  const spki = decodeBase64url(plain)
  return spki === undefined ? { fault: 'The PEM is not base64.' } : { keys: [{ spki }], isSet: false }
}

function readJson(text: string): GivenKeys {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { fault: 'This begins like JSON, but is not.' }
  }
  const set = (value as { keys?: unknown }).keys
  const isSet = Array.isArray(value) || Array.isArray(set)
  const all = (Array.isArray(value) ? value : Array.isArray(set) ? set : [value]) as unknown[]
  const jwks = all.filter((one) => typeof one === 'object' && one !== null && 'kty' in one) as JsonWebKey[]
  if (jwks.length === 0) {
    return { fault: isSet ? 'The JWK Set has no keys.' : 'This is JSON, but not a JWK: it has no kty.' }
  }
  return {
    keys: jwks.map((jwk) => ({ jwk })),
    isSet,
    ...(jwks.some(({ d, k }) => d !== undefined || k !== undefined) && {
      warning: 'There is a private or secret key in it. It stays in this page; elsewhere, give only the public key.',
    }),
  }
}

/** Whether a key may be for an algorithm, as far as can be seen from outside. */
export function fits(given: GivenKey, alg: unknown): boolean {
  const row = browserAlgorithm(alg)
  if (row === undefined) return false
  if ('spki' in given) return row.kty !== 'oct'
  const { kty, crv, use, alg: own } = given.jwk
  if (kty !== row.kty || (row.crv !== undefined && crv !== row.crv) || (use !== undefined && use !== 'sig'))
    return false
  const sameKey = (name: unknown) => browserAlgorithm(name)?.operation.name
  return own === undefined || own === alg || (row.kty === 'OKP' && sameKey(own) === row.operation.name)
}

/**
 * Makes a key that WebCrypto verifies with.
 *
 * @throws {DOMException} `NotSupportedError` if the browser does not know the algorithm, another
 *   one if the key is not of this algorithm or damaged
 */
export async function importVerificationKey(given: GivenKey, alg: AlgorithmName): Promise<VerificationKey> {
  const { key } = browserAlgorithm(alg) as NonNullable<ReturnType<typeof browserAlgorithm>>
  if ('spki' in given) {
    return { alg, verifying: await crypto.subtle.importKey('spki', given.spki, key, false, ['verify']) }
  }
  // Only what makes the public key: WebCrypto refuses other values of use, key_ops, ext and alg.
  const { kty, crv, x, y, n, e, k, kid } = given.jwk
  const plain = JSON.parse(JSON.stringify({ kty, crv, x, y, n, e, k })) as JsonWebKey
  const verifying = await crypto.subtle.importKey('jwk', plain, key, false, ['verify'])
  return { alg, verifying, ...(kid !== undefined && { kid }) }
}

/** Reads a secret as it was typed: as text, base64 in either alphabet, or hexadecimal. */
export function readSecret(text: string, encoding: 'text' | 'base64' | 'hex'): Uint8Array<ArrayBuffer> | undefined {
  if (encoding === 'text') return new TextEncoder().encode(text)
  const plain = text.replaceAll(/\s/g, '')
  if (encoding === 'hex') {
    if (!/^([\da-f]{2})*$/i.test(plain)) return undefined
    return Uint8Array.from(plain.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  }
  return decodeBase64url(plain.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''))
}

/** The name of a public key for a message. */
export function nameOf(given: GivenKey): string {
  if ('spki' in given) return 'a public key in PEM'
  const { kty, crv, alg, kid } = given.jwk
  return `${kid === undefined ? 'a key' : `“${kid}”`} (${isAlgorithm(alg) ? alg : [kty, crv].filter(Boolean).join(' ')})`
}
