import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeJson, encodeText } from '../src/token/base64url.ts'
import { decodeToken } from '../src/token/decode.ts'
import { shownParts } from '../src/token/extract.ts'

const header = { alg: 'HS256', typ: 'JWT' }
const payload = { sub: 'ada', name: 'Ada Løvelace 🖋' }
const token = `${encodeJson(header)}.${encodeJson(payload)}.${encodeText('a signature of 32 octets exactly')}`

function faultNames(text: string): string[] {
  return decodeToken(text).faults.map(({ name }) => name)
}

test('decode: a well-formed token has a header, a payload, a signature and no fault', () => {
  const decoded = decodeToken(token)
  assert.deepEqual(decoded.header?.value, header)
  assert.deepEqual(decoded.payload?.value, payload)
  assert.equal(decoded.payload?.text, JSON.stringify(payload))
  assert.equal(decoded.signature?.length, 32)
  assert.deepEqual([decoded.token, decoded.faults, decoded.isEncrypted], [token, [], false])
})

test('decode: an empty field has no fault', () => {
  for (const text of ['', '  \n', '\ufeff']) {
    const { token, parts, faults } = decodeToken(text)
    assert.deepEqual({ token, parts, faults }, { token: '', parts: [], faults: [] })
  }
})

describe('decode: what was copied with a token is left out and named', () => {
  const half = token.length / 2
  const cases: readonly [what: string, text: string, fault: string][] = [
    ['double quotes', `"${token}"`, 'quotes'],
    ['a stray quote and a comma', `${token}",`, 'quotes'],
    ['typographic quotes', `“${token}”`, 'quotes'],
    ['Bearer', `Bearer ${token}`, 'scheme'],
    ['a whole header', `authorization: bearer ${token}`, 'scheme'],
    ['a line break after it', `${token}\n`, 'white-space'],
    ['line breaks in it', `${token.slice(0, half)}\r\n${token.slice(half)}`, 'white-space'],
    ['a space in it', `${token.slice(0, half)} ${token.slice(half)}`, 'white-space'],
    ['a zero-width space in it', `${token.slice(0, half)}\u200b${token.slice(half)}`, 'white-space'],
    ['JSON', `{"access_token": "${token}", "token_type": "Bearer"}`, 'surroundings'],
    ['a cookie', `session=${token}; Path=/`, 'surroundings'],
  ]
  for (const [what, text, fault] of cases) {
    test(what, () => {
      const decoded = decodeToken(text)
      assert.equal(decoded.token, token)
      assert.deepEqual(decoded.payload?.value, payload)
      assert.deepEqual(faultNames(text), [fault])
    })
  }

  test('several at once', () => {
    assert.deepEqual(faultNames(` "Bearer ${token}"\n`).toSorted(), ['quotes', 'scheme', 'white-space'])
    assert.equal(decodeToken(` "Bearer ${token}"\n`).token, token)
  })
})

