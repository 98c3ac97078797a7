import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { inspect } from 'node:util'
import type { Jwk, SigningKey } from '@sealwax/jwt'
import {
  createLocalJWKSet,
  exportJwk,
  generateKey,
  importKey,
  isSigningKey,
  sign,
  thumbprint,
  verify,
} from '@sealwax/jwt'
import { buildKeySet } from '../src/jwks.ts'
import { certificate } from './certificate.ts'
import { base64url, rsaJwk, secret } from './craft.ts'
import { refusedKey } from './refused-key.ts'

const anyone = { issuer: null, audience: null, typ: null }
const ecKey = await generateKey('ES256', { kid: 'ec' })
const ecPrivate: Jwk = exportJwk(ecKey, { private: true })
const ecPublic: Jwk = exportJwk(ecKey)
const edKey = await generateKey('Ed25519', { kid: 'ed' })
const edPrivate: Jwk = exportJwk(edKey, { private: true })
const edPublic: Jwk = exportJwk(edKey)
const rsaPrivate: Jwk = rsaJwk()
const rsaPublic: Jwk = { kty: 'RSA', n: rsaPrivate.n ?? '', e: 'AQAB' }
const oct: Jwk = { kty: 'oct', k: base64url(secret), alg: 'HS256', kid: 'hs' }

test('generateKey: HMAC keys have no public key, others have one that cannot sign', async () => {
  for (const alg of ['HS256', 'HS384', 'HS512'] as const) {
    const key = await generateKey(alg)
    assert.deepEqual(Object.keys(key), ['alg', 'kid'])
    assert.ok(isSigningKey(key))
    assert.equal(Buffer.from(exportJwk(key, { private: true }).k ?? '', 'base64url').length, Number(alg.slice(2)) / 8)
  }
  assert.deepEqual({ ...ecKey }, { alg: 'ES256', kid: 'ec', publicKey: { alg: 'ES256', kid: 'ec' } })
  assert.ok(isSigningKey(ecKey))
  assert.ok(!isSigningKey(ecKey.publicKey))
  assert.ok(Object.isFrozen(ecKey) && Object.isFrozen(ecKey.publicKey))
})

test('generateKey: the default kid is the thumbprint, the default RSA size is 2048 bits', async () => {
  const key = await generateKey('ES384')
  assert.equal(key.kid, thumbprint(exportJwk(key)))
  const rsa = await generateKey('RS256', { modulusLength: 3072 })
  assert.equal(Buffer.from(exportJwk(rsa).n ?? '', 'base64url').length, 384)
})

test('generateKey: refuses unknown algorithms and options', async () => {
  const call = generateKey as unknown as (...args: unknown[]) => Promise<SigningKey>
  for (const args of [
    ['none'],
    ['ES256K'],
    [undefined],
    ['__proto__'],
    ['ES256', { modulusLength: 2048 }],
    ['RS256', { modulusLength: 1024 }],
    ['ES256', { kid: undefined }],
    ['ES256', { extractable: true }],
    ['ES256', null],
  ]) {
    await assert.rejects(call(...args), { code: 'ERR_JWT_OPTION' })
  }
  for (const kid of ['', 'k'.repeat(257), 5, 'a\ud800'])
    await assert.rejects(call('ES256', { kid }), { code: 'ERR_JWT_KEY' })
})

test('importKey: names the member of a JWK that has the wrong type', () => {
  assert.match(refusedKey({ ...ecPublic, kty: undefined }).message, /has no kty/)
  assert.match(refusedKey({ ...ecPublic, kty: ['EC'] }).message, /has no kty/)
  assert.match(refusedKey({ ...ecPublic, alg: 256 }).message, /alg of the JWK is not a string/)
  assert.match(refusedKey({ ...ecPublic, crv: 256 }).message, /crv of the JWK is not a string/)
})

test('importKey: a wrong type, curve or length is refused with that reason, before the import', () => {
  const longer = base64url(Buffer.concat([Buffer.of(0), Buffer.from(ecPublic.y ?? '', 'base64url')]))
  assert.match(refusedKey({ ...ecPublic, kty: 'OKP' }).message, /this type and curve cannot be used with ES256/)
  assert.match(refusedKey({ ...ecPublic, crv: 'P-384' }).message, /this type and curve cannot be used with ES256/)
  assert.match(refusedKey({ ...oct, alg: 'RS256' }).message, /this type and curve cannot be used with RS256/)
  assert.match(refusedKey({ ...ecPublic, y: longer }).message, /y of the JWK is not exactly 32 octets/)
  assert.match(refusedKey({ ...edPublic, x: `${edPublic.x}AA` }).message, /x of the JWK is not/)
})

