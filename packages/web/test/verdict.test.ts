import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, test } from 'node:test'
import { exportJwk, generateKey as generateNodeKey, importKey, isSigningKey, sign } from '@sealwax/jwt'
import type { AlgorithmName } from '../src/token/algorithms.ts'
import { encodeJson } from '../src/token/base64url.ts'
import { decodeToken } from '../src/token/decode.ts'
import { readKeys, readSecret } from '../src/token/keys.ts'
import { generateKey, importSecret, signToken } from '../src/token/sign.ts'
import { type Evidence, judgeSignature, judgeWithoutKey } from '../src/token/verdict.ts'

/** For `sign` of `@sealwax/jwt`. */
const unlabelled = { issuer: null, audience: null, typ: null, expiresIn: '15m' } as const
const claims = { sub: 'ada', exp: 1_900_000_000 }

function keysIn(text: unknown): Evidence {
  const keys = readKeys(typeof text === 'string' ? text : JSON.stringify(text))
  assert.ok(!('fault' in keys), 'fault' in keys ? keys.fault : '')
  return keys
}

const outcome = async (token: string, evidence: Evidence) =>
  (await judgeSignature(decodeToken(token), evidence)).outcome

function changed(token: string): string {
  const [header, , signature] = token.split('.')
  return [header, encodeJson({ ...claims, sub: 'grace' }), signature].join('.')
}

describe('verdict: valid with the right key, invalid after a change', () => {
  const algorithms: readonly AlgorithmName[] = [
    ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
    ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
  ]
  for (const alg of algorithms) {
    test(`${alg}, signed by @sealwax/jwt, as JWK and JWK Set`, async () => {
      const key = await generateNodeKey(alg as 'ES256')
      const token = sign({ sub: 'ada' }, key, unlabelled)
      const jwk = exportJwk(key)
      for (const given of [jwk, { keys: [{ kty: 'EC', kid: 'other' }, jwk] }]) {
        assert.equal(await outcome(token, keysIn(given)), 'valid')
        assert.equal(await outcome(changed(token), keysIn(given)), 'invalid')
      }
    })
  }

  test('PEM', async () => {
    for (const [type, options, alg] of [
      ['ec', { namedCurve: 'P-256' }, 'ES256'],
      ['rsa', { modulusLength: 2048 }, 'PS256'],
      ['ed25519', {}, 'EdDSA'],
    ] as const) {
      const { publicKey, privateKey } = generateKeyPairSync(type as 'rsa', options as never) as never as Record<
        'publicKey' | 'privateKey',
        KeyObject
      >
      const key = await importKey(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, { alg })
      assert.ok(isSigningKey(key))
      const token = sign({ sub: 'ada' }, key, unlabelled)
      const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string
      assert.equal(await outcome(token, keysIn(pem)), 'valid')
      assert.equal(await outcome(changed(token), keysIn(pem)), 'invalid')
    }
  })

  test('a secret', async () => {
    for (const alg of ['HS256', 'HS384', 'HS512'] as const) {
      const token = await signToken(claims, await importSecret('secret', alg))
      const evidence = (text: string) => ({ secret: readSecret(text, 'text') as Uint8Array<ArrayBuffer> })
      assert.equal(await outcome(token, evidence('secret')), 'valid')
      assert.equal(await outcome(token, evidence('Secret')), 'invalid')
      assert.equal(await outcome(changed(token), evidence('secret')), 'invalid')
      assert.equal(await outcome(token, evidence('')), 'not checked')
    }
  })
})

describe('verdict: no matching key', () => {
  test('no key of the set has the kid', async () => {
    const [key, other] = [await generateKey('ES256'), await generateKey('ES256')]
    const token = await signToken(claims, key)
    const { outcome: result, message } = await judgeSignature(decodeToken(token), keysIn({ keys: [other.jwk] }))
    assert.equal(result, 'no matching key')
    assert.ok(message.includes(key.kid as string) && message.includes(other.kid as string))
  })

  test('a key of another type or curve, a public key for HS256, a secret for ES256', async () => {
    const ec = await generateKey('ES256')
    const rsa = await generateKey('RS256')
    const token = await signToken(claims, ec)
    assert.equal(await outcome(token, keysIn(rsa.jwk)), 'no matching key')
    assert.equal(await outcome(token, { secret: new Uint8Array(32) }), 'no matching key')
    const shared = await signToken(claims, await importSecret('secret', 'HS256'))
    const confused = await judgeSignature(decodeToken(shared), keysIn(rsa.jwk))
    assert.deepEqual([confused.outcome, /forged/.test(confused.message)], ['no matching key', true])
  })

  test('a damaged key', async () => {
    const { jwk, ...key } = await generateKey('ES256')
    const token = await signToken(claims, { ...key, jwk })
    assert.equal(await outcome(token, keysIn({ ...jwk, x: 'AAAA' })), 'no matching key')
    // In a set, it does not keep the good one from being found.
    const set = { keys: [{ ...jwk, x: 'AAAA' }, jwk] }
    assert.equal(await outcome(token, keysIn(set)), 'valid')
  })
})

