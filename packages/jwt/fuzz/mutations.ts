import { audience, base64url, claims, ecToken, headerOf, issuer, now, seal } from './corpus.ts'
import type { Random } from './random.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const foreign = [
  '=',
  '==',
  '+',
  '/',
  ' ',
  '\t',
  '\n',
  '\r',
  '\0',
  '.',
  '~',
  '?',
  ',',
  '%',
  'é',
  '\ufeff',
  '\uff0e',
  '\ud800',
]

/** Values of every JSON type, and values that have been confused with others. */
const oddValues: readonly unknown[] = [
  ...[null, true, false, 0, -0, -1, 1, 0.5, 1e21, 2 ** 53, now, now - 1, now + 1, now + 61, now * 1000, `${now}`],
  ...[
    '',
    ' ',
    'a',
    'usr_1',
    issuer,
    audience,
    `${issuer}/`,
    audience.slice(0, -1),
    '\0',
    'é',
    '\u{1f600}',
    'x'.repeat(300),
  ],
  ...[
    [],
    [issuer],
    [audience],
    [audience, 'x'],
    ['x', audience],
    [audience, 1],
    [[audience]],
    {},
    { a: 1 },
    { $ne: null },
  ],
]
const claimNames = [
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'scope', 'cnf', 'token_use', 'token_type'],
  ...['typ', 'alg', 'roles', 'constructor', 'toString', '__proto__', 'x'],
]
const headerNames = [
  ...['alg', 'kid', 'typ', 'crit', 'b64', 'zip', 'enc', 'cty', 'jku', 'x5u', 'jwk', 'x5c', 'x5t', 'p2c', 'x'],
  ...['constructor', '__proto__'],
]
const headerValues: readonly unknown[] = [
  ...['none', 'None', 'HS256', 'HS384', 'HS512', 'ES256', 'EdDSA', 'Ed25519', 'RS256', 'hs256', 'HS256 ', 'RS1', 'dir'],
  ...[
    'hs-1',
    'ed-1',
    'ec-1',
    'HS-1',
    'hs-1\0',
    '../hs-1',
    'at+jwt',
    'AT+JWT',
    'application/at+jwt',
    'JWT',
    'at+jwt;x=1',
  ],
  ...[['exp'], ['b64'], [], { kty: 'oct', k: 'AA' }, 'http://127.0.0.1:9/', null, true, 1, '', 'DEF'],
]

/** Times that are consistent with each other, around now. */
const times: readonly object[] = [
  ...[0, 1, 0.001, -0.001, -1, 60, 86_400, 4e9].map((ahead) => ({ iat: now - 900, exp: now + ahead })),
  ...[-1, 0, 0.5, 1, 60, 61].map((ahead) => ({ nbf: now + ahead, iat: now + ahead, exp: now + 900 })),
]

/** Fragments that are inserted anywhere in a JSON text. */
const jsonPieces = [
  ...[
    ' ',
    '\n',
    '\t',
    '\u00a0',
    '\ufeff',
    ',',
    ':',
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    '0',
    '-',
    '.',
    'e9',
    '1e400',
    'null',
    'NaN',
  ],
  ...[
    '/**/',
    '//',
    '\\u0000',
    '\\ud800',
    '\\u0061',
    '"exp":9999999999,',
    '"sub":"root",',
    '"__proto__":{},',
    '"a":1,"a":1,',
  ],
  ...['{}', '[]', '{"a":1}', '"\\', '\u2028', '\x7f', '\x01', 'é', '\u{1f600}'],
]
const badOctets: readonly number[][] = [
  [0xff],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xe2, 0x82],
  [0xf5, 0x80, 0x80, 0x80],
  [0xef, 0xbb, 0xbf],
]

type Kid = 'hs-1' | 'ed-1'

/** A token of the corpus with up to three mutations. About one in six has none. */
export function makeToken(random: Random): string {
  let token = random.chance(25) ? editContent(random) : plainToken(random)
  if (random.chance(40)) token = editContent(random)
  const edits = random.chance(35) ? 0 : 1 + random.below(2)
  for (let i = 0; i < edits; i++) token = editBytes(token, random)
  return token
}

const plainToken = (random: Random): string => (random.chance(20) ? ecToken : sealed(kidOf(random)))

const kidOf = (random: Random): Kid => (random.chance(85) ? 'hs-1' : 'ed-1')

function sealed(kid: Kid, head: unknown = headerOf(kid), payload: unknown = claims): string {
  return sealTexts(kid, JSON.stringify(head), JSON.stringify(payload))
}

const sealTexts = (kid: Kid, head: string | Uint8Array, payload: string | Uint8Array): string =>
  seal(kid, `${base64url(head)}.${base64url(payload)}`)

/**
 * Mutations of the content under a valid signature, so that only the parser and the claims decide.
 */
