import { algorithms } from './algorithms.ts'
import { sharedByCopies } from './copies.ts'
import { JwtError } from './errors.ts'
import type { Jwk } from './jwk.ts'
import { foreignReason, hasPrivateMember, otherIssuerReason, refuseKey } from './jwk.ts'
import { getMaterial, type VerificationKey } from './key-material.ts'
import { importJwk, thumbprint } from './keys.ts'
import { normalizeJwk } from './normal-jwk.ts'
import { isPlainObject } from './options.ts'

declare const keySet: unique symbol

/** A key of a set that is left out because it cannot be used. */
export interface LeftOutKey {
  /** The `kid`, if it has one that a token can name. */
  readonly kid?: string
  /** Why the key is left out. Contains nothing from the key. */
  readonly reason: string
}

/** A checked and imported JWK Set (RFC 7517 §5). Frozen; created by {@link createLocalJWKSet}. */
export interface LocalJWKSet {
  /** Marks the type: no other object is a key set. */
  readonly [keySet]: true
  /** The usable keys, in the order of the set. */
  readonly keys: readonly VerificationKey[]
  /** The keys of the set that are left out, and why. */
  readonly leftOut: readonly LeftOutKey[]
  /**
   * Finds a key.
   *
   * @param kid The identifier; case matters.
   * @param alg Selects one of several keys with the same `kid`. Default: the first.
   * @returns The key, or `undefined`.
   */
  get(kid: string, alg?: string): VerificationKey | undefined
}

/** The JSON of a JWK Set. */
export interface JwkSetSource {
  /** The keys of the set. */
  readonly keys: readonly Jwk[]
}

/** Limited, since each key takes time to check. */
const maxKeys = 256

const sets = sharedByCopies('sets.1', () => new WeakSet<object>())

/** Whether a value is a key set created by this package. */
export function isKeySet(value: unknown): value is LocalJWKSet {
  return sets.has(value as object)
}

/**
 * Creates a key set from the JSON of a JWK Set. Keys of unknown `kty`, `alg` or `crv`, and keys
 * that are not for verifying (`use`, `key_ops`), are left out (RFC 7517 §5). A key without `kid`
 * gets its RFC 7638 thumbprint. A key that is listed twice counts once. Keys for different
 * algorithms may share a `kid`.
 *
 * The whole set is refused if different keys share `kid` and algorithm, if it mixes secrets and
 * public keys, if a public key has a private member, if a key is malformed or weak, or if no key is
 * left.
 *
 * @param jwks The JWK Set.
 * @returns The key set.
 * @throws {JwtError} `ERR_JWT_KEY_SET`; the message names the key at fault
 */
export function createLocalJWKSet(jwks: JwkSetSource): LocalJWKSet {
  return buildKeySet(jwks, false)
}

/**
 * {@link createLocalJWKSet} that can also read the set of another party: with `skipUnusable`, a bad
 * key is left out instead of refusing the set. This includes secrets and private keys, since every
 * reader of the set has them, and all keys that share `kid` and algorithm. With `issuer`, the keys
 * that name another issuer are left out.
 *
 * @throws {JwtError} `ERR_JWT_KEY_SET`
 */
export function buildKeySet(jwks: unknown, skipUnusable: boolean, issuer?: string): LocalJWKSet {
  const listed: unknown = isPlainObject(jwks) ? jwks.keys : undefined
  if (!Array.isArray(listed)) throw refuseSet('a JWK Set must be an object with a list named keys')
  if (listed.length > maxKeys) throw refuseSet(`the set has more than ${maxKeys} keys`)
  if (!skipUnusable) refuseMixedSecrets(listed)
  const leftOut: LeftOutKey[] = []
  const usable: VerificationKey[] = []
  for (const given of listed) {
    const jwk = isPlainObject(given) ? normalizeJwk(given as Jwk) : undefined
    try {
      const reason = jwk && (foreignReason(jwk) ?? (issuer === undefined ? undefined : otherIssuerReason(jwk, issuer)))
      if (reason === undefined) usable.push(importListed(jwk, skipUnusable))
      else leftOut.push(leftOutKey(jwk?.kid, reason))
    } catch (cause) {
      const fault = leftOutKey(jwk?.kid, cause instanceof JwtError ? cause.message : 'it cannot be imported')
      if (!skipUnusable) throw refuseSet(`the set has a key that cannot be used: ${describeLeftOut(fault)}`, cause)
      leftOut.push(fault)
    }
  }
  const keys = distinctKeys(usable, leftOut, skipUnusable)
  if (keys.length === 0) throw refuseSet('the set has no key that can verify tokens', leftOutError(leftOut))
  return makeSet(keys, leftOut)
}

