import { encodeBase64url, encodeJson } from '../../token/base64url.ts'

/** Returns HMAC with SHA-256 in base64url: the signature of HS256 (RFC 7518 §3.2). */
export async function hmac(secret: string, text: string): Promise<string> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const encoder = new TextEncoder()
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), algorithm, false, ['sign'])
  return encodeBase64url(new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(text))))
}

/**
 * Makes a token with a signature of HS256.
 *
 * @param alg what the header says, which may be wrong
 */
export async function makeToken(secret: string, claims: object, alg = 'HS256'): Promise<string> {
  const input = `${encodeJson({ alg, typ: 'JWT' })}.${encodeJson(claims)}`
  return `${input}.${await hmac(secret, input)}`
}

/** A secret that nobody can guess. */
export function randomSecret(): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(32)))
}
