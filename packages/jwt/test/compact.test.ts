import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeBase64url, decodeBody, findDots, parseHeader, parseStrictJson } from '../src/compact.ts'
import { JwtError } from '../src/errors.ts'

const octets = (text: string) => new TextEncoder().encode(text)

test('decodeBase64url: decodes what Buffer encodes, and no other encoding', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      assert.deepEqual(decodeBase64url(Buffer.from(bytes).toString('base64url')), bytes)
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'AQgw-_09z=+/ \né'), maxLength: 12 }), (text) => {
      const decoded = decodeBase64url(text)
      const canonical = Buffer.from(text, 'base64url').toString('base64url') === text
      assert.equal(decoded !== undefined, canonical)
    }),
    { numRuns: 3000 },
  )
})

test('decodeBase64url: accepts exactly one encoding of each octet and of each pair of octets', () => {
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
  const pairs = letters.flatMap((first) => letters.map((second) => first + second))
  assert.equal(pairs.filter((text) => decodeBase64url(text) !== undefined).length, 256)
  const triples = letters.flatMap((last) => pairs.map((text) => text + last))
  assert.equal(triples.filter((text) => decodeBase64url(text) !== undefined).length, 65_536)
})

function hasPrototypeMember(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasPrototypeMember)
}

test('parseStrictJson: returns the same as JSON.parse for every object that it accepts', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      const expected: unknown = JSON.parse(text)
      const isObject = typeof expected === 'object' && expected !== null && !Array.isArray(expected)
      if (isObject && !hasPrototypeMember(expected)) assert.deepEqual(parseStrictJson(octets(text)), expected)
      else assert.throws(() => parseStrictJson(octets(text)), { code: 'ERR_JWT_MALFORMED' })
    }),
    { numRuns: 1000 },
  )
})

test('parseStrictJson: refuses a duplicate member at any level, escaped or not', () => {
  const spellings = [
    ['"ab"', '"ab"'],
    ['"ab"', '"\\u0061b"'],
    ['"\\u0061b"', '"a\\u0062"'],
    ['"a:b"', '"a\\u003ab"'],
    ['"\\""', '"\\u0022"'],
    ['"1"', '"1"'],
    ['"toString"', '"toString"'],
  ]
  const places = [
    (pair: string) => `{${pair}}`,
    (pair: string) => `{"x":[1,{${pair}}],"y":":"}`,
    (pair: string) => `{"x":{"y":{${pair}}}}`,
  ]
  for (const [first, second] of spellings) {
    for (const place of places) {
      assert.throws(() => parseStrictJson(octets(place(`${first}:1,${second}:2`))), /twice/)
      assert.ok(parseStrictJson(octets(place(`${first}:1,"other":2`))))
    }
  }
  assert.deepEqual(parseStrictJson(octets('{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}')), {
    a: { a: { a: 1 } },
    b: [{ a: 1 }, { a: 2 }],
  })
})

const refused: [name: string, text: string | Uint8Array][] = [
  ['nothing', ''],
  ['a list', '[]'],
  ['null', 'null'],
  ['a string', '"a"'],
  ['two objects', '{}{}'],
  ['an unclosed string', '{"a'],
  ['an unclosed escape', '{"a\\'],
  ['a trailing comma', '{"a":1,}'],
  ['a comment', '{/**/}'],
  ['a byte order mark', '\ufeff{}'],
  ['__proto__', '{"__proto__":1}'],
  ['__proto__ by an escape', '{"\\u005f_proto__":1}'],
  ['__proto__ within', '{"a":[{"__proto__":{}}]}'],
  ['a lone surrogate', '{"a":"\\ud800"}'],
  ['a lone surrogate in a name', '{"\\udfff":1}'],
  ['a lone surrogate in a list', '{"a":["\\ud83d\\ud83d\\udd11"]}'],
  ['a number beyond a double', '{"a":[-1e400]}'],
  ['33 levels', `{"a":${'['.repeat(32)}${']'.repeat(32)}}`],
  ['1,025 members', `{${Array.from({ length: 1025 }, (_, i) => `"${i}":0`).join()}}`],
  ['1,025 members at several levels', `{"a":{${Array.from({ length: 1024 }, (_, i) => `"${i}":0`).join()}}}`],
  ['a truncated UTF-8 sequence', Uint8Array.of(0x7b, 0x22, 0xc3, 0x22, 0x3a, 0x31, 0x7d)],
  ['an overlong slash', Uint8Array.of(0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d)],
  ['an encoded surrogate', Uint8Array.of(0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d)],
]

for (const [name, text] of refused) {
  test(`parseStrictJson: refuses ${name}`, () => {
    assert.throws(() => parseStrictJson(typeof text === 'string' ? octets(text) : text), { code: 'ERR_JWT_MALFORMED' })
  })
}

test('the parser reports the first fault, although a later step would refuse the token, too', () => {
  const { first, second } = findDots('e30.e30.AA')
  const wrong: [call: () => unknown, message: RegExp][] = [
    [() => findDots('a'.repeat(16_385)), /longer than 16384 characters \(maxTokenLength\)/],
    [() => findDots('eyJ'), /three segments/],
    [() => findDots(''), /three segments/],
    [() => parseHeader('é30.e30.AA', { first, second }), /outside ASCII/],
    [() => decodeBody('e30.e30.\u{1f600}', { first, second }), /outside ASCII/],
    [() => parseHeader('AAA.e30.AA', { first, second }), /not the base64url of a JSON object/],
    [() => parseHeader('e31.e30.AA', { first, second }), /not canonical base64url/],
    [() => parseStrictJson(Uint8Array.of(0x7b, 0xff, 0x7d)), /not UTF-8/],
    [() => parseStrictJson(octets('{"a"}')), /not JSON/],
    [() => parseStrictJson(octets('[1]')), /not an object/],
    [() => parseStrictJson(octets('{"__proto__":1}')), /named __proto__/],
    [() => parseStrictJson(octets('{"a":1e400}')), /number outside the range of a double/],
  ]
  for (const [call, message] of wrong) assert.throws(call, { code: 'ERR_JWT_MALFORMED', message })
})

test('parseStrictJson: accepts 32 levels, 1,024 members, white space and surrogate pairs', () => {
  assert.ok(parseStrictJson(octets(`{"a":${'['.repeat(31)}${']'.repeat(31)}}`)))
  assert.ok(parseStrictJson(octets(`{${Array.from({ length: 1024 }, (_, i) => `"${i}":0`).join()}}`)))
  assert.deepEqual(parseStrictJson(octets(' \t\r\n{ "a" : "\\ud83d\\udd11" } \n')), { a: '🔑' })
})

test('JwtError: has a code and its cause, and claim only if one is at fault', () => {
  const cause = new Error('underneath')
  const error = new JwtError('ERR_JWT_KEY', 'refused', { cause })
  assert.equal(error.cause, cause)
  assert.ok(error instanceof Error && !('claim' in error))
  assert.match(String(error.stack), /^JwtError/)
  assert.ok(!('cause' in new JwtError('ERR_JWT_KEY', 'refused')))
})

test('only the modules of keys and signatures use node:crypto, node:util or Buffer', () => {
  const folder = new URL('../src/', import.meta.url)
  const touching = readdirSync(folder).filter((name) => {
    const source = readFileSync(new URL(name, folder), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    return /\bBuffer\b|^import (?!type\b).*'node:|^} from 'node:/m.test(source)
  })
  assert.deepEqual(touching.sort(), ['key-objects.ts', 'keys.ts', 'pem.ts', 'signature.ts'])
})
