import type { JwtPayload } from './claims.ts'
import { checkAccessToken, checkBearer, checkTypes } from './claims.ts'
import type { JsonObject } from './compact.ts'
import { maxDepth, maxMembers, maxTokenLength, parseStrictJson } from './compact.ts'
import type { Duration } from './duration.ts'
import { readSeconds } from './duration.ts'
import { JwtError } from './errors.ts'
import { refusedParameters } from './header.ts'
import type { SigningKey } from './key-material.ts'
import { describeLookalike, getMaterial } from './key-material.ts'
import { isAccessTokenType, isMediaType } from './media-type.ts'
import { checkOptions, isPlainObject, isStringOrStrings, readCurrentSeconds, refuseOption } from './options.ts'
import type { KeyMaterial } from './signature.ts'
import { createSignature, encodeBase64url, randomIdentifier } from './signature.ts'

/**
 * Options of {@link sign}. The first four are required; `null` leaves the claim or parameter out,
 * so that the payload may have the claim.
 */
export interface SignOptions {
  /** The claim `iss`. */
  issuer: string | null
  /** The claim `aud`: one audience or several. */
  audience: string | readonly string[] | null
  /** The `typ` of the header: `'at+jwt'` for an access token (RFC 9068). */
  typ: string | null
  /** How long the token is valid: at least 1 second. Sets `exp`; every token expires. */
  expiresIn: Duration
  /**
   * The claim `jti`. Default: 128 random bits for `at+jwt` if the payload has none, else no `jti`.
   */
  jwtid?: string
  /**
   * More header parameters (RFC 7515 §4.1): JSON values. Not `alg`, `kid`, `typ`, which the key and
   * `typ` set, and none that `verify` refuses: `crit`, `b64`, `zip`, `enc`, `cty`. Default: none.
   */
  header?: Readonly<Record<string, unknown>>
  /**
   * `'ignore'`: an access token may be bound to a key (`cnf`, RFC 7800 §3.1), though `verify`
   * refuses it unless it has this option, too. Default: `'refuse'`.
   */
  senderConstrained?: 'refuse' | 'ignore'
  /** How long until the token becomes valid. Sets `nbf`. Default: no `nbf`. */
  notBefore?: Duration
  /** The time of signing. Sets `iat`. Default: now. */
  currentDate?: Date
}

/**
 * Signs a JWT with the header `{ alg, kid, typ, ...header }`. The options add `iss`, `aud`, `iat`,
 * `exp`,
 * `nbf` and `jti` to the payload.
 *
 * Refuses what {@link verify} would refuse: claims of the wrong type, more than 16,384 characters,
 * more than 1,024 members or 32 levels.
 *
 * @param payload A plain object of JSON values. Members that are `undefined` are left out. A claim
 *   that an option sets must not be in the payload.
 * @param key The private key or the HMAC secret.
 * @param options The registered claims and the type.
 * @returns The token in compact form (RFC 7515 §7.1).
 * @throws {JwtError} `ERR_JWT_OPTION` for the options; `ERR_JWT_KEY` if the key cannot sign;
 *   `ERR_JWT_CLAIM` for the payload, where `claim` names the outermost member;
 *   `ERR_JWT_PROOF_REQUIRED` for `cnf` in an access token
 */
export function sign(payload: JwtPayload, key: SigningKey, options: SignOptions): string {
  checkOptions(options, optionNames, 'sign')
  const material = getMaterial(key)
  if (material?.signInput === undefined) {
    throw new JwtError('ERR_JWT_KEY', explainKey(key))
  }
  const { typ } = options
  if (typ !== null && !isMediaType(typ)) {
    throw refuseOption('sign', 'typ', "must be a media type such as 'at+jwt', or null to leave it out", typ)
  }
  const json = toJson(assemble(payload, options, isAccessTokenType(typ)))
  const input = `${encodeHeader(material, typ, options.header)}.${encodeBase64url(json)}`
  if (input.length + 1 + Math.ceil((material.signatureLength * 4) / 3) > maxTokenLength) {
    throw wrong(`the token would be longer than ${maxTokenLength} characters`)
  }
  return `${input}.${createSignature(material, material.signInput, input)}`
}

function explainKey(key: unknown): string {
  if (typeof key === 'string' || key instanceof Uint8Array) {
    return "sign: key must be a signing key (got a string): use importKey(pem) for a PEM, importKey(octets, { alg: 'HS256' }) for a secret"
  }
  if (key instanceof Promise) return 'sign: key must be a signing key (got a promise): await it first'
  if (getMaterial(key) !== undefined)
    return 'sign: key must be a signing key (got a verification key): import the private key'
  const lookalike = describeLookalike(key)
  if (lookalike !== undefined) return `sign: key must be a signing key ${lookalike}`
  return 'sign: key must be a signing key from generateKey, or from importKey for a private key or a secret'
}

const optionNames: ReadonlySet<string> = new Set([
  'issuer',
  'audience',
  'typ',
  'expiresIn',
  'jwtid',
  'header',
  'senderConstrained',
  'notBefore',
  'currentDate',
])

/** The last encoded header of each key: a key is usually used with one `typ`. */
const headers = new WeakMap<KeyMaterial, { typ: string | null; segment: string }>()

function encodeHeader(material: KeyMaterial, typ: string | null, more: SignOptions['header']): string {
  const known = headers.get(material)
  if (known?.typ === typ && more === undefined) return known.segment
  const { kid, row } = material
  const own = typ === null ? { alg: row.alg, kid } : { alg: row.alg, kid, typ }
  if (more !== undefined) return encodeBase64url(withParameters(own, more))
  const segment = encodeBase64url(JSON.stringify(own))
  headers.set(material, { typ, segment })
  return segment
}

