import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AsymmetricSigningKey, Duration, SigningKey, VerificationKey, VerifyOptions } from '@sealwax/jwt'
import { exportJwk, generateKey, importKey, isSigningKey, sign, verify } from '@sealwax/jwt'
import { rsaJwk, secret } from './craft.ts'

// Calls that must not compile are marked, so that `tsc` fails if they do. Each also throws at run
// time, for JavaScript.

const anyone = { issuer: null, audience: null, typ: null } as const
const hmac = importKey(secret, { alg: 'HS256' })
const asymmetric: AsymmetricSigningKey = await generateKey('ES256')
const publicKey: VerificationKey = asymmetric.publicKey
const option = { code: 'ERR_JWT_OPTION' }
const token = sign({}, hmac, { ...anyone, expiresIn: 60 })

test('types: a verification key does not sign', () => {
  // @ts-expect-error
  assert.throws(() => sign({}, publicKey, { ...anyone, expiresIn: 60 }), { code: 'ERR_JWT_KEY' })
})

test('types: importKey distinguishes a private JWK from a public one, and a string may be either', () => {
  const fromPrivate: SigningKey = importKey(rsaJwk())
  const fromPublic: VerificationKey = importKey(exportJwk(fromPrivate))
  assert.ok(!isSigningKey(fromPublic))
  // @ts-expect-error
  const wrong: SigningKey = importKey(exportJwk(fromPrivate))
  assert.equal(wrong.kid, fromPrivate.kid)
  const text: string = '-----BEGIN PUBLIC KEY-----'
  // @ts-expect-error
  const alsoWrong: () => SigningKey = () => importKey(text)
  assert.throws(alsoWrong, { code: 'ERR_JWT_KEY' })
})

test('types: octets need an HMAC algorithm', () => {
  // @ts-expect-error
  const forEc: SigningKey | undefined = attempt(() => importKey(secret, { alg: 'ES256' }) satisfies SigningKey)
  assert.equal(forEc, undefined)
})

test('types: issuer, audience and typ are required, and must not be undefined', () => {
  // @ts-expect-error
  assert.throws(() => verify(token, hmac, { issuer: null, audience: null }), option)
  // @ts-expect-error
  assert.throws(() => verify(token, hmac, { ...anyone, issuer: undefined }), option)
  // @ts-expect-error
  assert.throws(() => verify(token, hmac, { ...anyone, algorithms: undefined }), option)
  // @ts-expect-error
  assert.throws(() => verify(token, hmac, { ...anyone, audience: /api/ }), option)
  // @ts-expect-error
  assert.throws(() => verify(token, hmac, { ...anyone, maxAge: 5 }), option)
  // @ts-expect-error
  assert.throws(() => verify(token, hmac), option)
  // @ts-expect-error
  assert.throws(() => sign({}, hmac, anyone), option)
})

test('types: an object that looks like a key is not a key, and neither is a promise of keys', () => {
  const { alg, kid } = hmac
  // @ts-expect-error
  assert.throws(() => verify(token, { alg, kid }, anyone), { code: 'ERR_JWT_KEY' })
  // @ts-expect-error
  assert.throws(() => verify(token, Promise.resolve(hmac), anyone), { code: 'ERR_JWT_KEY' })
  // @ts-expect-error
  assert.throws(() => verify(token, 'secret', anyone), { code: 'ERR_JWT_KEY' })
})

test('types: a duration has a unit', () => {
  const good: Duration[] = [900, '15m']
  assert.equal(good.length, 2)
  // @ts-expect-error
  assert.throws(() => sign({}, hmac, { ...anyone, expiresIn: '15 minutes' }), option)
  // @ts-expect-error
  assert.throws(() => sign({}, hmac, { ...anyone, expiresIn: '900' }), option)
})

test('types: constants, frozen lists and options from a variable are accepted', () => {
  const options: VerifyOptions = { ...anyone, algorithms: Object.freeze(['HS256'] as const) }
  assert.ok(verify(token, Object.freeze([hmac, publicKey]), options))
  assert.ok(verify(token, [hmac, asymmetric] as const, anyone))
})

function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
