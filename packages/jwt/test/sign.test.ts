import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JwtErrorCode, JwtPayload, SigningKey, SignOptions } from '@sealwax/jwt'
import { generateKey, JwtError, sign, toSeconds, unsafeDecode, verify } from '@sealwax/jwt'
import fc from 'fast-check'
import { audience, currentDate, hs256, issuer, now } from './craft.ts'

const options: SignOptions = { issuer, audience, typ: 'at+jwt', expiresIn: '15m', currentDate }
const bare: SignOptions = { issuer: null, audience: null, typ: null, expiresIn: 60, currentDate }

function refused(payload: unknown, code: JwtErrorCode, changed: object = {}, key: unknown = hs256): JwtError {
  let thrown: unknown
  try {
    sign(payload as JwtPayload, key as SigningKey, { ...options, ...changed } as SignOptions)
  } catch (error) {
    thrown = error
  }
  assert.ok(thrown instanceof JwtError, `expected ${code}, got ${String(thrown)}`)
  assert.equal(thrown.code, code, thrown.message)
  return thrown
}

test('sign: writes the header alg, kid, typ in this order, and the claims its options set', () => {
  const token = sign({ sub: 'usr_1' }, hs256, { ...options, notBefore: '1m', jwtid: 'tok_1' })
  const [head] = token.split('.')
  assert.equal(Buffer.from(head ?? '', 'base64url').toString(), '{"alg":"HS256","kid":"hs-1","typ":"at+jwt"}')
  assert.deepEqual(unsafeDecode(token).payload, {
    sub: 'usr_1',
    iss: issuer,
    aud: audience,
    iat: now,
    exp: now + 900,
    nbf: now + 60,
    jti: 'tok_1',
  })
})

test('sign: null leaves iss, aud and typ out; iat and exp are always set', () => {
  const { header, payload } = unsafeDecode(sign({}, hs256, bare))
  assert.deepEqual(header, { alg: 'HS256', kid: 'hs-1' })
  assert.deepEqual(payload, { iat: now, exp: now + 60 })
  assert.deepEqual(unsafeDecode(sign({ iss: 'mine', aud: ['a'] }, hs256, bare)).payload, {
    iss: 'mine',
    aud: ['a'],
    iat: now,
    exp: now + 60,
  })
})

test('sign: the header follows the typ of each call', () => {
  for (const typ of ['at+jwt', 'JWT', null, 'at+jwt', 'logout+jwt']) {
    assert.equal(unsafeDecode(sign({}, hs256, { ...options, typ })).header.typ, typ ?? undefined)
  }
})

test('sign: iat is whole seconds, and now by default', () => {
  const half = unsafeDecode(sign({}, hs256, { ...bare, currentDate: new Date(now * 1000 + 999) })).payload
  assert.deepEqual([half.iat, half.exp], [now, now + 60])
  const { currentDate: _, ...present } = bare
  const before = Math.floor(Date.now() / 1000)
  const iat = unsafeDecode(sign({}, hs256, present)).payload.iat ?? 0
  assert.ok(iat >= before && iat <= Date.now() / 1000)
})

test('sign: an access token without jti gets 128 random bits, another type gets none', () => {
  const seen = new Set<unknown>()
  for (let i = 0; i < 300; i++) {
    const { jti } = unsafeDecode(sign({}, hs256, options)).payload
    assert.match(jti ?? '', /^[A-Za-z0-9_-]{22}$/)
    seen.add(jti)
  }
  assert.equal(seen.size, 300)
  assert.equal(unsafeDecode(sign({ jti: 'mine' }, hs256, options)).payload.jti, 'mine')
  assert.equal(unsafeDecode(sign({}, hs256, { ...options, typ: 'JWT' })).payload.jti, undefined)
})

test('sign: does not change the payload or the options of the caller', () => {
  const payload = Object.freeze({ sub: 'a', roles: Object.freeze(['user']) }) as unknown as JwtPayload
  const frozen = Object.freeze({ ...options, audience: Object.freeze(['a', 'b']) })
  assert.deepEqual(unsafeDecode(sign(payload, hs256, frozen)).payload.aud, ['a', 'b'])
  assert.deepEqual(payload, { sub: 'a', roles: ['user'] })
})

