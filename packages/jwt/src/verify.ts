import { algorithms } from './algorithms.ts'
import type { JwtPayload } from './claims.ts'
import { checkClaims } from './claims.ts'
import { decodeBody, findDots, parseHeader, parseStrictJson } from './compact.ts'
import { JwtError } from './errors.ts'
import type { JwtHeader } from './header.ts'
import { checkParameters, readAlgorithm, wrongAlgorithm } from './header.ts'
import type { LocalJWKSet } from './jwks.ts'
import { causeOf, isKeySet } from './jwks.ts'
import type { VerificationKey } from './key-material.ts'
import { materialOf } from './key-material.ts'
import { sameMediaType } from './media-type.ts'
import type { KeyMaterial } from './signature.ts'
import { checkSignature, materialFor } from './signature.ts'
import type { VerifyOptions } from './verify-options.ts'
import { readRules } from './verify-options.ts'

/**
 * The keys a token may be signed with: one key, a list that may mix algorithms and kinds but not repeat a `kid`, or a
 * key set. A signing key stands for its public half; an HMAC key for itself.
 */
export type VerificationKeys = VerificationKey | readonly VerificationKey[] | LocalJWKSet

/** A token that held every check. Both objects are the caller's own: plain, and safe to spread. */
export interface Verified {
  payload: JwtPayload
  header: JwtHeader
}

/**
 * Verifies a token: shape, header, key, signature, type, claims, in this order; the first fault is thrown. Nothing in
 * the token chooses a key other than by `kid`, or an algorithm; `jku`, `x5u`, `jwk` and `x5c` are never used.
 *
 * The shape is strict: at most 16,384 characters (`maxTokenLength`), canonical base64url, UTF-8, JSON objects without
 * duplicate members, at most 32 levels and 1,024 members (`maxMembers`). Claims, for every token: `exp`, `nbf`, `iat` are numbers, `iss`, `sub`, `jti` texts,
 * `aud` a text or a list of texts, where present; `iat` at most 60 seconds ahead. For `typ: 'at+jwt'` also: `exp` and
 * `iat` are required and at most `maxLifetime` apart; `sub`, `jti`, `client_id` have 1 to 256 printable characters and
 * `scope` is a text, where present; refresh tokens and sender-constrained tokens (`cnf`) are refused.
 *
 * It does not say whether a token has been revoked.
 *
 * @throws {JwtError} about the token: `ERR_JWT_MALFORMED`, `ERR_JWT_HEADER`, `ERR_JWT_ALGORITHM`, `ERR_JWT_KEY_UNKNOWN`,
 *   `ERR_JWT_SIGNATURE` (RFC 7515 §5.2), `ERR_JWT_TYPE`, `ERR_JWT_CLAIM`, `ERR_JWT_CLAIM_MISSING`, `ERR_JWT_ISSUER`,
 *   `ERR_JWT_AUDIENCE`, `ERR_JWT_PROOF_REQUIRED`, `ERR_JWT_NOT_YET_VALID`, `ERR_JWT_EXPIRED` (RFC 7519 §7.2, RFC 9068 §4);
 *   about the call: `ERR_JWT_OPTION`, `ERR_JWT_KEY`, `ERR_JWT_KEY_SET`.
 */
export function verify(token: string, keys: VerificationKeys, options: VerifyOptions): Verified {
  const rules = readRules(options)
  const dots = findDots(token, options.maxTokenLength)
  const known = knownHeader(token, dots.first)
  const header = known ?? parseHeader(token, dots)
  if (known === undefined) checkParameters(header)
  const alg = known === undefined ? readAlgorithm(header) : known.alg
  const { algorithms: allowed, typ } = options
  if (allowed !== undefined && !allowed.includes(alg)) throw wrongAlgorithm('the algorithm is not an allowed one')
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
    throw new JwtError('ERR_JWT_TYPE', 'the token is of another type')
  }
  checkClaims(payload, rules)
  return { payload, header: { ...header } as JwtHeader }
}

interface KnownHeader {
  readonly segment: string
  readonly header: JwtHeader
}

/**
 * Headers that stood under a good signature, by their segment: the tokens of one key share one header. Parsed and
 * checked, since both depend on the text alone; never anything about a key or a signature.
 */
const knownHeaders = new Map<string, KnownHeader>()
const maxKnownHeaders = 64
const maxKnownHeaderLength = 512
/** The one that was there last: to compare it costs less than to look it up. */
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
  // Callers get a shallow copy, so a header with something nested cannot be shared.
  for (const name in header) if (typeof header[name] === 'object') return
  if (knownHeaders.size >= maxKnownHeaders) knownHeaders.clear()
  // A slice of a string keeps the whole string alive, and this one is a token: keep a copy of its own.
  const segment = new TextDecoder().decode(new TextEncoder().encode(text))
  knownHeaders.set(segment, { segment, header })
}

/** A key that names no algorithm serves those that the caller names for its kind; `alg` has been found among them. */
function otherAlgorithm(material: KeyMaterial, alg: string, allowed: readonly string[] | undefined): KeyMaterial {
  const row = algorithms.get(alg)
  if (allowed === undefined || material.others === undefined || row?.kty !== material.row.kty) {
    throw wrongAlgorithm("the algorithm is not the key's")
  }
  return materialFor(material, row)
}

function findKey(keys: VerificationKeys, kid: string | undefined, alg: string): KeyMaterial {
  const single = materialOf(keys)
  if (single !== undefined) {
    if (kid !== undefined && kid !== single.kid) refuseUnknown(kid)
    return single
  }
  if (isKeySet(keys)) {
    const key = kid !== undefined ? keys.get(kid, alg) : keys.keys.length === 1 ? keys.keys[0] : undefined
    return materialOf(key) ?? refuseUnknown(kid, keys)
  }
  if (Array.isArray(keys)) return findInList(keys, kid)
  throw new JwtError(
    'ERR_JWT_KEY',
    (keys as unknown) instanceof Promise
      ? 'keys is a promise: write await before it'
      : 'keys must be what importKey, generateKey or createLocalJWKSet returns, or a list of such keys; for the URL of a JWK Set there is createRemoteJWKSet',
  )
}

function findInList(keys: readonly unknown[], kid: string | undefined): KeyMaterial {
  if (keys.length === 0) throw new JwtError('ERR_JWT_KEY_SET', 'the list of keys is empty')
  let found: KeyMaterial | undefined
  for (let i = 0; i < keys.length; i++) {
    const material = materialOf(keys[i])
    if (material === undefined) throw new JwtError('ERR_JWT_KEY', 'the list holds what is not a key of this package')
    for (let j = 0; j < i; j++) {
      if (materialOf(keys[j])?.kid === material.kid) throw new JwtError('ERR_JWT_KEY_SET', 'two keys share a kid')
    }
    if (kid === undefined ? keys.length === 1 : kid === material.kid) found = material
  }
  return found ?? refuseUnknown(kid)
}

function refuseUnknown(kid: string | undefined, set?: LocalJWKSet): never {
  const message =
    kid === undefined
      ? 'the token names no key (kid), and there are several'
      : 'no trusted key has the kid of the token'
  const cause = set && causeOf(kid === undefined ? set.leftOut : set.leftOut.filter((key) => key.kid === kid))
  throw new JwtError('ERR_JWT_KEY_UNKNOWN', message, cause && { cause })
}
