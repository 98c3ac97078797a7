import { algorithms } from './algorithms.ts'
import { JwtError } from './errors.ts'
import type { Jwk } from './jwk.ts'
import { foreignReason, hasPrivateMember, refuseKey } from './jwk.ts'
import { materialOf, type VerificationKey } from './key-material.ts'
import { importJwk, thumbprint } from './keys.ts'
import { normalJwk } from './normal-jwk.ts'
import { isPlainObject } from './options.ts'

declare const keySet: unique symbol

/** A key of a set that is not used. */
export interface LeftOutKey {
  /** Its `kid`, if it has one that a token could name. */
  readonly kid?: string
  /** Why, in a few words, without text taken from the key. */
  readonly reason: string
}

/** A JWK Set (RFC 7517 §5) whose keys are checked and imported. Frozen; made by {@link createLocalJWKSet}. */
export interface LocalJWKSet {
  readonly [keySet]: true
  /** The usable keys, in the order of the set. */
  readonly keys: readonly VerificationKey[]
  /** The keys of the set that are not used, and why. */
  readonly leftOut: readonly LeftOutKey[]
  /** The key of exactly this `kid`; where several share it, the one for `alg`, else the first. */
  get(kid: string, alg?: string): VerificationKey | undefined
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
 * thumbprint. A key that is listed twice counts once; one `kid` for several algorithms stands for several keys.
 *
 * The set as a whole is refused when different keys share `kid` and algorithm, when secrets stand beside public keys,
 * when a public key carries a private member, when a key is malformed or weak, or when nothing usable is left.
 *
 * @throws {JwtError} `ERR_JWT_KEY_SET`; its message names the key at fault.
 */
export function createLocalJWKSet(jwks: JwkSetSource): LocalJWKSet {
  return buildKeySet(jwks, false)
}

/**
 * {@link createLocalJWKSet}, for sets that somebody else publishes as well: with `skipUnusable` a key at fault is left out instead, so
 * that one bad key does not take all others along. That includes secrets and private keys, which whoever reads the set has, and all keys that
 * share `kid` and algorithm.
 *
 * @throws {JwtError} `ERR_JWT_KEY_SET`.
 */
export function buildKeySet(jwks: unknown, skipUnusable: boolean): LocalJWKSet {
  const listed: unknown = isPlainObject(jwks) ? jwks.keys : undefined
  if (!Array.isArray(listed)) throw refuseSet('a JWK Set is an object with a list named keys')
  if (listed.length > maxKeys) throw refuseSet(`the set has more than ${maxKeys} keys`)
  if (!skipUnusable) refuseMixedSecrets(listed)
  const leftOut: LeftOutKey[] = []
  const usable: VerificationKey[] = []
  for (const given of listed) {
    const jwk = isPlainObject(given) ? normalJwk(given as Jwk) : undefined
    try {
      const reason = jwk === undefined ? undefined : foreignReason(jwk)
      if (reason === undefined) usable.push(importListed(jwk, skipUnusable))
      else leftOut.push(leftOutKey(jwk?.kid, reason))
    } catch (cause) {
      const fault = leftOutKey(jwk?.kid, cause instanceof JwtError ? cause.message : 'it cannot be imported')
      if (!skipUnusable) throw refuseSet(`the set has a key that cannot be used: ${sentenceOf(fault)}`, cause)
      leftOut.push(fault)
    }
  }
  const keys = distinctKeys(usable, leftOut, skipUnusable)
  if (keys.length === 0) throw refuseSet('the set has no key that verifies tokens', causeOf(leftOut))
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
      return keys.find((one) => one.kid === kid && schemeOf(one.alg) === schemeOf(alg)) ?? key
    },
  })
  sets.add(set)
  return set as unknown as LocalJWKSet
}

/** The keys that a token can name: each once, and none that differs from another only in its material. */
function distinctKeys(
  usable: readonly VerificationKey[],
  leftOut: LeftOutKey[],
  skipUnusable: boolean,
): VerificationKey[] {
  const byName = new Map<string, Map<string, VerificationKey>>()
  for (const key of usable) {
    const name = JSON.stringify([key.kid, schemeOf(key.alg)])
    const alike = byName.get(name) ?? new Map<string, VerificationKey>()
    byName.set(name, alike)
    // A copy that names its algorithm counts: the other would serve more algorithms.
    const print = thumbprint(key)
    if (!alike.has(print) || materialOf(key)?.others === undefined) alike.set(print, key)
  }
  return [...byName.values()].flatMap((alike) => {
    const keys = [...alike.values()]
    if (keys.length === 1) return keys
    const reason = 'several keys of the set have this kid and algorithm'
    const fault = leftOutKey(keys[0]?.kid, reason)
    if (!skipUnusable) throw refuseSet(`the set has a key that cannot be used: ${sentenceOf(fault)}`)
    leftOut.push(fault)
    return []
  })
}

const schemeOf = (alg: string) => algorithms.get(alg)?.scheme

/** An error that tells which of these keys are left out of the set, and why; `undefined` if there is none. */
export function causeOf(leftOut: readonly LeftOutKey[]): JwtError | undefined {
  if (leftOut.length === 0) return undefined
  const more = leftOut.length > maxTold ? ` and ${leftOut.length - maxTold} more` : ''
  return refuseKey(`the set leaves out ${leftOut.slice(0, maxTold).map(sentenceOf).join('; ')}${more}`)
}

const maxTold = 8

/** JSON, so that a `kid` cannot forge a line of a log. */
function sentenceOf({ kid, reason }: LeftOutKey): string {
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
    const jwk = normalJwk(given as Jwk)
    if (jwk.kty === 'oct') secrets++
    else if (hasPrivateMember(jwk)) throw refuseSet('a key of the set carries a private member')
  }
  if (secrets > 0 && secrets < listed.length) throw refuseSet('the set mixes secrets with public keys')
}

function importListed(jwk: Jwk | undefined, published: boolean): VerificationKey {
  if (jwk === undefined) throw refuseKey('it is not a JWK')
  if (published && jwk.kty === 'oct') throw refuseKey('a published set must not hold a secret')
  if (published && hasPrivateMember(jwk)) throw refuseKey('it carries a private member, so everybody can sign with it')
  return importJwk(jwk, { operation: 'verify' })
}