const wrongOptions: [name: string, changed: Record<string, unknown>][] = [
  ['issuer undefined', { issuer: undefined }],
  ['issuer empty', { issuer: '' }],
  ['issuer a list', { issuer: [issuer] }],
  ['audience undefined', { audience: undefined }],
  ['audience []', { audience: [] }],
  ['audience with an empty string', { audience: [''] }],
  ['typ undefined', { typ: undefined }],
  ['typ empty', { typ: '' }],
  ['typ with a space', { typ: 'at+jwt ' }],
  ['typ a number', { typ: 1 }],
  ['expiresIn undefined', { expiresIn: undefined }],
  ['expiresIn null', { expiresIn: null }],
  ['expiresIn 0', { expiresIn: 0 }],
  ['expiresIn negative', { expiresIn: -60 }],
  ['expiresIn a fraction', { expiresIn: 0.5 }],
  ['expiresIn without a unit', { expiresIn: '900' }],
  ['expiresIn a Date', { expiresIn: new Date() }],
  ['notBefore undefined', { notBefore: undefined }],
  ['notBefore NaN', { notBefore: Number.NaN }],
  ['jwtid undefined', { jwtid: undefined }],
  ['jwtid empty', { jwtid: '' }],
  ['jwtid a number', { jwtid: 1 }],
  ['currentDate undefined', { currentDate: undefined }],
  ['currentDate invalid', { currentDate: new Date('x') }],
  ['currentDate a number', { currentDate: now }],
  ['an unknown name', { subject: 'usr_1' }],
]

for (const [name, changed] of wrongOptions) {
  test(`sign: refuses the options with ${name}`, () => {
    refused({}, 'ERR_JWT_OPTION', changed)
  })
}

test('sign: refuses a call without a required option', () => {
  const call = sign as unknown as (...args: unknown[]) => string
  for (const name of ['issuer', 'audience', 'typ', 'expiresIn']) {
    const rest = Object.fromEntries(Object.entries(options).filter(([option]) => option !== name))
    assert.throws(() => call({}, hs256, rest), { code: 'ERR_JWT_OPTION' })
  }
  assert.throws(() => call({}, hs256), { code: 'ERR_JWT_OPTION' })
})

test('sign: reports which option is missing, and what to pass instead of a string as the key', async () => {
  const call = sign as unknown as (...args: unknown[]) => string
  const { expiresIn: _, ...without } = options
  assert.throws(() => call({}, hs256, without), { message: /^sign: expiresIn must be .*'15m' \(got undefined\)/ })
  assert.throws(() => call({}, hs256), { message: /^sign: options must be an object { issuer, audience, typ, … }/ })
  assert.throws(() => call({}, 'secret', options), {
    code: 'ERR_JWT_KEY',
    message: /got a string.*importKey\(pem\).*HS256/,
  })
  assert.throws(() => call({}, generateKey('ES256'), options), { message: /await/ })
  const { publicKey } = await generateKey('ES256')
  assert.throws(() => call({}, publicKey, options), { message: /got a verification key/ })
})

test('sign: refuses a key that cannot sign', async () => {
  const { publicKey } = await generateKey('ES256')
  for (const key of [publicKey, null, 'secret', Buffer.alloc(32), { ...hs256 }, { kty: 'oct', k: 'AA' }]) {
    refused({}, 'ERR_JWT_KEY', {}, key)
  }
})

const cyclic: Record<string, unknown> = {}
cyclic.self = cyclic
// Small in memory, huge as JSON, and not too deep.
let lists: unknown = 1
let objects: unknown = 1
for (let i = 0; i < 28; i++) {
  lists = [lists, lists]
  objects = { a: objects, b: objects }
}
class Account {
  id = 1
}

