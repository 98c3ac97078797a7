import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { Jwk } from '@sealwax/jwt'
import { exportJwk, generateKey, importKey, isSigningKey } from '@sealwax/jwt'
import { certificate } from './certificate.ts'
import { rsaJwk } from './craft.ts'
import { refusedKey } from './refused-key.ts'

const ecKey = await generateKey('ES256', { kid: 'ec' })
const ecPrivate: Jwk = exportJwk(ecKey, { private: true })
const edKey = await generateKey('Ed25519', { kid: 'ed' })
const edPrivate: Jwk = exportJwk(edKey, { private: true })
const rsaPrivate: Jwk = rsaJwk()

test('importKey: an encrypted PEM is refused with that reason, in the new and the old format', () => {
  const rsa = createPrivateKey({ key: { ...rsaPrivate }, format: 'jwk' })
  for (const type of ['pkcs8', 'pkcs1'] as const) {
    const pem = rsa.export({ format: 'pem', type, cipher: 'aes-256-cbc', passphrase: 'x' })
    assert.match(refusedKey(String(pem)).message, /is encrypted; decrypt it first/)
  }
})

test('importKey: an encrypted PEM is imported with its passphrase, in the new and the old format', () => {
  const rsa = createPrivateKey({ key: { ...rsaPrivate }, format: 'jwk' })
  for (const type of ['pkcs8', 'pkcs1'] as const) {
    const pem = String(rsa.export({ format: 'pem', type, cipher: 'aes-256-cbc', passphrase: 'open sesame' }))
    const oneLine = pem.replaceAll(/\n+/g, ' ')
    for (const text of [pem, pem.replaceAll('\n', '\\n'), pem.replaceAll('\n', '\n  '), oneLine]) {
      assert.ok(isSigningKey(importKey(text, { passphrase: 'open sesame' })))
      assert.match(refusedKey(text, { passphrase: 'sesame' }).message, /cannot be decrypted with this passphrase$/)
    }
  }
  const older = String(rsa.export({ format: 'pem', type: 'pkcs1', cipher: 'aes-256-cbc', passphrase: 'x' }))
  for (const text of [older.replaceAll('\n', ''), older.replace('Proc-Type', 'Comment')]) {
    assert.match(refusedKey(text, { passphrase: 'x' }).message, /lines of the PEM have run together, or it has header/)
  }
  for (const [source, passphrase] of [
    [{ ...rsaPrivate }, 'x'],
    [randomBytes(32), 'x'],
    [String(rsa.export({ format: 'pem', type: 'pkcs8' })), 5],
  ]) {
    assert.throws(() => importKey(source as never, { alg: 'RS256', passphrase } as never), { code: 'ERR_JWT_OPTION' })
  }
})

test('importKey: a PEM is imported as environment variables and YAML leave it', () => {
  const rsa = createPrivateKey({ key: { ...rsaPrivate }, format: 'jwk' })
  const ec = createPrivateKey({ key: { ...ecPrivate }, format: 'jwk' })
  for (const whole of [
    String(rsa.export({ format: 'pem', type: 'pkcs8' })),
    String(rsa.export({ format: 'pem', type: 'pkcs1' })),
    String(createPublicKey(ec).export({ format: 'pem', type: 'spki' })),
    `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${ec.export({ format: 'pem', type: 'sec1' })}`,
    String(certificate()),
  ]) {
    const { kid } = importKey(whole)
    const forms = [
      whole.replaceAll('\n', '\\n'),
      whole.replaceAll('\n', '\\r\\n'),
      whole.replaceAll('\n', ' '),
      whole.replaceAll('\n', ''),
      whole.replaceAll('\n', '\n    '),
      whole.replaceAll('\n', '\n\t'),
      `"${whole}"`,
      `'${whole.replaceAll('\n', '\\n')}'`,
    ]
    for (const form of forms) assert.equal(importKey(form).kid, kid, form.slice(0, 60))
  }
})

