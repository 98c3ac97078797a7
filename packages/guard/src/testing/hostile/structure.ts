import { compact, encode, type Forge } from '../forge.ts'
import { jsonAnd, jsonWith, type Shape, withHeader, withPayload, withSegments } from './shape.ts'

/** Header parameters that change what a token is: extensions, encryption, nesting. */
export function* extensionShapes(forge: Forge): Iterable<Shape> {
  const crits = [['exp'], ['x'], ['b64'], ['alg'], ['__proto__'], ['toString'], [], ['x', 'x'], [''], [1], [null]]
  for (const crit of [...crits, 'x', null, { x: 1 }, 1]) {
    yield [`crit is ${JSON.stringify(crit)}`, 'RFC 7515 §4.1.11', withHeader(forge, { crit, x: 1 })]
  }
  yield ['b64 is false, critical', 'RFC 7797 §7', withHeader(forge, { b64: false, crit: ['b64'] })]
  yield ['b64 is false', 'RFC 7797 §7', withHeader(forge, { b64: false })]
  yield ['b64 is true, critical', 'RFC 7797 §7', withHeader(forge, { b64: true, crit: ['b64'] })]
  yield ['the payload is empty, detached', 'RFC 7797 §5.2', detached(forge)]
  yield ['zip is DEF', 'RFC 7516 §4.1.3', withHeader(forge, { zip: 'DEF' })]
  yield ['enc is A256GCM', 'RFC 7516 §9', withHeader(forge, { enc: 'A256GCM' })]
  const inner = compact(forge.header, forge.claims, forge.sign)
  const nested = (members: object, payload: string) => compact({ ...forge.header, ...members }, payload, forge.sign)
  yield ['a token in a token', 'RFC 7519 §5.2', nested({ cty: 'JWT' }, inner)]
  yield ['a token in a token, cty missing', 'RFC 7519 §5.2', nested({}, inner)]
  yield ['cty is JWT over claims', 'RFC 7519 §5.2', withHeader(forge, { cty: 'JWT' })]
  for (const alg of ['dir', 'RSA-OAEP', 'ECDH-ES', 'PBES2-HS256+A128KW']) {
    const header = encode({ alg, enc: 'A256GCM', cty: 'JWT', kid: forge.kid, p2s: 'AAAA', p2c: 2 ** 31 - 1 })
    yield [
      `JWE, ${alg}`,
      'RFC 8725 §3.3',
      `${header}.${encode('key')}.${encode('iv')}.${encode(inner)}.${encode('tag')}`,
    ]
  }
}

function detached(forge: Forge): string {
  const [header, , signature] = compact(forge.header, forge.claims, forge.sign).split('.')
  return `${header}..${signature}`
}