const wrongPayloads: [name: string, payload: unknown, claim?: string][] = [
  ['null', null],
  ['a string', 'sub'],
  ['a list', [{}]],
  ['a Map', new Map()],
  ['an instance of a class', new Account()],
  ['iss in addition to issuer', { iss: issuer }, 'iss'],
  ['aud in addition to audience', { aud: 'x' }, 'aud'],
  ['iat', { iat: now }, 'iat'],
  ['exp', { exp: now + 60 }, 'exp'],
  ['exp null', { exp: null }, 'exp'],
  ['sub a number', { sub: 5 }, 'sub'],
  ['sub null', { sub: null }, 'sub'],
  ['nbf a string', { nbf: 'now' }, 'nbf'],
  ['jti a number', { jti: 1 }, 'jti'],
  ['an empty sub', { sub: '' }, 'sub'],
  ['a sub with a control character', { sub: 'a\u0000' }, 'sub'],
  ['scope as a list', { scope: ['read'] }, 'scope'],
  ['token_use refresh', { token_use: 'refresh' }, 'token_use'],
  ['a function', { f: () => 1 }, 'f'],
  ['a symbol', { f: Symbol('x') }, 'f'],
  ['a bigint', { f: 1n }, 'f'],
  ['NaN', { f: Number.NaN }, 'f'],
  ['a nested Infinity', { f: [{ g: Number.POSITIVE_INFINITY }] }, 'f'],
  ['undefined in a list', { f: [undefined] }, 'f'],
  ['a Date', { f: new Date() }, 'f'],
  ['a nested Date', { f: { g: new Date() } }, 'f'],
  ['a nested Map', { f: [new Map()] }, 'f'],
  ['octets', { f: new Uint8Array(1) }, 'f'],
  ['a boxed string', { f: Object('x') }, 'f'],
  ['toJSON', { f: { toJSON: () => 'x' } }, 'f'],
  ['toJSON at the top', { toJSON: () => ({}) }, 'toJSON'],
  ['a cycle', { f: cyclic }, 'f'],
  ['objects that expand exponentially', { f: objects }],
  ['lists that expand exponentially', { f: lists }],
  ['nesting of 33 levels', { f: JSON.parse('['.repeat(32) + ']'.repeat(32)) }, 'f'],
  ['a lone surrogate', { f: 'a\ud800' }],
  ['a lone surrogate in a name', { '\udfff': 1 }],
  ['a lone surrogate after a backslash', { f: '\\\ud800' }],
  ['__proto__', JSON.parse('{"__proto__":{"admin":true}}'), '__proto__'],
  ['__proto__ within', { f: JSON.parse('{"__proto__":1}') }, 'f'],
  ['1,025 members', Object.fromEntries(Array.from({ length: 1023 }, (_, i) => [`m${i}`, 1]))],
  ['a string that is too long', { f: 'x'.repeat(12_200) }],
]

for (const [name, payload, claim] of wrongPayloads) {
  test(`sign: refuses a payload with ${name}`, () => {
    assert.equal(refused(payload, 'ERR_JWT_CLAIM').claim, claim)
  })
}

test('sign: refuses nbf and jti that are given twice, and cnf in an access token', () => {
  assert.equal(refused({ nbf: 1 }, 'ERR_JWT_CLAIM', { notBefore: 0 }).claim, 'nbf')
  assert.equal(refused({ jti: 'a' }, 'ERR_JWT_CLAIM', { jwtid: 'b' }).claim, 'jti')
  refused({ cnf: { jkt: 'x' } }, 'ERR_JWT_PROOF_REQUIRED')
  assert.ok(sign({ cnf: { jkt: 'x' }, nbf: 1 }, hs256, bare))
})

test('sign: signs an access token that is bound to a key only if the option says so', () => {
  const bound = { sub: 'user-123', cnf: { jkt: 'x' } }
  const options = { issuer: 'https://auth.example.com', audience: 'orders-api', typ: 'at+jwt', expiresIn: 60 } as const
  const token = sign(bound, hs256, { ...options, senderConstrained: 'ignore' })
  const rules = { issuer: options.issuer, audience: options.audience, typ: options.typ }
  assert.throws(() => verify(token, hs256, rules), { code: 'ERR_JWT_PROOF_REQUIRED' })
  const { payload } = verify(token, hs256, { ...rules, senderConstrained: 'ignore' })
  assert.deepEqual(payload.cnf, { jkt: 'x' })
  assert.throws(() => sign(bound, hs256, { ...options, senderConstrained: 'maybe' as 'ignore' }), {
    code: 'ERR_JWT_OPTION',
    message: "sign: senderConstrained must be 'refuse' or 'ignore' (got a string)",
  })
})

test('sign: leaves out members that are undefined, and accepts backslashes, surrogate pairs and shared objects', () => {
  const tag = { a: 1, b: undefined }
  const payload = {
    sub: undefined,
    iss: undefined,
    text: '\\ud800 \\\\udfff 🔑',
    list: [tag, tag],
  } as unknown as JwtPayload
  const { sub, iss, text, list } = unsafeDecode(sign(payload, hs256, options)).payload
  assert.deepEqual(
    { sub, iss, text, list },
    { sub: undefined, iss: issuer, text: '\\ud800 \\\\udfff 🔑', list: [{ a: 1 }, { a: 1 }] },
  )
})