test('verdict: one key alone is tried whatever its kid, and the difference is said', async () => {
  const key = await generateKey('ES256')
  const token = await signToken(claims, key)
  const { outcome: result, message } = await judgeSignature(decodeToken(token), keysIn({ ...key.jwk, kid: 'renamed' }))
  assert.deepEqual([result, /not the kid/.test(message)], ['valid', true])
})

test('verdict: without kid, each key of a set is tried, and that is said', async () => {
  const [{ kid, ...key }, other] = [await generateKey('ES256'), await generateKey('ES256')]
  const token = await signToken(claims, key)
  const { outcome: result, message } = await judgeSignature(
    decodeToken(token),
    keysIn({ keys: [other.jwk, { ...key.jwk, kid }] }),
  )
  assert.deepEqual([result, /no kid/.test(message)], ['valid', true])
})

test('verdict: unsigned, encrypted and unknown tokens are told apart', async () => {
  const evidence = { secret: new Uint8Array(32) }
  const payload = encodeJson(claims)
  assert.equal(await outcome(`${encodeJson({ alg: 'none' })}.${payload}.`, evidence), 'not signed')
  assert.equal(await outcome(`${encodeJson({ alg: 'HS256' })}.${payload}.`, evidence), 'not signed')
  assert.equal(await outcome(`${encodeJson({ alg: 'HS256' })}.${payload}`, evidence), 'not signed')
  assert.equal(await outcome(`${encodeJson({ alg: 'ES256K' })}.${payload}.AAAA`, evidence), 'algorithm not supported')
  assert.equal(
    await outcome(`${encodeJson({ alg: 'constructor' })}.${payload}.AAAA`, evidence),
    'algorithm not supported',
  )
  assert.equal(await outcome(`${encodeJson({ alg: 'hs256' })}.${payload}.AAAA`, evidence), 'algorithm not supported')
  for (const alg of [undefined, 1, { toString: 1 }]) {
    assert.equal(await outcome(`${encodeJson({ alg })}.${payload}.AAAA`, evidence), 'not checked')
  }
  assert.equal(await outcome(`${encodeJson({ alg: 'dir' })}.A.A.A.A`, evidence), 'not checked')
})

test('keys: what cannot be used is named, with the command that makes it usable', () => {
  const faults: readonly [text: string, said: RegExp][] = [
    ['hello', /neither PEM/],
    ['{', /begins like JSON/],
    ['{"a":1}', /no kty/],
    ['{"keys":[]}', /no keys/],
    ['-----BEGIN PUBLIC KEY-----\nMIIB', /incomplete/],
    ['-----BEGIN PUBLIC KEY-----\nM*IB\n-----END PUBLIC KEY-----', /not base64/],
    ['-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----', /openssl x509/],
    ['-----BEGIN EC PRIVATE KEY-----\nMIIB\n-----END EC PRIVATE KEY-----', /private key/],
    ['-----BEGIN RSA PUBLIC KEY-----\nMIIB\n-----END RSA PUBLIC KEY-----', /PKCS #1/],
    ['-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----', /another kind/],
  ]
  for (const [text, said] of faults) {
    const result = readKeys(text)
    assert.match('fault' in result ? result.fault : '', said, text)
  }
})

test('keys: a private JWK verifies, with a warning', async () => {
  const { signing, jwk, ...key } = await generateKey('ES256')
  const { d } = await crypto.subtle.exportKey('jwk', signing)
  const given = readKeys(JSON.stringify({ ...jwk, d }))
  assert.ok('warning' in given)
  assert.equal(await outcome(await signToken(claims, { ...key, signing, jwk }), given as Evidence), 'valid')
})

test('keys: a secret can be text, base64 in both alphabets, or hexadecimal', () => {
  const octets = Uint8Array.of(0xfb, 0xef, 0xff, 0x01)
  for (const text of ['++//AQ==', '--__AQ', ' --__\nAQ ']) assert.deepEqual(readSecret(text, 'base64'), octets)
  assert.deepEqual(readSecret('FB ef ff01', 'hex'), octets)
  assert.deepEqual(readSecret('é', 'text'), Uint8Array.of(0xc3, 0xa9))
  assert.deepEqual(
    [readSecret('a*', 'base64'), readSecret('abc', 'hex'), readSecret('xx', 'hex')],
    [undefined, undefined, undefined],
  )
})

test('verdict: what needs no key is known without one', () => {
  const judge = (token: string) => judgeWithoutKey(decodeToken(token))?.outcome
  const payload = encodeJson(claims)
  assert.equal(judge(`${encodeJson({ alg: 'none' })}.${payload}.`), 'not signed')
  assert.equal(judge(`${encodeJson({ alg: 'ES256' })}.${payload}`), 'not signed')
  assert.equal(judge(`${encodeJson({ alg: 'XX999' })}.${payload}.AAAA`), 'algorithm not supported')
  assert.equal(judge(`${encodeJson({ alg: 'ES256' })}.${payload}.AAAA`), undefined)
})