test('importKey: a private key that cannot sign is refused with the underlying error as cause', () => {
  const error = refusedKey({ ...rsaPrivate, p: 'AQ', q: 'AQ' })
  assert.match(error.message, /cannot sign/)
  assert.ok(error.cause instanceof Error)
})

test('importKey: octets are a secret for the given algorithm, at least as long as its hash', () => {
  for (const [alg, length] of [
    ['HS256', 32],
    ['HS384', 48],
    ['HS512', 64],
  ] as const) {
    assert.equal(importKey(randomBytes(length), { alg }).alg, alg)
    assert.equal(importKey(new Uint8Array(randomBytes(length)), { alg, kid: 'k' }).kid, 'k')
    refusedKey(randomBytes(length - 1), { alg })
  }
  refusedKey(randomBytes(64))
  refusedKey(randomBytes(64), { alg: 'ES256' })
  refusedKey(Buffer.alloc(32), { alg: 'HS256' })
  refusedKey(Buffer.alloc(64, 'x'), { alg: 'HS512' })
  refusedKey(Buffer.from(certificate()), { alg: 'HS256' })
  refusedKey(Buffer.alloc(0), { alg: 'HS256' })
})

test('importKey: a change to the octets afterwards does not change the key', () => {
  const octets = Buffer.from(secret)
  const key = importKey(octets, { alg: 'HS256', kid: 'k' })
  octets.fill(0)
  const token = sign({}, importKey(secret, { alg: 'HS256', kid: 'k' }), { ...anyone, expiresIn: 60 })
  assert.ok(verify(token, key, anyone))
})

const acceptedJwks: [name: string, jwk: Jwk, options: object, alg: string, signs: boolean][] = [
  ['a public EC key without alg', { ...ecPublic, alg: undefined } as unknown as Jwk, {}, 'ES256', false],
  ['a private EC key', ecPrivate, {}, 'ES256', true],
  ['a private EC key for signing', { ...ecPrivate, key_ops: ['sign'] }, {}, 'ES256', true],
  ['a public key for verifying', { ...ecPublic, key_ops: ['verify'] }, {}, 'ES256', false],
  ['an Ed25519 key without alg', { kty: 'OKP', crv: 'Ed25519', x: edPublic.x ?? '' }, {}, 'EdDSA', false],
  ['an Ed25519 key under its other name', edPublic, { alg: 'EdDSA' }, 'EdDSA', false],
  ['an RSA key without alg', rsaPublic, {}, 'RS256', false],
  ['an RSA key for PSS', rsaPublic, { alg: 'PS384' }, 'PS384', false],
  ['an RSA private key', rsaPrivate, {}, 'RS256', true],
  ['a secret', oct, {}, 'HS256', true],
  ['a secret with the algorithm as an option', { kty: 'oct', k: base64url(secret) }, { alg: 'HS256' }, 'HS256', true],
  ['unknown members', { ...ecPublic, x5t: 'x', 'https://example.com/note': 1 }, {}, 'ES256', false],
]

for (const [name, jwk, options, alg, signs] of acceptedJwks) {
  test(`importKey: accepts a JWK: ${name}`, () => {
    const copy = structuredClone(jwk)
    const key = importKey(jwk, options)
    assert.equal(key.alg, alg)
    assert.equal(isSigningKey(key), signs)
    assert.equal(key.kid, jwk.kid ?? thumbprint(jwk))
    assert.deepEqual(jwk, copy)
  })
}

const zeros = base64url(Buffer.alloc(32))
const smallOrder = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // p: not reduced
]
const otherEc: Jwk = exportJwk(await generateKey('ES256'), { private: true })
const otherEd: Jwk = exportJwk(await generateKey('Ed25519'), { private: true })