test('importKey: a PEM that was cut off or damaged is refused with the reason', () => {
  const pem = String(
    createPrivateKey({ key: { ...ecPrivate }, format: 'jwk' }).export({ format: 'pem', type: 'pkcs8' }),
  )
  assert.match(refusedKey(pem.slice(0, 120)).message, /has no line -----END; it was cut off$/)
  assert.match(refusedKey(pem.replace('PRIVATE KEY-----\n', 'PRIVATE KEY-----\n%')).message, /not base64$/)
  assert.match(refusedKey(pem.replace('END PRIVATE', 'END PUBLIC')).message, /cut off$/)
  assert.match(refusedKey(pem.replace(/\n[^-]+\n/, '\n')).message, /not base64$/)
})

test('importKey: imports the key of every PEM with one key', () => {
  const ec = createPrivateKey({ key: { ...ecPrivate }, format: 'jwk' })
  const rsa = createPrivateKey({ key: { ...rsaPrivate }, format: 'jwk' })
  const ed = createPrivateKey({ key: { ...edPrivate }, format: 'jwk' })
  const pems: [pem: string | Buffer, alg: string, signs: boolean][] = [
    [ec.export({ format: 'pem', type: 'pkcs8' }), 'ES256', true],
    [ec.export({ format: 'pem', type: 'sec1' }), 'ES256', true],
    [
      `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${ec.export({ format: 'pem', type: 'sec1' })}`,
      'ES256',
      true,
    ],
    [createPublicKey(ec).export({ format: 'pem', type: 'spki' }), 'ES256', false],
    [rsa.export({ format: 'pem', type: 'pkcs8' }), 'RS256', true],
    [rsa.export({ format: 'pem', type: 'pkcs1' }), 'RS256', true],
    [createPublicKey(rsa).export({ format: 'pem', type: 'pkcs1' }), 'RS256', false],
    [createPublicKey(rsa).export({ format: 'pem', type: 'spki' }), 'RS256', false],
    [ed.export({ format: 'pem', type: 'pkcs8' }), 'EdDSA', true],
    [certificate(), 'ES256', false],
  ]
  for (const [pem, alg, signs] of pems) {
    const text = String(pem)
    const key = importKey(`\n${text.replaceAll('\n', '\r\n')} `)
    assert.equal(key.alg, alg, text.slice(0, 30))
    assert.equal(isSigningKey(key), signs, text.slice(0, 30))
    assert.equal(importKey(text).kid, key.kid)
  }
  assert.equal(importKey(String(pems[4]?.[0]), { alg: 'PS512', kid: 'mine' }).alg, 'PS512')
})

test('importKey: refuses a string that is not a PEM of one supported key, and reports what to pass instead', () => {
  assert.match(refusedKey('s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t').message, /octets/)
  assert.doesNotMatch(refusedKey('s3cr3t-s3cr3t').message, /s3cr3t/)
  const pair = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { format: 'pem', type: 'spki' },
    privateKeyEncoding: { format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' },
  })
  assert.match(refusedKey(pair.privateKey).message, /encrypted/)
  assert.match(refusedKey(pair.publicKey + pair.publicKey).message, /more than one/)
  refusedKey('')
  refusedKey('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n')
  refusedKey('-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n')
  refusedKey('-----BEGIN ')
  const spki = {
    publicKeyEncoding: { format: 'pem', type: 'spki' },
    privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
  } as const
  refusedKey(generateKeyPairSync('ec', { namedCurve: 'secp256k1', ...spki }).publicKey)
  refusedKey(generateKeyPairSync('x25519', spki).publicKey)
  refusedKey(generateKeyPairSync('ed448', spki).privateKey)
  refusedKey(generateKeyPairSync('rsa', { modulusLength: 1024, ...spki }).publicKey)
  refusedKey(pair.publicKey, { alg: 'RS256' })
  refusedKey(pair.publicKey, { alg: 'HS256' })
})
