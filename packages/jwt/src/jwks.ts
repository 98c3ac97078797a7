import { JwtError } from './errors.ts'
import type { Jwk } from './jwk.ts'
import { hasPrivateMember, isForeign } from './jwk.ts'
import type { VerificationKey } from './key-material.ts'
import { importJwk } from './keys.ts'
import { isPlainObject } from './options.ts'

declare const keySet: unique symbol

/** A JWK Set (RFC 7517 §5) whose keys are checked and imported. Frozen; made by {@link createLocalJWKSet}. */
export interface LocalJWKSet {
  readonly [keySet]: true
  /** The usable keys, in the order of the set. */
  readonly keys: readonly VerificationKey[]
  /** The key of exactly this `kid`. */
  get(kid: string): VerificationKey | undefined
}

/** The JSON of a JWK Set. */
export interface JwkSetSource {
  readonly keys: readonly Jwk[]
}

/** More keys than this in one set are refused: each costs time to check. */
const maxKeys = 256

const sets = new WeakSet<object>()

/** Whether a value is a key set of this package. */
export function isKeySet(value: unknown): value is LocalJWKSet {
  return sets.has(value as object)
}

/**
 * Makes a key set of a JWK Set that the caller has at hand. Keys of unknown `kty`, `alg` or `crv`, and keys not meant
 * for verifying (`use`, `key_ops`), are left out, as RFC 7517 §5 says. A key without `kid` gets its RFC 7638
 * thumbprint.
 *
 * The set as a whole is refused when two keys share a `kid`, when secrets stand beside public keys, when a public key
 * carries a private member, when a key is malformed or weak, or when nothing usable is left.
 *
 * @throws {JwtError} `ERR_JWT_KEY_SET`; its `cause` tells about the key at fault.
 */
export function createLocalJWKSet(jwks: JwkSetSource): LocalJWKSet {
  return buildKeySet(jwks, false)
}

/**
 * {@link createLocalJWKSet}, for sets of somebody else as well: with `skipUnusable` a malformed or weak key is left
 * out, so that one bad key does not take all others along. Duplicates, mixes and private members refuse the set either
 * way.
 *
 * @throws {JwtError} `ERR_JWT_KEY_SET`.
 */
export function buildKeySet(jwks: unknown, skipUnusable: boolean): LocalJWKSet {
  const byKid = new Map<string, VerificationKey>()
  const seen = new Set<unknown>()
  for (const jwk of listedKeys(jwks)) {
    if (isForeign(jwk)) continue
    if (jwk.kid !== undefined && seen.has(jwk.kid)) throw refuseSet('two keys share a kid')
    seen.add(jwk.kid)
    const key = importListed(jwk, skipUnusable)
    if (key === undefined) continue
    if (byKid.has(key.kid)) throw refuseSet('two keys share a kid')
    byKid.set(key.kid, key)
  }
  if (byKid.size === 0) throw refuseSet('the set has no key that verifies tokens')
  const set = Object.freeze({ keys: Object.freeze([...byKid.values()]), get: (kid: string) => byKid.get(kid) })
  sets.add(set)
  return set as unknown as LocalJWKSet
}

function refuseSet(message: string, cause?: unknown): JwtError {
  return new JwtError('ERR_JWT_KEY_SET', message, cause === undefined ? undefined : { cause })
}

function listedKeys(jwks: unknown): readonly Jwk[] {
  const listed: unknown = isPlainObject(jwks) ? jwks.keys : undefined
  if (!Array.isArray(listed)) throw refuseSet('a JWK Set is an object with a list named keys')
  if (listed.length > maxKeys) throw refuseSet(`the set has more than ${maxKeys} keys`)
  let secrets = 0
  for (const jwk of listed) {
    if (!isPlainObject(jwk)) throw refuseSet('a key of the set is not a JWK')
    if (jwk.kty === 'oct') secrets++
    else if (hasPrivateMember(jwk as Jwk)) throw refuseSet('a key of the set carries a private member')
  }
  if (secrets > 0 && secrets < listed.length) throw refuseSet('the set mixes secrets with public keys')
  return listed
}

function importListed(jwk: Jwk, skipUnusable: boolean): VerificationKey | undefined {
  try {
    return importJwk(jwk, { operation: 'verify' })
  } catch (cause) {
    if (skipUnusable && cause instanceof JwtError) return undefined
    throw refuseSet('a key of the set is malformed or weak', cause)
  }
}
