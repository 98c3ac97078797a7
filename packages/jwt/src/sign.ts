import type { JwtPayload } from './claims.ts'
import { checkAccessToken, checkBearer, checkTypes } from './claims.ts'
import type { JsonObject } from './compact.ts'
import { maxDepth, maxMembers, maxTokenLength } from './compact.ts'
import type { Duration } from './duration.ts'
import { toSeconds } from './duration.ts'
import { JwtError } from './errors.ts'
import type { SigningKey } from './key-material.ts'
import { materialOf } from './key-material.ts'
import { isAccessTokenType, isMediaType } from './media-type.ts'
import { checkOptions, isPlainObject, isTextOrTexts, refuseOption, secondsOf } from './options.ts'
import type { KeyMaterial } from './signature.ts'
import { createSignature, encodeBase64url, randomIdentifier } from './signature.ts'

/**
 * What {@link sign} adds to the payload. The first four are required; `null` says that the claim or parameter is left
 * out, or that the payload brings it.
 */
export interface SignOptions {
  /** `iss`. */
  issuer: string | null
  /** `aud`: one audience, or several. */
  audience: string | readonly string[] | null
  /** `typ` of the header: `'at+jwt'` for an access token (RFC 9068). */
  typ: string | null
  /** From now to `exp`, longer than 0. There are no tokens without an end. */
  expiresIn: Duration
  /** `jti`. Default: 128 random bits for `at+jwt` when the payload has none, else no `jti`. */
  jwtid?: string
  /** From now to `nbf`. Default: no `nbf`. */
  notBefore?: Duration
  /** The instant of signing, which becomes `iat`. Default: now. */
  currentDate?: Date
}

/**
 * Signs a JWT: the payload with `iss`, `aud`, `iat`, `exp` (and `nbf`, `jti`) added, the header `{ alg, kid, typ }`.
 *
 * The payload is a plain object of JSON values. Members that are `undefined` are left out. A claim that an option sets
 * must not be in the payload. What {@link verify} would always refuse is not signed: claims of a wrong type, more than
 * 16,384 characters, more than 1,024 members or 32 levels.
 *
 * @returns The token in compact form (RFC 7515 §7.1).
 * @throws {JwtError} `ERR_JWT_OPTION` for the options; `ERR_JWT_KEY` when the key cannot sign;
 *   `ERR_JWT_CLAIM` for the payload, `claim` naming the outermost member; `ERR_JWT_PROOF_REQUIRED` for `cnf` in an access token.
 */
export function sign(payload: JwtPayload, key: SigningKey, options: SignOptions): string {
  checkOptions(options, optionNames, 'sign')
  const material = materialOf(key)
  if (material?.signInput === undefined) {
    throw new JwtError('ERR_JWT_KEY', whyNotSigning(key))
  }
  const { typ } = options
  if (typ !== null && !isMediaType(typ))
    throw refuseOption("sign: typ must be given: a media type such as 'at+jwt', or null to leave it out")
  const json = toJson(assemble(payload, options, isAccessTokenType(typ)))
  const input = `${headerOf(material, typ)}.${encodeBase64url(json)}`
  if (input.length + 1 + Math.ceil((material.signatureLength * 4) / 3) > maxTokenLength) {
    throw wrong(`the token would be longer than ${maxTokenLength} characters`)
  }
  return `${input}.${createSignature(material, material.signInput, input)}`
}

function whyNotSigning(key: unknown): string {
  if (typeof key === 'string' || key instanceof Uint8Array) {
    return "sign: the key must be a signing key, not a string: importKey(pem) for a PEM, importKey(octets, { alg: 'HS256' }) for a secret"
  }
  if (key instanceof Promise) return 'sign: the key is a promise: write await before it'
  if (materialOf(key) !== undefined) return 'sign: the key only verifies: import the private key'
  return 'sign: the key must be a signing key: what generateKey returns, or importKey for a private key or a secret'
}

const optionNames: ReadonlySet<string> = new Set([
  'issuer',
  'audience',
  'typ',
  'expiresIn',
  'jwtid',
  'notBefore',
  'currentDate',
])

/** The header by key and `typ`, the last `typ` of each key remembered: it hardly ever changes. */
const headers = new WeakMap<KeyMaterial, { typ: string | null; segment: string }>()

function headerOf(material: KeyMaterial, typ: string | null): string {
  const known = headers.get(material)
  if (known?.typ === typ) return known.segment
  const { kid, row } = material
  const segment = encodeBase64url(JSON.stringify(typ === null ? { alg: row.alg, kid } : { alg: row.alg, kid, typ }))
  headers.set(material, { typ, segment })
  return segment
}

