import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import type { Jwk } from '@sealwax/jwt'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  exportJwk,
  generateKey,
  importKey,
  sign,
  thumbprint,
  unsafeDecode,
  verify,
} from '@sealwax/jwt'
import { inspect } from '../src/inspect.ts'
import { buildKeySet } from '../src/jwks.ts'
import { base64url, craft, rsaJwk, secret } from './craft.ts'

const anyone = { issuer: null, audience: null, typ: null }
const ec = await generateKey('ES256', { kid: 'a' })
const ed = await generateKey('Ed25519', { kid: 'a' })
const stranger = await generateKey('ES256', { kid: 'a' })
const rsa = rsaJwk()
const {
  alg: _alg,
  kid: _kid,
  use: _use,
  ...bare
} = { kid: '', alg: '', use: '', kty: 'RSA', n: rsa.n ?? '', e: 'AQAB' }
const signed = (alg: 'RS256' | 'PS256' | 'RS512', kid = 'rsa') =>
  sign({}, importKey(rsa, { alg, kid }) as typeof ec, { ...anyone, expiresIn: 60 })
const token = (key: typeof ec) => sign({}, key, { ...anyone, expiresIn: 60 })

test('a key set: a key that is listed twice counts once, independent of its other members', () => {
  const twice = { ...exportJwk(ec), x5t: 'AA' }
  for (const lenient of [true, false]) {
    const set = buildKeySet({ keys: [exportJwk(ec), twice] }, lenient)
    assert.equal(set.keys.length, 1)
    assert.ok(verify(token(ec), set, anyone))
  }
})

test('a key set: a copy of a key without alg does not add algorithms to the copy with alg, in any order', () => {
  const named = { ...bare, kid: 'rsa', alg: 'RS256' } as Jwk
  const open = { ...bare, kid: 'rsa' } as Jwk
  const options = { ...anyone, algorithms: ['RS256', 'PS256'] as const }
  for (const keys of [
    [named, open],
    [open, named],
  ]) {
    const set = createLocalJWKSet({ keys })
    assert.ok(verify(signed('RS256'), set, options))
    assert.throws(() => verify(signed('PS256'), set, options), { code: 'ERR_JWT_ALGORITHM' })
  }
})

test('a key set: keys for different algorithms may share a kid, and each verifies its own tokens', () => {
  const set = createLocalJWKSet({ keys: [exportJwk(ec), exportJwk(ed)] })
  for (const key of [ec, ed]) assert.ok(verify(token(key), set, anyone))
  assert.equal(set.get('a')?.alg, 'ES256')
  assert.equal(set.get('a', 'EdDSA')?.alg, 'Ed25519')
  assert.throws(() => verify(token(stranger), set, anyone), { code: 'ERR_JWT_SIGNATURE' })
  const same = createLocalJWKSet({ keys: ['RS256', 'PS256'].map((alg) => ({ ...bare, kid: 'rsa', alg })) as Jwk[] })
  for (const alg of ['RS256', 'PS256'] as const) assert.ok(verify(signed(alg), same, anyone))
  assert.throws(() => verify(signed('RS512'), same, anyone), { code: 'ERR_JWT_ALGORITHM' })
})

test('a key that an attacker adds under the kid of another key is not used: both are left out, and the other keys are kept', () => {
  const other = { ...exportJwk(ec), kid: 'b' }
  const set = buildKeySet({ keys: [exportJwk(ec), exportJwk(stranger), other] }, true)
  assert.deepEqual(
    set.keys.map(({ kid }) => kid),
    ['b'],
  )
  const reason = 'several keys of the set have this kid and algorithm'
  assert.deepEqual(set.leftOut, [{ kid: 'a', reason }])
  for (const key of [ec, stranger]) {
    assert.throws(() => verify(token(key), set, anyone), {
      code: 'ERR_JWT_KEY_UNKNOWN',
    })
  }
})

test('a JWK: members that are null count as absent', () => {
  const nulls = { alg: null, use: null, key_ops: null, kid: null, d: null, k: null, x5c: null } as unknown as object
  const key = importKey({ ...exportJwk(ec), ...nulls } as Jwk)
  assert.deepEqual([key.alg, key.kid], ['ES256', thumbprint(ec)])
  assert.equal(createLocalJWKSet({ keys: [{ ...exportJwk(ec), ...nulls } as Jwk] }).keys.length, 1)
})

test('a JWK of RSA: leading zeros of n and e are dropped, and do not change its thumbprint', () => {
  const zero = (text: string) => base64url(Buffer.concat([Buffer.alloc(1), Buffer.from(text, 'base64url')]))
  const padded = { ...bare, n: zero(bare.n), e: zero('AQAB') }
  assert.equal(thumbprint(padded), thumbprint(bare))
  assert.equal(importKey(padded).kid, thumbprint(bare))
  assert.ok(verify(signed('RS256', thumbprint(bare)), createLocalJWKSet({ keys: [padded] }), anyone))
})

test('an RSA key without alg verifies RS256, and other RSA algorithms only if the options list them', () => {
  const set = createLocalJWKSet({ keys: [{ ...bare, kid: 'rsa' }] })
  const pem = importKey({ ...bare, kid: 'rsa' })
  for (const keys of [set, pem, [pem]]) {
    assert.ok(verify(signed('RS256'), keys, anyone))
    for (const alg of ['PS256', 'RS512'] as const) {
      assert.throws(() => verify(signed(alg), keys, anyone), { code: 'ERR_JWT_ALGORITHM' })
      for (let i = 0; i < 2; i++) assert.ok(verify(signed(alg), keys, { ...anyone, algorithms: ['RS256', alg] }))
      assert.throws(() => verify(signed('RS256'), keys, { ...anyone, algorithms: [alg] }), {
        code: 'ERR_JWT_ALGORITHM',
      })
    }
    assert.ok(verify(signed('RS256'), keys, anyone), 'the parameters of PS256 are not left on the key')
  }
})