/** JSON that parsers read differently, and strings that are not JSON. */
export function* jsonShapes(forge: Forge): Iterable<Shape> {
  const { header, claims } = forge
  const ofHeader = (text: string) => compact(text, claims, forge.sign)
  const text = JSON.stringify(claims)
  yield ['alg twice, none first', 'RFC 7515 §4', ofHeader(`{"alg":"none",${JSON.stringify(header).slice(1)}`)]
  yield ['alg twice, none last', 'RFC 7515 §4', ofHeader(jsonAnd(header, ',"alg":"none"'))]
  yield ['alg twice, one escaped', 'RFC 7515 §4', ofHeader(jsonAnd(header, `,"\\u0061lg":"${forge.alg}"`))]
  yield ['kid twice', 'RFC 7515 §4', ofHeader(jsonAnd(header, `,"kid":"${forge.kid}"`))]
  yield ['sub twice', 'RFC 7519 §4', withPayload(forge, jsonAnd(claims, ',"sub":"root"'))]
  yield ['sub twice, one escaped', 'RFC 7519 §4', withPayload(forge, jsonAnd(claims, ',"s\\u0075b":"root"'))]
  yield ['exp twice', 'RFC 7519 §4', withPayload(forge, jsonAnd(claims, `,"exp":${claims.exp}`))]
  yield ['a claim named __proto__', 'CWE-1321', withPayload(forge, jsonAnd(claims, ',"__proto__":{"admin":true}'))]
  yield [
    'a nested claim named __proto__',
    'CWE-1321',
    withPayload(forge, jsonAnd(claims, ',"a":{"__proto__":{"b":1}}')),
  ]
  yield ['a header parameter named __proto__', 'CWE-1321', ofHeader(jsonAnd(header, ',"__proto__":{"alg":"none"}'))]
  for (const json of ['[]', '"text"', '1', 'null', 'true', '']) {
    yield [`the payload is ${json || 'empty'}`, 'RFC 7519 §7.2', withPayload(forge, json)]
    yield [`the header is ${json || 'empty'}`, 'RFC 7515 §5.2', ofHeader(json)]
  }
  yield ['the payload is a list around the claims', 'RFC 7519 §7.2', withPayload(forge, `[${text}]`)]
  const broken = { 'garbage after it': `${text}x`, 'another object after it': `${text}{}`, 'a comment': `/**/${text}` }
  const loose = {
    'a comma before the brace': jsonAnd(claims, ','),
    'single quotes': text.replaceAll('"', "'"),
    'no end': text.slice(0, -1),
  }
  for (const [name, json] of Object.entries({ ...broken, ...loose })) {
    yield [`the payload has ${name}`, 'RFC 8259 §2', withPayload(forge, json)]
  }
  for (const number of ['NaN', 'Infinity', '0x7fffffff', '+9999999999', '09999999999', '.5', '1.']) {
    yield [`exp is written ${number}`, 'RFC 8259 §6', withPayload(forge, jsonWith(claims, 'exp', number))]
  }
  yield* characterShapes(forge, text)
  const deep = `${'['.repeat(1500)}${']'.repeat(1500)}`
  yield ['a claim nested 1500 deep', 'CWE-674', withPayload(forge, jsonAnd(claims, `,"a":${deep}`))]
  const many = Array.from({ length: 1100 }, (_, index) => `"a${index}":0`).join(',')
  yield ['1100 claims', 'CWE-400', withPayload(forge, jsonAnd(claims, `,${many}`))]
}

function* characterShapes(forge: Forge, text: string): Iterable<Shape> {
  const spoil = (octets: number[]) => {
    const [before = '', after = ''] = jsonWith(forge.claims, 'name', '"\0"').split('\0')
    return Buffer.concat([Buffer.from(before), Buffer.from(octets), Buffer.from(after)])
  }
  yield ['a byte order mark before the payload', 'RFC 8259 §8.1', withPayload(forge, `\ufeff${text}`)]
  const marked = `\ufeff${JSON.stringify(forge.header)}`
  yield ['a byte order mark before the header', 'RFC 8259 §8.1', compact(marked, forge.claims, forge.sign)]
  yield ['the payload is UTF-16', 'RFC 8725 §3.7', withPayload(forge, Buffer.from(text, 'utf16le'))]
  yield ['an octet that UTF-8 never has', 'RFC 8725 §3.7', withPayload(forge, spoil([0xff]))]
  yield ['an overlong slash', 'RFC 8725 §3.7', withPayload(forge, spoil([0xc0, 0xaf]))]
  yield ['half a character', 'RFC 8725 §3.7', withPayload(forge, spoil([0xc3]))]
  yield ['an encoded surrogate', 'RFC 8725 §3.7', withPayload(forge, spoil([0xed, 0xa0, 0x80]))]
  yield ['a control character in a text', 'RFC 8259 §7', withPayload(forge, spoil([0x01]))]
  yield ['a lone surrogate, escaped', 'RFC 8725 §3.7', withPayload(forge, jsonWith(forge.claims, 'sub', '"\\ud800"'))]
}