describe('decode: a fault does not hide what can be read', () => {
  const [first = '', second = '', third = ''] = token.split('.')

  test('no signature, with and without the second dot', () => {
    for (const text of [`${first}.${second}`, `${first}.${second}.`]) {
      assert.deepEqual(decodeToken(text).payload?.value, payload)
      assert.equal(decodeToken(text).signature, undefined)
      assert.deepEqual(faultNames(text), ['no-signature'])
    }
  })

  test('only the header', () => {
    assert.deepEqual(decodeToken(first).header?.value, header)
    assert.deepEqual(faultNames(first), ['number-of-parts'])
  })

  test('something that is no JWT at all is not taken apart', () => {
    assert.deepEqual(faultNames('2YotnFZFEjr1zCsicMWpAA'), ['number-of-parts'])
    assert.equal(decodeToken('2YotnFZFEjr1zCsicMWpAA').header, undefined)
  })

  test('four parts', () => {
    assert.deepEqual(decodeToken(`${token}.x`).payload?.value, payload)
    assert.deepEqual(faultNames(`${token}.x`), ['number-of-parts'])
  })

  test('base64 instead of base64url', () => {
    const standard = Buffer.from(JSON.stringify({ sub: '~~~???' })).toString('base64')
    assert.match(standard, /[+/]/)
    const decoded = decodeToken(`${first}.${standard}.${third}`)
    assert.deepEqual(decoded.payload?.value, { sub: '~~~???' })
    assert.deepEqual(
      decoded.faults.map(({ name, part }) => [name, part]),
      [['not-base64url', 1]],
    )
  })

  test('padding', () => {
    const text = `${first}=.${second}.${third}`
    assert.deepEqual(decodeToken(text).header?.value, header)
    assert.match(decodeToken(text).faults[0]?.message ?? '', /padding/)
  })

  test('a character that is not in the alphabet is named', () => {
    const decoded = decodeToken(`${first}.${second}.${third}*`)
    assert.deepEqual(decoded.payload?.value, payload)
    assert.match(decoded.faults.map(({ message }) => message).join(), /signature.*\*/)
  })

  test('a payload that was cut off is shown as text', () => {
    const decoded = decodeToken(`${first}.${encodeText(JSON.stringify(payload).slice(0, 13))}.${third}`)
    assert.equal(decoded.payload?.text, '{"sub":"ada",')
    assert.equal(decoded.payload?.value, undefined)
    assert.deepEqual(
      decoded.faults.map(({ name, part }) => [name, part]),
      [['not-json', 1]],
    )
  })

  test('a payload that is not UTF-8, not JSON or not an object', () => {
    const cases = [
      [Buffer.from([0xff, 0xfe]).toString('base64url'), ['not-utf-8', 'not-json']],
      [encodeText('hello'), ['not-json']],
      [encodeText('[1]'), ['not-an-object']],
      [encodeText('null'), ['not-an-object']],
      ['', ['not-json']],
    ] as const
    for (const [part, faults] of cases) assert.deepEqual(faultNames(`${first}.${part}.${third}`), faults)
  })
})

test('decode: of an encrypted token, the header is shown and the rest is not guessed', () => {
  const jwe = `${encodeJson({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.AAAA.BBBB.CCCC.DDDD`
  const decoded = decodeToken(jwe)
  assert.equal(decoded.isEncrypted, true)
  assert.deepEqual(decoded.header?.value, { alg: 'RSA-OAEP', enc: 'A256GCM' })
  assert.deepEqual([decoded.payload, decoded.signature], [undefined, undefined])
  assert.deepEqual(faultNames(jwe), ['encrypted'])
})

test('decode: an unknown algorithm is no fault, and __proto__ is an ordinary member', () => {
  const text = `${encodeText('{"alg":"XX999","__proto__":{"a":1}}')}.${encodeJson(payload)}.AAAA`
  const decoded = decodeToken(text)
  assert.deepEqual(decoded.faults, [])
  assert.deepEqual(Object.keys(decoded.header?.value ?? {}), ['alg', '__proto__'])
})

test('decode: JSON that is nested absurdly deeply is not parsed', () => {
  const nested = (depth: number) => `{"a":${'['.repeat(depth)}"]"${']'.repeat(depth)}}`
  const decode = (depth: number) => decodeToken(`${encodeJson(header)}.${encodeText(nested(depth))}.AAAA`)
  assert.deepEqual(decode(63).faults, [])
  for (const depth of [64, 100_000]) {
    assert.deepEqual(
      decode(depth).faults.map(({ name }) => name),
      ['not-json'],
    )
  }
})

test('decode: a long text without a token is read in an instant', () => {
  const long = 100_000
  for (const text of [`${'ey'.repeat(long)}*`, `a${' '.repeat(long)}b`, `a${'"'.repeat(long)}b`]) {
    const started = performance.now()
    decodeToken(text)
    // Many seconds, if the time grows with the square of the length.
    assert.ok(performance.now() - started < 2000, text.slice(0, 3))
  }
})

test('decode: a token is found directly after other letters', () => {
  const token = `${encodeJson(header)}.${encodeJson(payload)}.AAAA`
  for (const text of [`next=%2F&token%3D${token}&a=b`, `www.example.com/#x_${token}`, `x-${token}, and more`])
    assert.equal(decodeToken(text).token, token, text)
})

test('decode: of a text full of dots, few parts are shown, and together they are the text', () => {
  for (const text of ['a.b.c', 'a.b.c.d.e', '.'.repeat(100_000)]) {
    const parts = shownParts(text)
    assert.ok(parts.length <= 6)
    assert.equal(parts.join('.'), text)
  }
})
