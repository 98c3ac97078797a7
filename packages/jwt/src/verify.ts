import { algorithms } from './algorithms.ts'
import type { JwtPayload } from './claims.ts'
import { checkClaims } from './claims.ts'
import { decodeBody, findDots, parseHeader, parseStrictJson } from './compact.ts'
import { JwtError } from './errors.ts'
import type { JwtHeader } from './header.ts'
import { checkParameters, readAlgorithm, wrongAlgorithm } from './header.ts'
import type { LocalJWKSet } from './jwks.ts'
import { isKeySet, leftOutError } from './jwks.ts'
import type { VerificationKey } from './key-material.ts'
import { describeLookalike, getMaterial } from './key-material.ts'
import { sameMediaType } from './media-type.ts'
import type { KeyMaterial } from './signature.ts'
import { checkSignature, deriveMaterial } from './signature.ts'
import type { VerifyOptions } from './verify-options.ts'
import { readRules } from './verify-options.ts'

/**
 * The trusted keys: one key, a list of keys with different `kid`s, or a key set. A list may mix
 * algorithms. Of a key pair, the public key is used.
 */
export type VerificationKeys = VerificationKey | readonly VerificationKey[] | LocalJWKSet

/** The contents of a verified token. Both are plain objects that no other call shares. */
export interface Verified {
  /** The claims. */
  payload: JwtPayload
  /** The header. */
  header: JwtHeader
}

/**
 * Verifies a token. Checks its form, header, key, signature, type and claims in this order and
 * throws at the first fault. A token selects a key only by `kid`, and never an algorithm; `jku`,
 * `x5u`, `jwk` and `x5c` are never used.
 *
 * Form: at most 16,384 characters (`maxTokenLength`), canonical base64url, UTF-8, JSON objects
 * without duplicate members, at most 32 levels and 1,024 members (`maxMembers`).
 *
 * Claims, if present: `exp`, `nbf` and `iat` must be numbers, `iss`, `sub` and `jti` strings, `aud`
 * a string or a list of strings, and `iat` at most 60 seconds in the future.
 *
 * For `typ: 'at+jwt'` also: `exp` and `iat` are required and at most `maxLifetime` apart. If
 * present, `sub`, `jti` and `client_id` must have 1 to 256 printable characters, and `scope` must
 * be a string. Refresh tokens and sender-constrained tokens (`cnf`) are refused.
 *
 * Does not check whether the token has been revoked.
 *
 * @param token The token in compact form (RFC 7515 §7.1).
 * @param keys The trusted keys.
 * @param options What to check the token against.
 * @returns The claims and the header.
 * @throws {JwtError} for the token: `ERR_JWT_MALFORMED`, `ERR_JWT_HEADER`, `ERR_JWT_ALGORITHM`,
 *   `ERR_JWT_KEY_UNKNOWN`, `ERR_JWT_SIGNATURE` (RFC 7515 §5.2), `ERR_JWT_TYPE`, `ERR_JWT_CLAIM`,
 *   `ERR_JWT_CLAIM_MISSING`, `ERR_JWT_ISSUER`, `ERR_JWT_AUDIENCE`, `ERR_JWT_PROOF_REQUIRED`,
 *   `ERR_JWT_NOT_YET_VALID`, `ERR_JWT_EXPIRED` (RFC 7519 §7.2, RFC 9068 §4); for the call:
 *   `ERR_JWT_OPTION`, `ERR_JWT_KEY`, `ERR_JWT_KEY_SET`
 */
export function verify(token: string, keys: VerificationKeys, options: VerifyOptions): Verified {
  const rules = readRules(options)
  const dots = findDots(token, options.maxTokenLength)
  const known = knownHeader(token, dots.first)
  const header = known ?? parseHeader(token, dots)
  if (known === undefined) checkParameters(header)
  const alg = known === undefined ? readAlgorithm(header) : known.alg
  const { algorithms: allowed, typ } = options
  if (allowed !== undefined && !allowed.includes(alg)) throw wrongAlgorithm('the algorithm (alg) is not an allowed one')
  let material = findKey(keys, header.kid as string | undefined, alg)
  if (material.row.alg !== alg && material.row.scheme !== algorithms.get(alg)?.scheme) {
    material = otherAlgorithm(material, alg, allowed)
  }
  const { input, signature, payload: octets } = decodeBody(token, dots)
  if (signature.length !== material.signatureLength || !checkSignature(material, input, signature)) {
    throw new JwtError('ERR_JWT_SIGNATURE', 'the signature does not verify')
  }
  if (known === undefined) rememberHeader(token.slice(0, dots.first), header as JwtHeader)
  const payload = parseStrictJson(octets, options.maxMembers) as JwtPayload
  if (typ !== null && !sameMediaType(header.typ, typ)) {
    throw new JwtError('ERR_JWT_TYPE', 'the token has another type (typ)')
  }
  checkClaims(payload, rules)
  return { payload, header: { ...header } as JwtHeader }
}