function editContent(random: Random): string {
  const kid = kidOf(random)
  switch (random.below(7)) {
    case 0:
      return sealed(kid, headerOf(kid), editObject(claims, claimNames, oddValues, random))
    case 1:
      return sealed(kid, editObject(headerOf(kid), headerNames, headerValues, random))
    case 2:
      return sealTexts(kid, JSON.stringify(headerOf(kid)), editText(JSON.stringify(claims), random))
    case 3:
      return sealTexts(kid, editText(JSON.stringify(headerOf(kid)), random), JSON.stringify(claims))
    case 4:
      return sealTexts(kid, JSON.stringify(headerOf(kid)), editOctets(JSON.stringify(claims), random))
    case 5:
      return sealed(kid, headerOf(kid), { ...claims, ...random.pick(times) })
    default:
      return sealed(kid, headerOf(kid), grow(random))
  }
}

function editObject(source: object, names: readonly string[], values: readonly unknown[], random: Random): unknown {
  if (random.chance(3)) return random.pick(values)
  const entries = Object.entries(source)
  for (let i = 1 + random.below(3); i > 0; i--) {
    const name = random.pick(names)
    const place = entries.findIndex(([known]) => known === name)
    if (random.chance(20) && place >= 0) entries.splice(place, 1)
    else if (place >= 0) entries[place] = [name, random.pick(values)]
    else entries.splice(random.below(entries.length + 1), 0, [name, random.pick(values)])
  }
  return Object.fromEntries(entries)
}

/**
 * Mutations of the grammar: fragments inserted, characters removed, members added or duplicated,
 * and white space and escapes that do not change the meaning.
 */
function editText(text: string, random: Random): string {
  const place = random.below(text.length + 1)
  switch (random.below(5)) {
    case 0:
      return text.slice(0, place) + random.pick(jsonPieces) + text.slice(place)
    case 1:
      return text.slice(0, place) + text.slice(place + 1 + random.below(8))
    case 2:
      return text.replace(/[,:{}]/g, (mark) =>
        random.chance(50) ? `${mark}${random.pick([' ', '\n', '\t', '\r', ''])}` : mark,
      )
    case 3:
      return text.replace(/[a-z]/, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)
    default:
      return `{${random.pick(['"x":1', '"iss":"https://evil"', '"x":{"y":[1,2]}', '"exp":1e400', '"exp":1.8e9'])},${text.slice(1)}`
  }
}

function editOctets(text: string, random: Random): Uint8Array {
  const octets = Buffer.from(text)
  const place = random.below(octets.length + 1)
  if (random.chance(20)) return Buffer.from(random.chance(50) ? `\ufeff${text}` : text, 'utf16le')
  return Buffer.concat([octets.subarray(0, place), Buffer.from(random.pick(badOctets)), octets.subarray(place)])
}

/** Claims near the limits of depth, members and length, and beyond. */
function grow(random: Random): object {
  switch (random.below(3)) {
    case 0: {
      let nest: unknown = 1
      for (let i = random.pick([5, 29, 30, 31, 32, 33, 500]); i > 0; i--)
        nest = random.chance(50) ? [nest] : { a: nest }
      return { ...claims, nest }
    }
    case 1: {
      const count = random.pick([10, 1000, 1015, 1016, 1017, 1018, 1300])
      return { ...claims, ...Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}`, i])) }
    }
    default:
      return { ...claims, text: random.pick(['x', '\\', '"', '\u0000', 'é']).repeat(random.below(13_000)) }
  }
}

/** Mutations of the characters of the token: bits, splices, base64url. */
function editBytes(token: string, random: Random): string {
  const place = random.below(token.length)
  const char = token.charAt(place)
  const parts = token.split('.')
  switch (random.below(9)) {
    case 0: // one bit
      return (
        token.slice(0, place) +
        String.fromCharCode(token.charCodeAt(place) ^ (1 << random.below(7))) +
        token.slice(place + 1)
      )
    case 1: // another letter of the alphabet
      return token.slice(0, place) + alphabet.charAt(random.below(64)) + token.slice(place + 1)
    case 2: // a character that is not in base64url
      return token.slice(0, place) + random.pick(foreign) + token.slice(place)
    case 3: // at the end of a segment, where lenient decoders ignore it
      return parts.map((part) => (random.chance(40) ? part + random.pick(foreign) : part)).join('.')
    case 4: // the unused bits of the last letter
      return parts.map((part) => (random.chance(50) ? nudge(part, random) : part)).join('.')
    case 5: // a segment of another token
      return splice(parts, plainToken(random).split('.'), random)
    case 6: // the other alphabet
      return token.replace(/[-_]/, (letter) => (letter === '-' ? '+' : '/'))
    case 7: // doubled, truncated, or with one segment more or less
      return random.pick([
        `${token}.`,
        `.${token}`,
        parts.slice(0, 2).join('.'),
        `${token}.${parts[1]}`,
        token.slice(0, place),
        token + token,
      ])
    default:
      return token.slice(0, place) + char.repeat(random.below(4)) + token.slice(place + 1)
  }
}

function nudge(part: string, random: Random): string {
  const last = alphabet.indexOf(part.slice(-1))
  return last < 0 ? part : part.slice(0, -1) + alphabet.charAt(last ^ (1 + random.below(15)))
}

function splice(parts: readonly string[], others: readonly string[], random: Random): string {
  const place = random.below(3)
  return parts.map((part, index) => (index === place ? (others[index] ?? part) : part)).join('.')
}
