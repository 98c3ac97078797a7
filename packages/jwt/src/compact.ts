import { JwtError } from './errors.ts'

// No node:crypto, no Buffer: the inspector runs this file in a browser.

/** The default limit in characters, checked first. Node accepts 16 KiB of header fields. */
export const maxTokenLength = 16_384
/** The maximum of the option `maxTokenLength`. */
export const longestTokenLength = 1_048_576
/** The maximum nesting of JSON; the outermost object is level 1. */
export const maxDepth = 32
/** The default maximum of members of a JSON text, all levels together. */
export const maxMembers = 1024

/** A parsed JSON object: own members only, none of them `__proto__`. */
export type JsonObject = { [member: string]: unknown }

/** The positions of the two dots of a compact JWS. The JWS signing input ends at the second. */
export interface Dots {
  readonly first: number
  readonly second: number
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
// −1 outside the alphabet: ORed together, the values are negative if any character is invalid.
const sextets = new Int8Array(256).fill(-1)
for (let i = 0; i < 64; i++) sextets[alphabet.charCodeAt(i)] = i

// Shared by all calls: everything here is synchronous and calls no code of the caller. Reading
// octets is twice as fast as reading the characters of a string, even with the copy.
let characters = new Uint8Array(maxTokenLength)
let payloadOctets = new Uint8Array((maxTokenLength / 4) * 3)
let otherOctets = new Uint8Array(payloadOctets.length)
const encoder = new TextEncoder()
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function malformed(message: string, cause?: unknown): JwtError {
  return new JwtError('ERR_JWT_MALFORMED', message, cause === undefined ? undefined : { cause })
}

/**
 * Finds the dots of a compact JWS (RFC 7515 §7.1).
 *
 * @param longest The maximum length in characters.
 * @throws {JwtError} `ERR_JWT_MALFORMED`
 */
export function findDots(token: unknown, longest = maxTokenLength): Dots {
  if (typeof token !== 'string') throw malformed('the token is not a string')
  if (token.length > longest) throw malformed(`the token is longer than ${longest} characters (maxTokenLength)`)
  if (token.length > characters.length) growBuffers(token.length)
  const first = token.indexOf('.')
  const second = first < 0 ? -1 : token.indexOf('.', first + 1)
  if (second < 0 || token.indexOf('.', second + 1) >= 0) {
    throw malformed('the token does not have the three segments of a compact JWS')
  }
  return { first, second }
}

function growBuffers(length: number): void {
  characters = new Uint8Array(Math.min(2 ** Math.ceil(Math.log2(length)), longestTokenLength))
  payloadOctets = new Uint8Array((characters.length / 4) * 3)
  otherOctets = new Uint8Array(payloadOctets.length)
}

/** The result of {@link decodeBody}. Its octets are valid until the next call. */
export interface Body {
  /** The JWS signing input as received. */
  readonly input: Uint8Array
  /** The decoded signature. */
  readonly signature: Uint8Array
  /** The decoded payload, for {@link parseStrictJson}. */
  readonly payload: Uint8Array
}

/**
 * Parses the header of a token.
 *
 * @throws {JwtError} `ERR_JWT_MALFORMED`
 */
export function parseHeader(token: string, dots: Dots): JsonObject {
  const length = copyCharacters(token, dots.first)
  return parseStrictJson(otherOctets.subarray(0, decodeJsonSegment(otherOctets, 0, length)))
}

/**
 * Decodes the payload and the signature. The payload is parsed after the signature is checked.
 *
 * @throws {JwtError} `ERR_JWT_MALFORMED`
 */
export function decodeBody(token: string, dots: Dots): Body {
  const end = copyCharacters(token, token.length)
  const payloadLength = decodeJsonSegment(payloadOctets, dots.first + 1, dots.second)
  const signatureLength = decodeInto(otherOctets, characters, dots.second + 1, end)
  if (signatureLength < 0) throw malformed('the signature is not canonical base64url')
  return {
    input: characters.subarray(0, dots.second),
    signature: otherOctets.subarray(0, signatureLength),
    payload: payloadOctets.subarray(0, payloadLength),
  }
}

/** Decodes canonical base64url. Returns `undefined` for any other string. */
export function decodeBase64url(text: string): Uint8Array | undefined {
  const source = encoder.encode(text)
  const octets = new Uint8Array(Math.floor((source.length * 3) / 4))
  return decodeInto(octets, source, 0, source.length) < 0 ? undefined : octets
}

function copyCharacters(token: string, length: number): number {
  const { read, written } = encoder.encodeInto(length === token.length ? token : token.slice(0, length), characters)
  if (read !== length || written !== length) throw malformed('the token has a character outside ASCII')
  return length
}

function decodeJsonSegment(octets: Uint8Array, start: number, end: number): number {
  // An object begins with a brace or white space: this rejects most garbage before any decoding.
  const lead = (sextet(characters[start]) << 2) | (sextet(characters[start + 1]) >> 4)
  if (lead !== 0x7b && lead !== 0x20 && lead !== 0x09 && lead !== 0x0a && lead !== 0x0d) {
    throw malformed('a segment is not the base64url of a JSON object')
  }
  const length = decodeInto(octets, characters, start, end)
  if (length < 0) throw malformed('a segment is not canonical base64url')
  return length
}

function sextet(code: number | undefined): number {
  return sextets[code ?? 0] as number
}

/**
 * Decodes canonical base64url (RFC 7515 §2, RFC 4648 §3.5): only characters of the alphabet, no
 * padding, no white space, unused bits zero.
 *
 * @returns How many octets were written, or −1 if the source is not canonical base64url.
 */
function decodeInto(octets: Uint8Array, source: Uint8Array, start: number, end: number): number {
  const rest = (end - start) & 3
  const whole = end - rest
  let written = 0
  let all = 0 // becomes negative with the first −1
  let i = start
  for (; i < whole; i += 4) {
    const quantum =
      ((sextets[source[i] as number] as number) << 18) |
      ((sextets[source[i + 1] as number] as number) << 12) |
      ((sextets[source[i + 2] as number] as number) << 6) |
      (sextets[source[i + 3] as number] as number)
    all |= quantum
    octets[written] = quantum >> 16
    octets[written + 1] = quantum >> 8
    octets[written + 2] = quantum
    written += 3
  }
  if (all < 0 || rest === 1) return -1
  if (rest === 0) return written
  const first = sextet(source[i])
  const second = sextet(source[i + 1])
  const third = rest === 3 ? sextet(source[i + 2]) : 0
  if (first < 0 || second < 0 || third < 0) return -1
  if ((rest === 2 ? second & 15 : third & 3) !== 0) return -1
  octets[written++] = (first << 2) | (second >> 4)
  if (rest === 3) octets[written++] = (second << 4) | (third >> 2)
  return written
}

/**
 * Parses a JSON object. Refuses what parsers treat differently or cannot handle: duplicate members
 * (also if an escape hides one), a member named `__proto__`, a byte order mark, invalid UTF-8, a
 * lone surrogate, a number outside the range of a double, more than {@link maxDepth} levels, too
 * many members.
 *
 * @throws {JwtError} `ERR_JWT_MALFORMED`
 */
export function parseStrictJson(octets: Uint8Array, mostMembers = maxMembers): JsonObject {
  const colons = scan(octets, mostMembers)
  let text: string
  try {
    text = utf8.decode(octets)
  } catch (cause) {
    throw malformed('the JSON is not UTF-8', cause)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's error quotes the JSON, so it is not kept as the cause.
    throw malformed('a segment is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('the JSON is not an object')
  // Each colon outside a string is one member; a duplicate leaves fewer members than colons.
  if (countMembers(value, text.indexOf('\\') >= 0) !== colons) throw malformed('a JSON member appears twice')
  return value as JsonObject
}

/** Counts the colons outside strings. Refuses JSON that is too deep or too large before parsing. */
function scan(octets: Uint8Array, mostMembers: number): number {
  const { length } = octets
  let colons = 0
  let depth = 0
  for (let i = 0; i < length; i++) {
    switch (octets[i]) {
      case 0x22: // "
        for (i++; i < length; i++) {
          const octet = octets[i]
          if (octet === 0x22) break
          if (octet === 0x5c) i++ // an escape: the next octet cannot end the string
        }
        break
      case 0x3a: // :
        if (++colons > mostMembers) throw malformed(`the JSON has more than ${mostMembers} members (maxMembers)`)
        break
      case 0x7b: // {
      case 0x5b: // [
        if (++depth > maxDepth) throw malformed(`the JSON is nested deeper than ${maxDepth} levels`)
        break
      case 0x7d: // }
      case 0x5d: // ]
        depth--
        break
    }
  }
  return colons
}

/**
 * Counts the members of a parsed array or object at all levels and checks names, strings and
 * numbers. Strings are checked only if the JSON has escapes: valid UTF-8 has no lone surrogates.
 */
function countMembers(value: object, escapes: boolean): number {
  let members = 0
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) members += countIn(value[i], escapes)
    return members
  }
  for (const name in value) {
    if (name === '__proto__') throw malformed('the JSON has a member named __proto__')
    if (escapes && !name.isWellFormed()) throw malformed('the JSON has a lone surrogate')
    members += 1 + countIn((value as JsonObject)[name], escapes)
  }
  return members
}

function countIn(value: unknown, escapes: boolean): number {
  if (typeof value === 'object') return value === null ? 0 : countMembers(value, escapes)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw malformed('the JSON has a number outside the range of a double')
  } else if (escapes && typeof value === 'string' && !value.isWellFormed()) {
    throw malformed('the JSON has a lone surrogate')
  }
  return 0
}
