import { decodeBase64url } from '../../token/base64url.ts'

/** The functions that the sandbox gives to the code of the reader. */

/** Decodes a part of a token: from base64url to text. */
export function decode(part: string): string {
  if (typeof part !== 'string') throw new TypeError(`decode expects a string, and got ${part}`)
  const octets = decodeBase64url(part)
  if (octets === undefined) throw new Error('This part is not base64url')
  return new TextDecoder('utf-8', { fatal: true }).decode(octets)
}

/** Compares two strings. Takes the same time wherever they differ. */
export function equal(a: string, b: string): boolean {
  if (typeof a !== 'string' || typeof b !== 'string') throw new TypeError(`equal expects two strings`)
  if (a.length !== b.length) return false
  let difference = 0
  for (let index = 0; index < a.length; index++) difference |= a.charCodeAt(index) ^ b.charCodeAt(index)
  return difference === 0
}

/** The verifier of the first exercise, complete. The second exercise builds on it. */
export async function verifyToken(
  token: string,
  secret: string,
  hmac: (secret: string, text: string) => Promise<string>,
): Promise<Record<string, unknown>> {
  if (typeof token !== 'string') throw new TypeError(`verify expects a token, and got ${token}`)
  const [header = '', payload = '', signature = '', ...more] = token.split('.')
  if (more.length > 0) throw new Error('The token does not have three parts')
  if (JSON.parse(decode(header)).alg !== 'HS256') throw new Error('The algorithm is not HS256')
  if (!equal(signature, await hmac(secret, `${header}.${payload}`))) throw new Error('The signature does not match')
  const claims = JSON.parse(decode(payload))
  if (typeof claims.exp !== 'number' || claims.exp <= Date.now() / 1000) throw new Error('The token has expired')
  return claims
}