function makeSet(keys: readonly VerificationKey[], leftOut: readonly LeftOutKey[]): LocalJWKSet {
  const first = new Map<string, VerificationKey>()
  for (const key of keys) if (!first.has(key.kid)) first.set(key.kid, key)
  const shared = first.size < keys.length
  const set = Object.freeze({
    keys: Object.freeze([...keys]),
    leftOut: Object.freeze([...leftOut]),
    get(kid: string, alg?: string) {
      const key = first.get(kid)
      if (!shared || key === undefined || alg === undefined) return key
      return keys.find((one) => one.kid === kid && scheme(one.alg) === scheme(alg)) ?? key
    },
  })
  sets.add(set)
  return set as unknown as LocalJWKSet
}

/** Removes duplicates, and different keys with the same `kid` and algorithm. */
function distinctKeys(
  usable: readonly VerificationKey[],
  leftOut: LeftOutKey[],
  skipUnusable: boolean,
): VerificationKey[] {
  const byName = new Map<string, Map<string, VerificationKey>>()
  for (const key of usable) {
    const name = JSON.stringify([key.kid, scheme(key.alg)])
    const alike = byName.get(name) ?? new Map<string, VerificationKey>()
    byName.set(name, alike)
    // Of two copies, the one with `alg` counts, since it allows fewer algorithms.
    const print = thumbprint(key)
    if (!alike.has(print) || getMaterial(key)?.others === undefined) alike.set(print, key)
  }
  return [...byName.values()].flatMap((alike) => {
    const keys = [...alike.values()]
    if (keys.length === 1) return keys
    const reason = 'several keys of the set have this kid and algorithm'
    const fault = leftOutKey(keys[0]?.kid, reason)
    if (!skipUnusable) throw refuseSet(`the set has a key that cannot be used: ${describeLeftOut(fault)}`)
    leftOut.push(fault)
    return []
  })
}

const scheme = (alg: string) => algorithms.get(alg)?.scheme

/** An error that names the keys left out and why, or `undefined` if there are none. */
export function leftOutError(leftOut: readonly LeftOutKey[]): JwtError | undefined {
  if (leftOut.length === 0) return undefined
  const more = leftOut.length > maxNamed ? ` and ${leftOut.length - maxNamed} more` : ''
  return refuseKey(`the set leaves out ${leftOut.slice(0, maxNamed).map(describeLeftOut).join('; ')}${more}`)
}

const maxNamed = 8

/** The `kid` as JSON, so that it cannot forge log lines. */
function describeLeftOut({ kid, reason }: LeftOutKey): string {
  return `${kid === undefined ? 'a key without kid' : `the key ${JSON.stringify(kid)}`}: ${reason}`
}

function leftOutKey(kid: unknown, reason: string): LeftOutKey {
  return typeof kid === 'string' && kid !== '' && kid.length <= 256 ? { kid, reason } : { reason }
}

function refuseSet(message: string, cause?: unknown): JwtError {
  return new JwtError('ERR_JWT_KEY_SET', message, cause === undefined ? undefined : { cause })
}

function refuseMixedSecrets(listed: readonly unknown[]): void {
  let secrets = 0
  for (const given of listed) {
    if (!isPlainObject(given)) throw refuseSet('a key of the set is not a JWK')
    const jwk = normalizeJwk(given as Jwk)
    if (jwk.kty === 'oct') secrets++
    else if (hasPrivateMember(jwk)) throw refuseSet('a key of the set has a private member')
  }
  if (secrets > 0 && secrets < listed.length) throw refuseSet('the set mixes secrets with public keys')
}

function importListed(jwk: Jwk | undefined, published: boolean): VerificationKey {
  if (jwk === undefined) throw refuseKey('it is not a JWK')
  if (published && jwk.kty === 'oct') throw refuseKey('a published set must not have a secret')
  if (published && hasPrivateMember(jwk)) throw refuseKey('it has a private member, so anyone can sign with it')
  return importJwk(jwk, { operation: 'verify' })
}
