import { type AlgorithmName, type BrowserAlgorithm, browserAlgorithm, isAlgorithm } from '../../token/algorithms.ts'
import { importVerificationKey } from '../../token/keys.ts'
import { verifySignature } from '../../token/sign.ts'
import { readToken } from './forgeries.ts'

/** A set of public keys (RFC 7517 §5). */
export interface KeySet {
  readonly keys: readonly PublicJwk[]
}

/** A public key with its algorithm. */
export type PublicJwk = JsonWebKey & { readonly kid?: string }

/** Returns the key that the header of a token names, or undefined. */
export function findKey({ keys }: KeySet, token: string): PublicJwk | undefined {
  const { kid } = readToken(token).header
  return kid === undefined ? undefined : keys.find((key) => key.kid === kid)
}

/** Whether a public key verifies the signature of a token. */
export async function verifyWith(jwk: PublicJwk, token: string): Promise<boolean> {
  return isAlgorithm(jwk.alg) && verifySignature(token, await importVerificationKey({ jwk }, jwk.alg))
}

/**
 * Tries to make a signing key of a public key.
 *
 * @returns what the browser says about it; undefined if it succeeded, as it does with a private key
 */
export async function tryToSignWith({ alg, kty, crv, x, y, n, e, d }: PublicJwk): Promise<string | undefined> {
  const { key } = browserAlgorithm(alg as AlgorithmName) as BrowserAlgorithm
  const plain = JSON.parse(JSON.stringify({ kty, crv, x, y, n, e, d })) as JsonWebKey
  try {
    await crypto.subtle.importKey('jwk', plain, key, false, ['sign'])
    return undefined
  } catch (error) {
    return String(error)
  }
}
