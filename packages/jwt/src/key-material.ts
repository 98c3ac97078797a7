import type { Algorithm, AsymmetricAlgorithm } from './algorithms.ts'
import { sharedByCopies } from './copies.ts'
import type { KeyMaterial } from './signature.ts'

declare const canVerify: unique symbol
declare const canSign: unique symbol

/**
 * A key that verifies tokens. Created by `importKey`; frozen. Printing, serializing or cloning it
 * reveals no key material.
 */
export interface VerificationKey {
  /** Marks the type: no other object is a key. */
  readonly [canVerify]: true
  /** The algorithm of the key. The `alg` of a token must match it. */
  readonly alg: Algorithm
  /** The key identifier in the header of a token. */
  readonly kid: string
}

/** A key that signs and verifies tokens. Created by `generateKey` or `importKey`. */
export interface SigningKey extends VerificationKey {
  /** Marks the type: no other object is a signing key. */
  readonly [canSign]: true
  /** The public key of an asymmetric key pair. HMAC keys have none. */
  readonly publicKey?: VerificationKey
}

/** A signing key with a public key. */
export interface AsymmetricSigningKey extends SigningKey {
  /** The algorithm of the key pair. */
  readonly alg: AsymmetricAlgorithm
  /** The public key of the pair. */
  readonly publicKey: VerificationKey
}

/** Key material by key. Kept outside the key objects, which may be logged or cloned. */
const materials = sharedByCopies('keys.1', () => new WeakMap<object, KeyMaterial>())

/** Returns the material of a key of this package, or `undefined` for any other value. */
export function getMaterial(key: unknown): KeyMaterial | undefined {
  return materials.get(key as object)
}

/**
 * Whether a key can sign. Narrows what `importKey` returns for a string.
 *
 * @param key A key of this package.
 * @returns Whether it is a private key or a secret.
 */
export function isSigningKey(key: VerificationKey): key is SigningKey {
  return getMaterial(key)?.signInput !== undefined
}

/** Says what an object is that looks like a key; `undefined` for anything else. */
export function describeLookalike(key: unknown): string | undefined {
  const { kty, alg, kid } = Object(key)
  if (typeof kty === 'string') return '(got a JWK): use importKey(jwk)'
  const isCopy = typeof alg === 'string' && typeof kid === 'string'
  return isCopy
    ? '(got a copy of a key, which has no key material): send exportJwk(key), and import it there'
    : undefined
}

/** Creates the key object for its material. */
export function register(material: KeyMaterial, rest: { publicKey?: VerificationKey }): SigningKey {
  const key = Object.freeze({ alg: material.row.alg, kid: material.kid, ...rest }) as unknown as SigningKey
  materials.set(key, material)
  return key
}