const refusedJwks: [name: string, jwk: unknown, options?: object][] = [
  ['nothing', undefined],
  ['null', null],
  ['a number', 5],
  ['a list', [ecPublic]],
  ['a set', { keys: [ecPublic] }],
  ['an instance of a class', Object.assign(new (class Key {})(), ecPublic)],
  ['no kty', { ...ecPublic, kty: undefined }],
  ['kty unknown', { ...ecPublic, kty: 'ec' }],
  ['kty of another type', { ...ecPublic, kty: 'RSA' }],
  ['alg a number', { ...ecPublic, alg: 256 }],
  ['alg unknown', { ...ecPublic, alg: 'ES256K' }],
  ['alg of another curve', { ...ecPublic, alg: 'ES384' }],
  ['alg of another type', { ...ecPublic, alg: 'RS256' }],
  ['alg other than the option', ecPublic, { alg: 'ES384' }],
  ['an RSA alg other than the option', { ...rsaPublic, alg: 'RS256' }, { alg: 'PS256' }],
  ['crv of another curve', { ...ecPublic, crv: 'P-384' }],
  ['crv unknown', { ...ecPublic, crv: 'secp256k1', alg: undefined }],
  ['crv a list', { ...ecPublic, crv: ['P-256'] }],
  ['crv missing', { ...ecPublic, crv: undefined }],
  ['use enc', { ...ecPublic, use: 'enc' }],
  ['use a list', { ...ecPublic, use: ['sig'] }],
  ['key_ops without verify', { ...ecPublic, key_ops: ['sign'] }],
  ['key_ops empty', { ...ecPublic, key_ops: [] }],
  ['key_ops a string', { ...ecPublic, key_ops: 'verify' }],
  ['key_ops with a number', { ...ecPublic, key_ops: ['verify', 1] }],
  ['key_ops twice', { ...ecPublic, key_ops: ['verify', 'verify'] }],
  ['a private key for verifying only', { ...ecPrivate, key_ops: ['verify'] }],
  ['a secret for verifying only', { ...oct, key_ops: ['verify'] }],
  ['kid empty', { ...ecPublic, kid: '' }],
  ['kid a number', { ...ecPublic, kid: 1 }],
  ['kid too long', { ...ecPublic, kid: 'k'.repeat(257) }],
  ['x with padding', { ...ecPublic, x: `${ecPublic.x}=` }],
  ['x in the alphabet of base64', { ...ecPublic, x: `${'/'.repeat(42)}8` }],
  ['x one octet short', { ...ecPublic, x: base64url(Buffer.alloc(31, 1)) }],
  ['x one octet long', { ...ecPublic, x: base64url(Buffer.alloc(33, 1)) }],
  ['x missing', { ...ecPublic, x: undefined }],
  ['y missing', { ...ecPublic, y: undefined }],
  ['a point off the curve', { ...ecPublic, y: ecPublic.x }],
  ['the point 0, 0', { ...ecPublic, x: zeros, y: zeros }],
  ['d of another key', { ...ecPrivate, d: otherEc.d }],
  ['d 0', { ...ecPrivate, d: zeros }],
  ['d empty', { ...ecPrivate, d: '' }],
  ['d a number', { ...ecPrivate, d: 1 }],
  ['a secret together with a public key', { ...ecPublic, k: oct.k }],
  ['Ed25519 d of another key', { ...edPrivate, d: otherEd.d }],
  ['Ed25519 x short', { ...edPublic, x: base64url(Buffer.alloc(31, 1)) }],
  ...smallOrder.map((hex): [string, Jwk] => [
    `Ed25519 of small order ${hex.slice(0, 4)}…${hex.slice(-2)}`,
    { ...edPublic, x: base64url(Buffer.from(hex, 'hex')) },
  ]),
  ['RSA of 1024 bits', { ...rsaPublic, n: base64url(Buffer.alloc(128, 0xff)) }],
  ['RSA of 2047 bits', { ...rsaPublic, n: base64url(Buffer.alloc(256, 0x7f)) }],
  ['RSA of 4104 bits', { ...rsaPublic, n: base64url(Buffer.alloc(513, 0xff)) }],
  ['RSA with an even modulus', { ...rsaPublic, n: base64url(Buffer.alloc(256, 0xfe)) }],
  ['RSA with a modulus of zeros', { ...rsaPublic, n: base64url(Buffer.alloc(256)) }],
  ['RSA of 1024 bits and 128 leading zeros', { ...rsaPublic, n: base64url(Buffer.alloc(256, 0xff).fill(0, 0, 128)) }],
  ['RSA with e 1', { ...rsaPublic, e: 'AQ' }],
  ['RSA with e 2', { ...rsaPublic, e: 'Ag' }],
  ['RSA with e 65536', { ...rsaPublic, e: 'AQAA' }],
  ['RSA with e of 33 bits', { ...rsaPublic, e: 'AQAAAAE' }],
  ['RSA with e missing', { ...rsaPublic, e: undefined }],
  ['RSA of the ROCA generator', { ...rsaPublic, n: rocaModulus() }],
  ['RSA private without its primes', { kty: 'RSA', n: rsaPublic.n, e: 'AQAB', d: rsaPrivate.d }],
  ['RSA primes without d', { ...rsaPublic, p: rsaPrivate.p, q: rsaPrivate.q }],
  ['RSA with a third prime', { ...rsaPrivate, oth: [] }],
  ['RSA with the modulus of another key', { ...rsaPrivate, n: base64url(Buffer.alloc(256, 0xff)) }],
  ['a secret without alg', { kty: 'oct', k: oct.k }],
  ['a secret without k', { kty: 'oct', alg: 'HS256' }],
  ['an empty secret', { ...oct, k: '' }],
  ['a short secret', { ...oct, k: base64url(Buffer.from('correct horse battery staple')) }],
  ['a secret too short for its alg', { ...oct, alg: 'HS512' }],
  ['a secret for ES256', { ...oct, alg: 'ES256' }],
]