test('a key with alg is never used for another algorithm that a token names', () => {
  const algorithms = ['RS256', 'PS256', 'ES256', 'HS256']
  for (const key of [
    importKey({ ...bare, alg: 'RS256', kid: 'rsa' }),
    importKey(bare as Jwk, { alg: 'RS256', kid: 'rsa' }),
  ]) {
    assert.throws(() => verify(signed('PS256'), key, { ...anyone, algorithms }), { code: 'ERR_JWT_ALGORITHM' })
  }
  const unnamed = importKey({ ...bare, kid: 'rsa' })
  for (const alg of ['HS256', 'ES256'] as const) {
    const forged = token(
      { HS256: importKey(Buffer.from(bare.n), { alg: 'HS256', kid: 'rsa' }), ES256: ec }[alg] as typeof ec,
    )
    const [, ...rest] = forged.split('.')
    const header = base64url(Buffer.from(JSON.stringify({ alg, kid: 'rsa' })))
    assert.throws(() => verify([header, ...rest].join('.'), unnamed, { ...anyone, algorithms }), {
      code: 'ERR_JWT_ALGORITHM',
    })
  }
})

test('the set and the cause of the error name each key that is left out, and why', () => {
  const weak = { ...bare, e: 'AQ', kid: 'weak\n' }
  const set = buildKeySet({ keys: [exportJwk(ec), weak, { ...bare, kid: 'enc', use: 'enc' }, null, 5] }, true)
  assert.deepEqual(set.leftOut, [
    { kid: 'weak\n', reason: 'the exponent of an RSA key must be odd, at least 3, and fit in 32 bits' },
    { kid: 'enc', reason: 'its use is not sig' },
    { reason: 'it is not a JWK' },
    { reason: 'it is not a JWK' },
  ])
  assert.throws(
    () => verify(signed('RS256', 'weak\n'), set, anyone),
    (error: Error) => {
      assert.equal((error.cause as Error).message, `the set leaves out the key "weak\\n": ${set.leftOut[0]?.reason}`)
      return true
    },
  )
  assert.throws(
    () => verify(signed('RS256', 'other'), set, anyone),
    (error: Error) => error.cause === undefined,
  )
  assert.throws(
    () => buildKeySet({ keys: [weak] }, true),
    (error: Error) => /the set leaves out the key "weak/.test(String(error.cause)),
  )
  assert.throws(() => createLocalJWKSet({ keys: [weak] }), { message: /the key "weak\\n": the exponent/ })
})

test('limits are options: raising them accepts longer tokens and more members, lowering them refuses more', () => {
  const key = importKey(Buffer.from('0123456789abcdef0123456789abcdef'), { alg: 'HS256', kid: 'a' })
  const short = token(key as typeof ec)
  assert.throws(() => verify(short, key, { ...anyone, maxTokenLength: 100 }), {
    code: 'ERR_JWT_MALFORMED',
    message: /longer than 100 characters/,
  })
  assert.throws(() => verify(short, key, { ...anyone, maxMembers: 1 }), {
    code: 'ERR_JWT_MALFORMED',
    message: /more than 1 members/,
  })
  const long = craft({ x: 'x'.repeat(100_000) }, { alg: 'HS256' })
  const many = craft(Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`m${i}`, 1])))
  const hs = importKey(secret, { alg: 'HS256', kid: 'hs-1' })
  const raised = { ...anyone, maxTokenLength: 200_000, maxMembers: 3000 }
  for (const text of [long, many]) {
    assert.throws(() => verify(text, hs, anyone), { code: 'ERR_JWT_MALFORMED' })
    assert.equal(inspect(text, {}).findings[0]?.code, 'ERR_JWT_MALFORMED')
    assert.ok(verify(text, hs, raised))
    assert.ok(inspect(text, raised).findings.every(({ code }) => code !== 'ERR_JWT_MALFORMED'))
    assert.ok(unsafeDecode(text).payload)
  }
  assert.throws(() => verify(`${long.slice(0, -1)}!`, hs, raised), { code: 'ERR_JWT_MALFORMED' })
  assert.throws(() => verify(many, hs, { ...raised, maxMembers: 2999 }), { message: /more than 2999 members/ })
  assert.ok(verify(short, key, anyone), 'a short token is still accepted')
  for (const wrong of [0, 1.5, -1, Number.NaN, '100', 1_048_577, null]) {
    for (const name of ['maxTokenLength', 'maxMembers']) {
      assert.throws(() => verify(short, key, { ...anyone, [name]: wrong as number }), { code: 'ERR_JWT_OPTION' })
    }
  }
})

test('Date.now is looked up on each call, so that fake timers that are enabled later work', async () => {
  const keys = createRemoteJWKSet('http://127.0.0.1:9/', { coolDown: '1d' })
  const text = token(ec)
  await assert.rejects(async () => keys.keysFor(text))
  assert.throws(() => keys.keysFor(text), 'within the pause after a failure')
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_600_000 })
  try {
    assert.ok(keys.keysFor(text) instanceof Promise, 'an hour later the keys are requested again')
    await Promise.resolve(keys.keysFor(text)).catch(() => {})
    assert.throws(() => verify(text, ec, anyone), { code: 'ERR_JWT_EXPIRED' })
    assert.equal(unsafeDecode(sign({}, ec, { ...anyone, expiresIn: 60 })).payload.iat, Math.floor(Date.now() / 1000))
  } finally {
    mock.timers.reset()
    keys.close()
  }
})
