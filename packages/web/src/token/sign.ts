import { type AlgorithmName, type BrowserAlgorithm, browserAlgorithm } from './algorithms.ts'
import { decodeBase64url, encodeBase64url, encodeJson } from './base64url.ts'
import type { JsonObject } from './decode.ts'

/** A key that can verify the signatures of one algorithm. */
export interface VerificationKey {
  readonly alg: AlgorithmName
  readonly kid?: string
  readonly verifying: CryptoKey
}

/** A key that can sign, too. */
export interface SigningKey extends VerificationKey {
  readonly signing: CryptoKey
  /** The public key as a JWK; with a secret, the secret. */
  readonly jwk: JsonWebKey & { readonly kid?: string }
}

/** The algorithms to choose from, the most usual ones. */
export const SIGNING_ALGORITHMS = ['HS256', 'HS384', 'HS512', 'RS256', 'PS256', 'ES256', 'EdDSA'] as const

/** Generates a key. The `kid` of a public key is its thumbprint (RFC 7638). */
export async function generateKey(alg: AlgorithmName): Promise<SigningKey> {
  const row = browserAlgorithm(alg) as BrowserAlgorithm
  const parameters = {
    ...row.key,
    ...(row.kty === 'RSA' && { modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) }),
    ...(row.secretLength !== undefined && { length: row.secretLength * 8 }),
  }
  const made = (await crypto.subtle.generateKey(parameters, true, ['sign', 'verify'])) as CryptoKey | CryptoKeyPair
  if (!('privateKey' in made)) {
    return { alg, signing: made, verifying: made, jwk: await crypto.subtle.exportKey('jwk', made) }
  }
  const { kty, crv, x, y, n, e } = await crypto.subtle.exportKey('jwk', made.publicKey)
  const jwk = JSON.parse(JSON.stringify({ kty, crv, x, y, n, e })) as JsonWebKey
  const kid = await thumbprint(jwk)
  return {
    ...{ alg, kid, signing: made.privateKey, verifying: made.publicKey },
    jwk: { ...jwk, alg, kid, use: 'sig' },
  }
}

/** Makes a key of a secret. It may be shorter than RFC 7518 §3.2 allows, but not empty. */
export async function importSecret(secret: string | Uint8Array<ArrayBuffer>, alg: AlgorithmName): Promise<SigningKey> {
  const octets = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret
  const row = browserAlgorithm(alg) as BrowserAlgorithm
  const key = await crypto.subtle.importKey('raw', octets, row.key, true, ['sign', 'verify'])
  return { alg, signing: key, verifying: key, jwk: { kty: 'oct', alg, k: encodeBase64url(octets) } }
}

/**
 * Signs a token. `alg` in its header is the algorithm of the key, whatever the header says.
 *
 * @param payload the claims
 * @param header further members of the header, such as `typ`
 */
export async function signToken(
  payload: JsonObject,
  { alg, kid, signing }: SigningKey,
  header: JsonObject = { typ: 'JWT' },
): Promise<string> {
  const input = `${encodeJson({ ...header, alg, ...(kid !== undefined && { kid }) })}.${encodeJson(payload)}`
  const { operation } = browserAlgorithm(alg) as BrowserAlgorithm
  const signature = await crypto.subtle.sign(operation, signing, new TextEncoder().encode(input))
  return `${input}.${encodeBase64url(new Uint8Array(signature))}`
}

/**
 * Whether a token was signed with a key. Checks the signature and nothing else: not the `alg` of
 * the header, not the times.
 */
export async function verifySignature(token: string, { alg, verifying }: VerificationKey): Promise<boolean> {
  const end = token.lastIndexOf('.')
  const signature = decodeBase64url(token.slice(end + 1))
  if (end < 0 || signature === undefined) return false
  const { operation } = browserAlgorithm(alg) as BrowserAlgorithm
  return crypto.subtle.verify(operation, verifying, signature, new TextEncoder().encode(token.slice(0, end)))
}

/** The thumbprint of a public key (RFC 7638 §3): a name that anybody can compute. */
async function thumbprint({ crv, e, kty, n, x, y }: JsonWebKey): Promise<string> {
  // JSON.stringify leaves out what is undefined. The order is the one of the RFC.
  const required = new TextEncoder().encode(JSON.stringify({ crv, e, kty, n, x, y }))
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', required)))
}