for (const [name, jwk, options] of refusedJwks) {
  test(`importKey: refuses a JWK: ${name}`, () => {
    const source = typeof jwk === 'object' && jwk !== null ? jwk : undefined
    refusedKey(
      source === undefined || Array.isArray(jwk) || name.startsWith('an instance')
        ? jwk
        : JSON.parse(JSON.stringify(source)),
      options,
    )
  })
}

test('importKey: refuses options that are unknown, undefined or of the wrong type', () => {
  for (const options of [
    null,
    'ES256',
    { alg: undefined },
    { kid: undefined },
    { algorithm: 'ES256' },
    { alg: 'none' },
    { alg: ['ES256'] },
  ]) {
    refusedKey(ecPublic, options as object, 'ERR_JWT_OPTION')
  }
  refusedKey(ecPublic, { kid: '' })
})

test('exportJwk: exports the public key by default, and the result can be imported', () => {
  assert.deepEqual(Object.keys(exportJwk(ecKey)), ['kty', 'x', 'y', 'crv', 'kid', 'alg', 'use'])
  assert.deepEqual(exportJwk(ecKey), exportJwk(ecKey.publicKey))
  assert.equal(importKey(exportJwk(ecKey)).kid, 'ec')
  const rsa = importKey(rsaPrivate, { alg: 'PS256', kid: 'r' })
  for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi']) assert.ok(!(member in exportJwk(rsa)))
  for (const key of [ecKey, edKey, importKey(oct) as SigningKey, rsa as SigningKey]) {
    const again = importKey(exportJwk(key, { private: true }))
    assert.deepEqual({ ...again }, { ...key })
    const token = sign({ sub: 'a' }, again, { ...anyone, expiresIn: 60 })
    assert.equal(verify(token, key, anyone).payload.sub, 'a')
  }
})

test('exportJwk: refuses a key without the requested public or private key', () => {
  const call = exportJwk as unknown as (...args: unknown[]) => unknown
  assert.throws(() => call(importKey(oct)), { code: 'ERR_JWT_KEY' })
  assert.throws(() => call(ecKey.publicKey, { private: true }), { code: 'ERR_JWT_KEY' })
  assert.throws(() => call({ alg: 'ES256', kid: 'ec' }), { code: 'ERR_JWT_KEY' })
  for (const options of [{ private: undefined }, { private: 'yes' }, { privat: true }, null]) {
    assert.throws(() => call(ecKey, options), { code: 'ERR_JWT_OPTION' })
  }
})