/** Other encodings of valid segments, and too few or too many segments. */
export function* encodingShapes(forge: Forge): Iterable<Shape> {
  yield* spellingShapes(forge)
  const good = compact(forge.header, forge.claims, forge.sign)
  const parts = good.split('.') as [header: string, payload: string, signature: string]
  const [header, payload, signature] = parts
  const shapes = ['.', '..', '...', header, `${header}.${payload}`, `${good}.`, `.${good}`, `${good}.${signature}`]
  const joined = [
    `${good},${good}`,
    `${good}~`,
    `${good}%2e`,
    `${good};`,
    `${header}..${signature}`,
    `${header}.${payload}.`,
  ]
  const names = shapes
    .concat(joined)
    .map((token) =>
      token.replaceAll(good, 'T').replaceAll(header, 'H').replaceAll(payload, 'P').replaceAll(signature, 'S'),
    )
  for (const [index, token] of shapes.concat(joined).entries()) yield [`shape ${names[index]}`, 'RFC 7515 §7.1', token]
  yield [
    'the general JSON serialization',
    'RFC 7519 §1',
    JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
  ]
  yield ['the flattened JSON serialization', 'RFC 7519 §1', JSON.stringify({ payload, protected: header, signature })]
  yield [
    'a JSON text that is a token too',
    'CVE-2022-39227',
    `{"${header}.${payload}.${signature}":"","payload":"${payload}"}`,
  ]
  yield ['a refresh token', 'RFC 8725 §3.12', `swr_${signature}`]
  yield [
    'more than 16384 characters',
    'CWE-400',
    compact(forge.header, { ...forge.claims, pad: 'x'.repeat(12_300) }, forge.sign),
  ]
  yield ['9000 dots', 'CVE-2025-30204', '.'.repeat(9000)]
}

/**
 * `aligned`: whether it applies to segments of whole groups of four characters or to others;
 * `undefined`: to both.
 */
type Spelling = readonly [fault: string, source: string, aligned: boolean | undefined, change: (text: string) => string]

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const spellings: readonly Spelling[] = [
  ['padding', 'RFC 7515 §2', false, (text) => text.padEnd(Math.ceil(text.length / 4) * 4, '=')],
  ['unused bits that are set', 'RFC 4648 §3.5', false, setUnusedBits],
  ['one character more', 'RFC 4648 §4', true, (text) => `${text}A`],
  ['padding without need', 'RFC 7515 §2', true, (text) => `${text}====`],
  ['a blank in it', 'RFC 7515 §2', undefined, (text) => `${text.slice(0, 4)} ${text.slice(4)}`],
  ['a tab in it', 'RFC 7515 §2', undefined, (text) => `${text.slice(0, 4)}\t${text.slice(4)}`],
  ['a star in it', 'RFC 7515 §2', undefined, (text) => `${text.slice(0, 4)}*${text.slice(4)}`],
  ['the alphabet of base64', 'RFC 7515 §2', undefined, (text) => text.replaceAll('-', '+').replaceAll('_', '/')],
]

/**
 * Other encodings of each segment, signed with the issuer's key, so that only the encoding is
 * wrong.
 */
function* spellingShapes(forge: Forge): Iterable<Shape> {
  for (const [fault, source, aligned, change] of spellings) {
    const header = padded(forge.header, aligned)
    const payload = padded(forge.claims, aligned)
    yield [`header: ${fault}`, source, withSegments(forge, change(header), payload)]
    yield [`payload: ${fault}`, source, withSegments(forge, header, change(payload))]
    const [input, signature] = signed(forge, header)
    const fits = aligned === undefined || aligned === (signature.length % 4 === 0)
    if (fits) yield [`signature: ${fault}`, source, `${input}.${change(signature)}`]
  }
}

/**
 * Encodes the members with a pad whose encoding has characters that differ between base64 and
 * base64url.
 */
function padded(members: object, aligned = true): string {
  let pad = '???'
  while ((encode({ ...members, pad }).length % 4 === 0) !== aligned) pad += '?'
  return encode({ ...members, pad })
}

/** A valid token whose signature has a character that differs between base64 and base64url. */
function signed(forge: Forge, header: string): [input: string, signature: string] {
  for (let attempt = 0; ; attempt++) {
    const input = `${header}.${encode({ ...forge.claims, attempt })}`
    const signature = encode(forge.sign(input))
    if (/[-_]/.test(signature)) return [input, signature]
  }
}

function setUnusedBits(text: string): string {
  return text.slice(0, -1) + ALPHABET[ALPHABET.indexOf(text.at(-1) ?? '') + 1]
}
