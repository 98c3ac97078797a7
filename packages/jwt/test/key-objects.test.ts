import assert from 'node:assert/strict'
import { createSecretKey, generateKeyPairSync, type KeyObject, verify as verifyOctets, webcrypto } from 'node:crypto'
import { test } from 'node:test'
import { importKey, isSigningKey, type SigningKey, sign, verify } from '@sealwax/jwt'
import { secret } from './craft.ts'

const anyone = { issuer: null, audience: null, typ: null } as const
const { subtle } = webcrypto

/** Signs with one key, verifies with the other, and returns the algorithm. */
function exchange(privateKey: Parameters<typeof importKey>[0], publicKey: Parameters<typeof importKey>[0]): string {
  const signer = importKey(privateKey)
  assert.ok(isSigningKey(signer))
  const verifier = importKey(publicKey)
  assert.ok(!isSigningKey(verifier))
  return verify(sign({}, signer, { ...anyone, expiresIn: 60 }), verifier, anyone).header.alg
}

test('importKey: a KeyObject is imported as the key it is', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  assert.equal(exchange(ec.privateKey, ec.publicKey), 'ES384')
  const ed = generateKeyPairSync('ed25519')
  assert.equal(exchange(ed.privateKey, ed.publicKey), 'EdDSA')
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  assert.equal(exchange(rsa.privateKey, rsa.publicKey), 'RS256')
  const hmac = importKey(createSecretKey(secret), { alg: 'HS256' })
  assert.equal(verify(sign({}, hmac as SigningKey, { ...anyone, expiresIn: 60 }), hmac, anyone).header.alg, 'HS256')
  assert.throws(() => importKey(createSecretKey(secret)), { code: 'ERR_JWT_KEY', message: /need alg HS256/ })
  const dsa = generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 })
  for (const key of [dsa.publicKey, dsa.privateKey, spki(dsa.publicKey)]) {
    assert.throws(() => importKey(key), { code: 'ERR_JWT_KEY', message: 'the key has a type that is not supported' })
  }
  const { privateKey } = generateKeyPairSync('x25519')
  assert.throws(() => importKey(privateKey), { code: 'ERR_JWT_KEY', message: /not supported/ })
})

test('importKey: a CryptoKey is imported for the algorithm that it was made for', async () => {
  const rsa = { modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-384' }
  const algorithms = {
    ES256: { name: 'ECDSA', namedCurve: 'P-256' },
    EdDSA: { name: 'Ed25519' },
    RS384: { name: 'RSASSA-PKCS1-v1_5', ...rsa },
    PS384: { name: 'RSA-PSS', ...rsa },
  }
  for (const [alg, algorithm] of Object.entries(algorithms)) {
    const pair = (await subtle.generateKey(algorithm as never, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
    assert.equal(exchange(pair.privateKey, pair.publicKey), alg)
  }
  const hmac = await subtle.generateKey({ name: 'HMAC', hash: 'SHA-512' }, true, ['sign', 'verify'])
  assert.equal(importKey(hmac as webcrypto.CryptoKey).alg, 'HS512')
})

test('importKey: a CryptoKey that is not extractable, is not for signatures or is for another algorithm is refused', async () => {
  const ec = { name: 'ECDSA', namedCurve: 'P-256' }
  const locked = await subtle.generateKey(ec, false, ['sign', 'verify'])
  assert.throws(() => importKey(locked.privateKey), {
    code: 'ERR_JWT_KEY',
    message: 'the CryptoKey is not extractable',
  })
  const verifier = await subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['verify'])
  assert.throws(() => importKey(verifier as webcrypto.CryptoKey), {
    code: 'ERR_JWT_KEY',
    message: 'the usages of the CryptoKey do not include sign',
  })
  const rsa = { modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' }
  const pair = await subtle.generateKey({ name: 'RSA-PSS', ...rsa }, true, ['sign', 'verify'])
  assert.throws(() => importKey(pair.publicKey, { alg: 'RS256' }), {
    code: 'ERR_JWT_KEY',
    message: 'the CryptoKey is for PS256',
  })
})

interface PssParameters {
  readonly hashAlgorithm?: string
  readonly mgf1HashAlgorithm?: string
  readonly saltLength?: number
}

const pss = (parameters: PssParameters = {}) =>
  generateKeyPairSync('rsa-pss', { modulusLength: 2048, ...parameters } as never) as unknown as {
    readonly privateKey: KeyObject
    readonly publicKey: KeyObject
  }
const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }) as string
const pkcs8 = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }) as string

test('importKey: an RSASSA-PSS key signs and verifies the algorithm of its parameters', async () => {
  for (const bits of [256, 384, 512]) {
    const hash = `sha${bits}`
    const { privateKey, publicKey } = pss({ hashAlgorithm: hash, mgf1HashAlgorithm: hash, saltLength: bits / 8 })
    const alg = `PS${bits}`
    assert.equal(exchange(privateKey, publicKey), alg)
    assert.equal(exchange(pkcs8(privateKey), spki(publicKey)), alg)
    assert.throws(() => importKey(publicKey, { alg: bits === 256 ? 'PS512' : 'PS256' }), { code: 'ERR_JWT_KEY' })
    const token = sign({}, importKey(pkcs8(privateKey)) as SigningKey, { ...anyone, expiresIn: 60 })
    const input = token.slice(0, token.lastIndexOf('.'))
    const signature = Buffer.from(token.slice(input.length + 1), 'base64url')
    assert.ok(verifyOctets(hash, Buffer.from(input), publicKey, signature), 'OpenSSL verifies it with the key itself')
  }
})

test('importKey: an RSASSA-PSS key without parameters is for PS256, or for the algorithm of the caller', () => {
  const { privateKey, publicKey } = pss()
  assert.equal(exchange(privateKey, publicKey), 'PS256')
  assert.equal(importKey(spki(publicKey), { alg: 'PS512' }).alg, 'PS512')
  assert.throws(() => importKey(publicKey, { alg: 'RS256' }), {
    code: 'ERR_JWT_KEY',
    message: 'an RSASSA-PSS key is for PS256, PS384 or PS512',
  })
})

test('importKey: an RSASSA-PSS key with parameters that no algorithm of JWS has is refused', () => {
  const wrong: readonly PssParameters[] = [
    { hashAlgorithm: 'sha1', mgf1HashAlgorithm: 'sha1', saltLength: 20 },
    { hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha512', saltLength: 32 },
    { hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256', saltLength: 48 },
  ]
  for (const parameters of wrong) {
    const message = 'the parameters of the RSASSA-PSS key do not allow PS256, PS384 or PS512'
    assert.throws(() => importKey(pss(parameters).publicKey), { code: 'ERR_JWT_KEY', message })
  }
})
