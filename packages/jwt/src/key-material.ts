import type { Algorithm, AsymmetricAlgorithm } from './algorithms.ts'
import type { KeyMaterial } from './signature.ts'

declare const canVerify: unique symbol
declare const canSign: unique symbol

/**
 * A key that verifies tokens of one algorithm. Made by `importKey`; frozen; shows no key material when it is printed,
 * serialised or cloned.
 */
export interface VerificationKey {
  readonly [canVerify]: true
  /** The one algorithm of this key. A token's header is compared with it, never obeyed. */
  readonly alg: Algorithm
  /** The identifier a token names in its header. */
  readonly kid: string
}

/** A key that signs tokens of one algorithm, and verifies them too. Made by `generateKey` or `importKey`. */
export interface SigningKey extends VerificationKey {
  readonly [canSign]: true
  /** The other half of an asymmetric key, safe to hand out. HMAC keys have none. */
  readonly publicKey?: VerificationKey
}

/** A signing key that surely has a public half. */
export interface AsymmetricSigningKey extends SigningKey {
  readonly alg: AsymmetricAlgorithm
  readonly publicKey: VerificationKey
}

/** What stands behind the keys. Whoever holds a key object, prints, serialises or clones it, does not reach this. */
const materials = new WeakMap<object, KeyMaterial>()

/** The material behind a key of this package, or `undefined` for anything else. */
export function materialOf(key: unknown): KeyMaterial | undefined {
  return materials.get(key as object)
}

/** Whether a key can sign; narrows what `importKey` returns for a text. */
export function isSigningKey(key: VerificationKey): key is SigningKey {
  return materialOf(key)?.signInput !== undefined
}

/** Makes the key object for a material. */
export function register(material: KeyMaterial, rest: { publicKey?: VerificationKey }): SigningKey {
  const key = Object.freeze({ alg: material.row.alg, kid: material.kid, ...rest }) as unknown as SigningKey
  materials.set(key, material)
  return key
}