test('thumbprint: covers only the required members, for keys and JWKs', () => {
  assert.equal(thumbprint(ecKey), thumbprint({ ...ecPrivate, kid: 'other', use: 'enc' }))
  assert.equal(thumbprint(ecKey), thumbprint(ecKey.publicKey))
  assert.notEqual(thumbprint(ecKey), thumbprint(otherEc))
  assert.equal(thumbprint(importKey(oct)), thumbprint(oct))
  for (const jwk of [
    { kty: 'EC', crv: 'P-256', x: 'AA' },
    { kty: 'AKP' },
    { kty: 'RSA', n: 5, e: 'AQAB' },
    null,
    'ES256',
  ]) {
    assert.throws(() => thumbprint(jwk as unknown as Jwk), { code: 'ERR_JWT_KEY' })
  }
})

test('a key reveals no secret when it is printed, serialized, cloned or spread', () => {
  const secrets = [ecPrivate.d, edPrivate.d, rsaPrivate.d, rsaPrivate.p, oct.k].map((text) => text ?? '')
  const keys = [ecKey, edKey, importKey(rsaPrivate), importKey(oct)]
  const shown = [
    inspect(keys, { depth: 20, showHidden: true, getters: true }),
    JSON.stringify(keys),
    inspect(structuredClone(keys), { depth: 20, showHidden: true }),
    ...keys.map((key) => inspect({ ...key }, { depth: 20 }) + String(key)),
  ].join('\n')
  assert.match(shown, /ES256/)
  for (const text of secrets) {
    assert.ok(text.length > 20)
    const hex = Buffer.from(text, 'base64url').toString('hex')
    for (const spelling of [text, hex, hex.slice(0, 16), text.slice(0, 12)]) assert.ok(!shown.includes(spelling))
  }
})

test('an error about a key contains no member of it', () => {
  for (const [, jwk, options] of refusedJwks.filter(([, jwk]) => typeof jwk === 'object' && jwk !== null)) {
    const error = refusedKey(jwk, options)
    const shown = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error)
    for (const member of ['d', 'k', 'p', 'q']) {
      const value = (jwk as Jwk)[member]
      if (typeof value === 'string' && value.length > 8) assert.ok(!shown.includes(value))
    }
  }
})

test('createLocalJWKSet: finds keys by exact kid, and keeps the order', () => {
  const set = createLocalJWKSet({ keys: [ecPublic, edPublic, rsaPublic] })
  assert.deepEqual(
    set.keys.map(({ kid }) => kid),
    ['ec', 'ed', thumbprint(rsaPublic)],
  )
  assert.equal(set.get('ec')?.alg, 'ES256')
  for (const kid of ['EC', 'ec ', '', '__proto__', 'constructor']) assert.equal(set.get(kid), undefined)
  assert.ok(Object.isFrozen(set) && Object.isFrozen(set.keys))
})

test('createLocalJWKSet: a secret in a set verifies and does not sign', () => {
  const [key] = createLocalJWKSet({ keys: [oct] }).keys
  assert.ok(key !== undefined && !isSigningKey(key))
  assert.throws(() => sign({}, key as SigningKey, { ...anyone, expiresIn: 60 }), { code: 'ERR_JWT_KEY' })
  assert.ok(verify(sign({}, importKey(oct) as SigningKey, { ...anyone, expiresIn: 60 }), key, anyone))
  assert.equal(createLocalJWKSet({ keys: [{ ...oct, key_ops: ['verify'] }] }).keys.length, 1)
})