function assemble(payload: unknown, options: SignOptions, accessToken: boolean): JwtPayload {
  const { issuer, audience, jwtid, notBefore, expiresIn } = options
  if (expiresIn === undefined) {
    throw refuseOption("sign: expiresIn must be given: how long the token is valid, such as '15m' or 900 seconds")
  }
  if (!isPlainObject(payload)) throw wrong('the payload is not a plain object')
  const claims: JwtPayload = { ...payload }
  const issuedAt = Math.floor(secondsOf(options.currentDate, 'sign'))
  if (issuer !== null) {
    if (typeof issuer !== 'string' || issuer === '')
      throw refuseOption('sign: issuer must be given: a string, or null to leave iss out')
    set(claims, 'iss', issuer)
  }
  if (audience !== null) {
    if (!isTextOrTexts(audience))
      throw refuseOption('sign: audience must be given: a string, a list of strings, or null to leave aud out')
    set(claims, 'aud', audience)
  }
  const lifetime = toSeconds(expiresIn)
  if (lifetime === 0) throw refuseOption('sign: expiresIn is longer than 0')
  set(claims, 'iat', issuedAt)
  set(claims, 'exp', issuedAt + lifetime)
  if (notBefore !== undefined) set(claims, 'nbf', issuedAt + toSeconds(notBefore))
  if (jwtid !== undefined) {
    if (typeof jwtid !== 'string' || jwtid === '') throw refuseOption('sign: jwtid is a non-empty text')
    set(claims, 'jti', jwtid)
  } else if (accessToken && claims.jti === undefined) {
    claims.jti = randomIdentifier()
  }
  checkTypes(claims)
  if (accessToken) {
    checkAccessToken(claims)
    checkBearer(claims)
  }
  return claims
}

function set(claims: JwtPayload, claim: string, value: unknown): void {
  if (claims[claim] !== undefined) throw wrong(`the claim ${claim} is set by an option and by the payload`, claim)
  claims[claim] = value
}

function toJson(claims: JwtPayload): string {
  const seen: Seen = { members: 0, values: 0 }
  for (const claim of Object.keys(claims)) checkMember(claim, claims[claim], claim, 2, seen)
  const json = JSON.stringify(claims)
  // JSON.stringify writes a lone surrogate as \udXXX, and a backslash as two; an odd number of them before "ud" is the
  // former.
  if (json.includes('\\ud') && /(?:^|[^\\])(?:\\\\)*\\ud/.test(json)) throw wrong('the payload holds a lone surrogate')
  return json
}

/**
 * What has been walked so far. Both are bounded while walking: objects that share members can be small and unfold
 * without end.
 */
interface Seen {
  members: number
  values: number
}

function checkMember(name: string, value: unknown, claim: string, depth: number, seen: Seen): void {
  if (name === '__proto__') throw wrong('the payload has a member named __proto__', claim)
  if (value === undefined) return
  if (++seen.members > maxMembers) throw wrong(`the payload has more than ${maxMembers} members`)
  checkValue(value, claim, depth, seen)
}

/** Checks that a value survives JSON unchanged; strings are looked at in the text that comes out. */
function checkValue(value: unknown, claim: string, depth: number, seen: Seen): void {
  if (++seen.values > maxTokenLength) throw wrong(`the token would be longer than ${maxTokenLength} characters`)
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return
    case 'number':
      if (!Number.isFinite(value)) throw wrong(`the claim ${claim} holds a number that is not finite`, claim)
      return
    case 'object':
      if (value !== null) checkNested(value, claim, depth, seen)
      return
    default:
      throw wrong(`the claim ${claim} holds a value of type ${typeof value}, which JSON does not have`, claim)
  }
}

function checkNested(value: object, claim: string, depth: number, seen: Seen): void {
  if (depth > maxDepth) throw wrong(`the claim ${claim} is nested deeper than ${maxDepth} levels, or in itself`, claim)
  if (Array.isArray(value)) {
    for (const element of value) checkValue(element, claim, depth + 1, seen)
    return
  }
  if (!isPlainObject(value)) throw wrong(`the claim ${claim} holds an object that is not plain`, claim)
  for (const name of Object.keys(value)) checkMember(name, (value as JsonObject)[name], claim, depth + 1, seen)
}

function wrong(message: string, claim?: string): JwtError {
  return new JwtError('ERR_JWT_CLAIM', message, claim === undefined ? undefined : { claim })
}