const ownParameters = ['alg', 'kid', 'typ', ...refusedParameters]

/** The JSON of a header with more parameters, if `verify` accepts it. */
function withParameters(own: object, more: unknown): string {
  const refuse = (allowed: string) => refuseOption('sign', 'header', allowed, more)
  if (!isPlainObject(more)) throw refuse('must be an object of header parameters')
  const taken = ownParameters.find((name) => Object.hasOwn(more, name))
  if (taken !== undefined) throw refuse(`must not have the parameter ${taken}`)
  try {
    const seen: Seen = { members: 0, values: 0 }
    for (const [name, value] of Object.entries(more)) checkMember(name, value, name, 2, seen)
    const json = JSON.stringify({ ...own, ...more })
    parseStrictJson(new TextEncoder().encode(json))
    if (Object.values(more).every((value) => value !== undefined)) return json
  } catch {
    // Their errors name a claim. The one below names the option.
  }
  throw refuse('must have values that JSON can represent')
}

const allowedAudience = 'must be a non-empty string, a list of such strings, or null to leave aud out'

function assemble(payload: unknown, options: SignOptions, accessToken: boolean): JwtPayload {
  const { issuer, audience, jwtid, notBefore, expiresIn, senderConstrained = 'refuse' } = options
  if (!isPlainObject(payload)) throw wrong('the payload is not a plain object')
  const claims: JwtPayload = { ...payload }
  const issuedAt = Math.floor(readCurrentSeconds(options.currentDate, 'sign'))
  if (issuer !== null) {
    if (typeof issuer !== 'string' || issuer === '') {
      throw refuseOption('sign', 'issuer', 'must be a non-empty string, or null to leave iss out', issuer)
    }
    set(claims, 'iss', issuer)
  }
  if (audience !== null) {
    if (!isStringOrStrings(audience)) throw refuseOption('sign', 'audience', allowedAudience, audience)
    set(claims, 'aud', audience)
  }
  const lifetime = readSeconds('sign', 'expiresIn', expiresIn, 1)
  set(claims, 'iat', issuedAt)
  set(claims, 'exp', issuedAt + lifetime)
  if (notBefore !== undefined) set(claims, 'nbf', issuedAt + readSeconds('sign', 'notBefore', notBefore))
  if (jwtid !== undefined) {
    if (typeof jwtid !== 'string' || jwtid === '') {
      throw refuseOption('sign', 'jwtid', 'must be a non-empty string', jwtid)
    }
    set(claims, 'jti', jwtid)
  } else if (accessToken && claims.jti === undefined) {
    claims.jti = randomIdentifier()
  }
  checkTypes(claims)
  if (senderConstrained !== 'refuse' && senderConstrained !== 'ignore') {
    throw refuseOption('sign', 'senderConstrained', "must be 'refuse' or 'ignore'", senderConstrained)
  }
  if (accessToken) checkAccessToken(claims)
  if (accessToken && senderConstrained === 'refuse') checkBearer(claims)
  return claims
}

function set(claims: JwtPayload, claim: string, value: unknown): void {
  if (claims[claim] !== undefined) throw wrong(`the claim ${claim} is set both by an option and in the payload`, claim)
  claims[claim] = value
}

function toJson(claims: JwtPayload): string {
  const seen: Seen = { members: 0, values: 0 }
  for (const claim of Object.keys(claims)) checkMember(claim, claims[claim], claim, 2, seen)
  const json = JSON.stringify(claims)
  // JSON.stringify writes a lone surrogate as \udXXX, and a backslash as two. An odd number of
  // backslashes before "ud" is a lone surrogate.
  if (json.includes('\\ud') && /(?:^|[^\\])(?:\\\\)*\\ud/.test(json)) throw wrong('the payload has a lone surrogate')
  return json
}

/**
 * Counts that are limited while the payload is walked: a small payload that contains the same
 * object many times can serialize to a huge one.
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

/** Checks that JSON preserves a value. Strings are checked in the resulting JSON. */
function checkValue(value: unknown, claim: string, depth: number, seen: Seen): void {
  if (++seen.values > maxTokenLength) throw wrong(`the token would be longer than ${maxTokenLength} characters`)
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return
    case 'number':
      if (!Number.isFinite(value)) throw wrong(`the claim ${claim} has a number that is not finite`, claim)
      return
    case 'object':
      if (value !== null) checkNested(value, claim, depth, seen)
      return
    default:
      throw wrong(`the claim ${claim} has a value of type ${typeof value}, which JSON does not support`, claim)
  }
}

function checkNested(value: object, claim: string, depth: number, seen: Seen): void {
  if (depth > maxDepth)
    throw wrong(`the claim ${claim} is nested deeper than ${maxDepth} levels, or contains itself`, claim)
  if (Array.isArray(value)) {
    for (const element of value) checkValue(element, claim, depth + 1, seen)
    return
  }
  if (!isPlainObject(value)) throw wrong(`the claim ${claim} has an object that is not plain`, claim)
  for (const name of Object.keys(value)) checkMember(name, (value as JsonObject)[name], claim, depth + 1, seen)
}

function wrong(message: string, claim?: string): JwtError {
  return new JwtError('ERR_JWT_CLAIM', message, claim === undefined ? undefined : { claim })
}