test('sign: verify accepts what it signs at each limit', () => {
  const anyone = { issuer: null, audience: null, typ: null, currentDate }
  const most = Object.fromEntries(Array.from({ length: 1022 }, (_, i) => [`m${i}`, 1]))
  const deepest = { f: JSON.parse('['.repeat(31) + ']'.repeat(31)) }
  for (const payload of [most, deepest]) assert.ok(verify(sign(payload, hs256, bare), hs256, anyone))
  let longest = ''
  for (let length = 12_000; length < 12_300; length++) {
    try {
      longest = sign({ f: 'x'.repeat(length) }, hs256, bare)
    } catch (error) {
      assert.ok(error instanceof JwtError && error.code === 'ERR_JWT_CLAIM')
    }
  }
  assert.ok(longest.length > 16_380 && longest.length <= 16_384, String(longest.length))
  assert.ok(verify(longest, hs256, anyone))
})

const jsonValue = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0), // JSON has no −0
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'binary', maxLength: 8 }), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value
const registered = new Set(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', '__proto__'])

function mentionsProto(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.keys(value).includes('__proto__') || Object.values(value).some(mentionsProto)
}

test('sign and verify: any JSON is preserved', () => {
  const payloads = fc.dictionary(
    fc.string({ unit: 'binary', maxLength: 12 }).filter((name) => !registered.has(name)),
    jsonValue.filter((value) => !mentionsProto(value)),
    { maxKeys: 6, noNullPrototype: true },
  )
  fc.assert(
    fc.property(payloads, (payload) => {
      const { iat, exp, ...rest } = verify(sign(payload, hs256, bare), hs256, {
        issuer: null,
        audience: null,
        typ: null,
        currentDate,
      }).payload
      assert.deepEqual(rest, payload)
      assert.deepEqual([iat, exp], [now, now + 60])
    }),
    { numRuns: 300 },
  )
})

test('verify: a token with one character changed anywhere is refused', () => {
  const token = sign({ sub: 'usr_1', scope: 'read' }, hs256, options)
  const known = { issuer, audience, typ: 'at+jwt', currentDate }
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= +/é\u0000'
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom(...alphabet), (at, character) => {
      fc.pre(token[at] !== character)
      assert.throws(() => verify(token.slice(0, at) + character + token.slice(at + 1), hs256, known), {
        name: 'JwtError',
      })
    }),
    { numRuns: 2000 },
  )
})

test('verify: any other string is refused with a JwtError', () => {
  const segment = fc.string({ unit: 'binary' }).map((text) => Buffer.from(text).toString('base64url'))
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.tuple(segment, segment, segment).map((segments) => segments.join('.')),
    fc.tuple(fc.json(), fc.json(), segment).map(([head, body, signature]) => {
      return `${Buffer.from(head).toString('base64url')}.${Buffer.from(body).toString('base64url')}.${signature}`
    }),
  )
  fc.assert(
    fc.property(texts, (text) => {
      assert.throws(() => verify(text, hs256, { issuer, audience, typ: null }), { name: 'JwtError' })
    }),
    { numRuns: 1000 },
  )
})

test('toSeconds: accepts seconds and units, and nothing else', () => {
  const good: [duration: number | string, seconds: number][] = [
    [0, 0],
    [900, 900],
    ['0s', 0],
    ['30s', 30],
    ['15m', 900],
    ['12h', 43_200],
    ['14d', 1_209_600],
    ['2w', 1_209_600],
    ['0015m', 900],
  ]
  for (const [duration, seconds] of good) assert.equal(toSeconds(duration), seconds)
  const bad = [
    '',
    's',
    '15',
    '15 m',
    ' 15m',
    '15m ',
    '-1s',
    '+1s',
    '1.5h',
    '1e3s',
    '15M',
    '15min',
    '1h30m',
    '١s',
    '9999999999w',
    '99999999999s',
  ]
  const wrong = [...bad, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e12, null, undefined, true, [], {}, 5n]
  for (const duration of wrong) {
    assert.throws(() => toSeconds(duration as number), { code: 'ERR_JWT_OPTION' }, String(duration))
  }
})