interface KnownHeader {
  readonly segment: string
  readonly header: JwtHeader
}

/**
 * Parsed and checked headers of tokens with a valid signature, by their segment: the tokens of one
 * key share one header. Nothing about the key or the signature is cached.
 */
const knownHeaders = new Map<string, KnownHeader>()
const maxKnownHeaders = 64
const maxKnownHeaderLength = 512
/** The header of the last token: comparing it is faster than a lookup. */
let lastKnown: KnownHeader | undefined

function knownHeader(token: string, length: number): JwtHeader | undefined {
  if (lastKnown?.segment.length === length && token.startsWith(lastKnown.segment)) return lastKnown.header
  if (length > maxKnownHeaderLength) return undefined
  const known = knownHeaders.get(token.slice(0, length))
  if (known !== undefined) lastKnown = known
  return known?.header
}

function rememberHeader(text: string, header: JwtHeader): void {
  if (text.length > maxKnownHeaderLength) return
  // Callers get a shallow copy, so nested values would be shared.
  for (const name in header) if (typeof header[name] === 'object') return
  if (knownHeaders.size >= maxKnownHeaders) knownHeaders.clear()
  // Copied, since a slice would keep the whole token in memory.
  const segment = new TextDecoder().decode(new TextEncoder().encode(text))
  knownHeaders.set(segment, { segment, header })
}

/** A key without `alg` may be used with the algorithms that the caller allows for its key type. */
function otherAlgorithm(material: KeyMaterial, alg: string, allowed: readonly string[] | undefined): KeyMaterial {
  const row = algorithms.get(alg)
  if (allowed === undefined || material.others === undefined || row?.kty !== material.row.kty) {
    throw wrongAlgorithm('the algorithm (alg) is not the algorithm of the key')
  }
  return deriveMaterial(material, row)
}

function findKey(keys: VerificationKeys, kid: string | undefined, alg: string): KeyMaterial {
  const single = getMaterial(keys)
  if (single !== undefined) {
    if (kid !== undefined && kid !== single.kid) refuseUnknown(kid)
    return single
  }
  if (isKeySet(keys)) {
    const key = kid !== undefined ? keys.get(kid, alg) : keys.keys.length === 1 ? keys.keys[0] : undefined
    return getMaterial(key) ?? refuseUnknown(kid, keys)
  }
  if (Array.isArray(keys)) return findInList(keys, kid)
  throw new JwtError('ERR_JWT_KEY', explainKeys(keys))
}

function explainKeys(keys: unknown): string {
  const lookalike = keys instanceof Promise ? '(got a promise): await it first' : describeLookalike(keys)
  return lookalike === undefined
    ? 'keys must be a key from importKey or generateKey, a list of such keys, or a key set from createLocalJWKSet; use createRemoteJWKSet for the URL of a JWK Set'
    : `keys must be a key, a list of keys or a key set ${lookalike}`
}

function findInList(keys: readonly unknown[], kid: string | undefined): KeyMaterial {
  if (keys.length === 0) throw new JwtError('ERR_JWT_KEY_SET', 'the list of keys is empty')
  let found: KeyMaterial | undefined
  for (let i = 0; i < keys.length; i++) {
    const material = getMaterial(keys[i])
    if (material === undefined)
      throw new JwtError('ERR_JWT_KEY', 'the list has an element that is not a key of this package')
    for (let j = 0; j < i; j++) {
      if (getMaterial(keys[j])?.kid === material.kid) throw new JwtError('ERR_JWT_KEY_SET', 'two keys share a kid')
    }
    if (kid === undefined ? keys.length === 1 : kid === material.kid) found = material
  }
  return found ?? refuseUnknown(kid)
}

function refuseUnknown(kid: string | undefined, set?: LocalJWKSet): never {
  const message =
    kid === undefined ? 'the token has no kid, and there are several keys' : 'no trusted key has the kid of the token'
  const cause = set && leftOutError(kid === undefined ? set.leftOut : set.leftOut.filter((key) => key.kid === kid))
  throw new JwtError('ERR_JWT_KEY_UNKNOWN', message, cause && { cause })
}
