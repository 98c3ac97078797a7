import { type BrowserAlgorithm, browserAlgorithm, isAlgorithm } from '../token/algorithms.ts'
import { decodeToken, type JsonObject } from '../token/decode.ts'
import type { VerificationKey } from '../token/sign.ts'

/** A set of public keys (RFC 7517 §5). */
export interface KeySet {
  readonly keys: readonly PublicJwk[]
}

/** A public key. */
export type PublicJwk = JsonWebKey & { readonly kid?: string }

/** The claims of a token; empty if they cannot be read. */
export function claimsOf(token: string): JsonObject {
  return decodeToken(token).payload?.value ?? {}
}

/** Returns the key that the header of a token names, or undefined. */
export function findKey({ keys }: KeySet, token: string): PublicJwk | undefined {
  const kid = decodeToken(token).header?.value?.kid
  return kid === undefined ? undefined : keys.find((key) => key.kid === kid)
}

/** Makes a public key usable for verifying. */
export async function importPublicKey(jwk: PublicJwk): Promise<VerificationKey> {
  const { alg, kid } = jwk
  if (!isAlgorithm(alg)) throw new TypeError(`The browser does not know the algorithm ${alg}`)
  const { key } = browserAlgorithm(alg) as BrowserAlgorithm
  const verifying = await crypto.subtle.importKey('jwk', jwk, key, false, ['verify'])
  return { alg, verifying, ...(kid !== undefined && { kid }) }
}

/**
 * Tries to import a public key for signing.
 *
 * @returns what the browser says: a public key cannot sign
 */
export async function tryToSignWith(jwk: PublicJwk): Promise<string> {
  const { key } = browserAlgorithm(jwk.alg) as BrowserAlgorithm
  try {
    await crypto.subtle.importKey('jwk', { ...jwk, use: undefined } as JsonWebKey, key, false, ['sign'])
    return ''
  } catch (error) {
    return String(error)
  }
}