test('createLocalJWKSet: leaves out keys that are not for verifying tokens', () => {
  const foreign: Jwk[] = [
    { kty: 'AKP', alg: 'SLH-DSA-SHA2-128s', pub: 'AA' },
    { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA' },
    { kty: 'OKP', crv: 'X25519', x: 'AA' },
    { ...rsaPublic, alg: 'RSA-OAEP' },
    { ...rsaPublic, use: 'enc' },
    { ...ecPublic, key_ops: ['deriveKey'] },
  ]
  for (const jwk of foreign) assert.throws(() => createLocalJWKSet({ keys: [jwk] }), { code: 'ERR_JWT_KEY_SET' })
  assert.deepEqual(
    createLocalJWKSet({ keys: [...foreign, ecPublic] }).keys.map(({ kid }) => kid),
    ['ec'],
  )
})

const weak: Jwk = { ...rsaPublic, e: 'AQ', kid: 'weak' }
const rivalEc: Jwk = { ...exportJwk(await generateKey('ES256')), kid: 'rival' }
const { x, y } = exportJwk(await generateKey('ES256'))
const sameKid = { x, y }
const refusedSets: [name: string, set: unknown, skipped: 'also refused when skipping' | 'left out when skipping'][] = [
  ['nothing', undefined, 'also refused when skipping'],
  ['a list', [ecPublic], 'also refused when skipping'],
  ['keys that are not a list', { keys: { 0: ecPublic } }, 'also refused when skipping'],
  ['no keys', { keys: [] }, 'also refused when skipping'],
  ['a key that is null', { keys: [ecPublic, null] }, 'left out when skipping'],
  ['257 keys', { keys: Array(257).fill({ kty: 'x' }) }, 'also refused when skipping'],
  ['different keys with one kid', { keys: [rivalEc, { ...rivalEc, ...sameKid }, ecPublic] }, 'left out when skipping'],
  ['only two keys with one kid', { keys: [rivalEc, { ...rivalEc, ...sameKid }] }, 'also refused when skipping'],
  ['a weak key under the kid of another', { keys: [ecPublic, { ...weak, kid: 'ec' }] }, 'left out when skipping'],
  ['a secret together with a public key', { keys: [ecPublic, oct] }, 'left out when skipping'],
  ['a secret together with a foreign key', { keys: [{ kty: 'AKP' }, oct] }, 'also refused when skipping'],
  ['a private key', { keys: [ecPublic, edPrivate] }, 'left out when skipping'],
  ['a private key for another use', { keys: [ecPublic, { ...edPrivate, use: 'enc' }] }, 'left out when skipping'],
  ['a weak key', { keys: [ecPublic, weak] }, 'left out when skipping'],
  ['a malformed key', { keys: [ecPublic, { ...edPublic, x: 'AA' }] }, 'left out when skipping'],
  ['a key without kty', { keys: [ecPublic, { kid: 'x' }] }, 'left out when skipping'],
  ['a kid that is a number', { keys: [ecPublic, { ...edPublic, kid: 5 }] }, 'left out when skipping'],
]

for (const [name, set, skipped] of refusedSets) {
  test(`createLocalJWKSet: refuses ${name} (${skipped})`, () => {
    assert.throws(() => buildKeySet(set, false), { name: 'JwtError', code: 'ERR_JWT_KEY_SET' })
    if (skipped === 'left out when skipping')
      assert.deepEqual(
        buildKeySet(set, true).keys.map(({ kid }) => kid),
        ['ec'],
      )
    else assert.throws(() => buildKeySet(set, true), { name: 'JwtError', code: 'ERR_JWT_KEY_SET' })
  })
}

/**
 * A modulus with the structure of CVE-2017-15361: a power of 65537 modulo the product of the small
 * primes.
 */
function rocaModulus(): string {
  let product = 1n
  for (let candidate = 2n; candidate <= 167n; candidate++) {
    let isPrime = true
    for (let divisor = 2n; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0n) isPrime = false
    if (isPrime) product *= candidate
  }
  let residue = 1n
  for (let i = 0; i < 12345; i++) residue = (residue * 65537n) % product
  const top = (1n << 2048n) - 1n
  const modulus = top - (top % product) - product + residue
  return base64url(Buffer.from(modulus.toString(16), 'hex'))
}

test('keys: a JWK and a copy of a key are told apart from keys', async () => {
  const key = await generateKey('ES256')
  const options = { issuer: null, audience: null, typ: null }
  const token = sign({}, key, { ...options, expiresIn: 1 })
  const jwk = 'keys must be a key, a list of keys or a key set (got a JWK): use importKey(jwk)'
  assert.throws(() => verify(token, exportJwk(key) as never, options), { code: 'ERR_JWT_KEY', message: jwk })
  const copy = /\(got a copy of a key, which has no key material\): send exportJwk\(key\), and import it there$/
  assert.throws(() => verify(token, structuredClone({ ...key.publicKey }) as never, options), { message: copy })
  assert.throws(() => sign({}, structuredClone({ ...key.publicKey }) as never, { ...options, expiresIn: 1 }), {
    message: copy,
  })
})
