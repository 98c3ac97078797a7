import { JwtError } from './errors.ts'

// Pure: no node:crypto, no Buffer. The inspector runs this file in a browser.

/** A token of more characters than this is refused before anything else is looked at: Node takes 16 KiB of header fields. */
export const maxTokenLength = 16_384
/** The longest token that the option `maxTokenLength` can allow. */
export const longestTokenLength = 1_048_576
/** JSON nested deeper than this is refused; the outermost object is level 1. */
export const maxDepth = 32
/** A JSON text with more members than this, at all levels together, is refused. */
export const maxMembers = 1024

/** A JSON object as it was parsed: own members only, none of them `__proto__`. */
export type JsonObject = { [member: string]: unknown }

/** Where the two dots of a compact JWS are. What stands left of the second is the JWS signing input. */
export interface Dots {
  readonly first: number
  readonly second: number
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
// −1 outside the alphabet, so that one sign test at the end tells whether all characters were in it.
const sextets = new Int8Array(256).fill(-1)
for (let i = 0; i < 64; i++) sextets[alphabet.charCodeAt(i)] = i

// Everything here is synchronous and nothing calls back, so these serve all calls. Reading octets is twice as fast as
// reading the characters of a string, even with the copy.
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
 * @param longest In characters; a longer token is refused.
 * @throws {JwtError} `ERR_JWT_MALFORMED`.
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

/** Only a caller who allows longer tokens ever gets here. */
function growBuffers(length: number): void {
  characters = new Uint8Array(Math.min(2 ** Math.ceil(Math.log2(length)), longestTokenLength))
  payloadOctets = new Uint8Array((characters.length / 4) * 3)
  otherOctets = new Uint8Array(payloadOctets.length)
}

/** What {@link decodeBody} found; the octets are good until its next call. */
export interface Body {
  /** The JWS signing input, as it was received. */
  readonly input: Uint8Array
  readonly signature: Uint8Array
  /** The octets of the payload, for {@link parseStrictJson}. */
  readonly payload: Uint8Array
}

/**
 * Parses the header of a token.
 *
 * @throws {JwtError} `ERR_JWT_MALFORMED`.
 */
export function parseHeader(token: string, dots: Dots): JsonObject {
  const length = copyCharacters(token, dots.first)
  return parseStrictJson(otherOctets.subarray(0, decodeJsonSegment(otherOctets, 0, length)))
}

/**
 * Decodes payload and signature without parsing anything, so that their form is known before the signature is checked.
 *
 * @throws {JwtError} `ERR_JWT_MALFORMED`.
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

/** The octets of a canonical base64url text, or `undefined` when it is not one. */
export function decodeBase64url(text: string): Uint8Array | undefined {
  const source = encoder.encode(text)
  const octets = new Uint8Array(Math.floor((source.length * 3) / 4))
  return decodeInto(octets, source, 0, source.length) < 0 ? undefined : octets
}

function copyCharacters(token: string, length: number): number {
  const { read, written } = encoder.encodeInto(length === token.length ? token : token.slice(0, length), characters)
  if (read !== length || written !== length) throw malformed('the token holds a character outside ASCII')
  return length
}

function decodeJsonSegment(octets: Uint8Array, start: number, end: number): number {
  // An object begins with a brace or white space, so most garbage ends here, before it costs anything.
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
 * Decodes canonical base64url (RFC 7515 §2, RFC 4648 §3.5): only letters of the alphabet, no padding, no white space,
 * unused bits zero. Returns how many octets were written, or −1 when the source is anything else.
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
 * Parses a JSON object and refuses what parsers are known to disagree on or to choke on: a member that appears twice
 * (also when an escape hides it), a member named `__proto__`, a byte order mark, invalid UTF-8, a lone surrogate, a
 * number outside the range of a double, more than {@link maxDepth} levels, more members than allowed.
 *
 * @throws {JwtError} `ERR_JWT_MALFORMED`.
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
    // The parser's own error quotes the text, so it is not kept.
    throw malformed('a segment is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('the JSON is not an object')
  // In a JSON text a colon outside a string stands for one member; a duplicate leaves fewer members than colons.
  if (countMembers(value, text.indexOf('\\') >= 0) !== colons) throw malformed('a JSON member appears twice')
  return value as JsonObject
}

/** Counts the colons outside strings, and refuses what is too deep or too large before it is parsed. */
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
 * Counts the members of a parsed array or object at all levels, checking names, strings and numbers on the way.
 * Strings only when the text has escapes: without one there can be no lone surrogate, since it was UTF-8.
 */
function countMembers(value: object, escapes: boolean): number {
  let members = 0
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) members += countIn(value[i], escapes)
    return members
  }
  for (const name in value) {
    if (name === '__proto__') throw malformed('the JSON has a member named __proto__')
    if (escapes && !name.isWellFormed()) throw malformed('the JSON holds a lone surrogate')
    members += 1 + countIn((value as JsonObject)[name], escapes)
  }
  return members
}

function countIn(value: unknown, escapes: boolean): number {
  if (typeof value === 'object') return value === null ? 0 : countMembers(value, escapes)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw malformed('the JSON holds a number that is not finite')
  } else if (escapes && typeof value === 'string' && !value.isWellFormed()) {
    throw malformed('the JSON holds a lone surrogate')
  }
  return 0
}
