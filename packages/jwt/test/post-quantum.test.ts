import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AsymmetricAlgorithm } from '@sealwax/jwt'
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
import { importJWK, jwtVerify, SignJWT } from 'jose'
import { audience, currentDate, issuer } from './craft.ts'

/** Octets of public key and signature (FIPS 204, table 2). */
const SIZES = { 'ML-DSA-44': [1312, 2420], 'ML-DSA-65': [1952, 3309], 'ML-DSA-87': [2592, 4627] } as const

const expected = { issuer, audience, typ: 'at+jwt', currentDate } as const
const made = { ...expected, expiresIn: '15m' } as const

for (const [alg, [publicLength, signatureLength]] of Object.entries(SIZES)) {
  const key = await generateKey(alg as AsymmetricAlgorithm)

  test(`${alg}: a generated key signs and verifies, and its JWK has pub and priv of the right length`, () => {
    const token = sign({ sub: 'usr_1' }, key, made)
    const { header, payload } = verify(token, key.publicKey, expected)
    assert.equal(header.alg, alg)
    assert.equal(payload.sub, 'usr_1')
    assert.equal(Buffer.from(token.split('.')[2] as string, 'base64url').length, signatureLength)
    const { pub, priv, kty, ...rest } = exportJwk(key, { private: true })
    assert.equal(kty, 'AKP')
    assert.equal(Buffer.from(pub as string, 'base64url').length, publicLength)
    assert.equal(Buffer.from(priv as string, 'base64url').length, 32)
    assert.deepEqual(rest, { kid: key.kid, alg, use: 'sig' })
    assert.equal(exportJwk(key.publicKey).priv, undefined)
  })

  test(`${alg}: a changed signature and a token of another key are refused`, async () => {
    const token = sign({}, key, made)
    const at = token.lastIndexOf('.') + 20
    const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
    assert.throws(() => verify(changed, key, expected), { code: 'ERR_JWT_SIGNATURE' })
    const other = await generateKey(alg as AsymmetricAlgorithm, { kid: key.kid })
    assert.throws(() => verify(token, other, expected), { code: 'ERR_JWT_SIGNATURE' })
  })

  test(`${alg}: jose verifies our tokens, and we verify those of jose`, async () => {
    const theirs = await importJWK(exportJwk(key, { private: true }), alg)
    const ours = sign({ sub: 'usr_1' }, key, { ...made, currentDate: new Date() })
    const { payload } = await jwtVerify(ours, await importJWK(exportJwk(key.publicKey), alg), { issuer, audience })
    assert.equal(payload.sub, 'usr_1')
    const token = await new SignJWT({ sub: 'usr_2', iss: issuer, aud: audience })
      .setProtectedHeader({ alg, kid: key.kid })
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(theirs)
    assert.equal(verify(token, key.publicKey, { issuer, audience, typ: null }).payload.sub, 'usr_2')
  })

  test(`${alg}: a key survives the way through its JWK and through a JWK Set, where its thumbprint is its kid`, () => {
    const { kid, ...jwk } = exportJwk(key, { private: true })
    const imported = importKey(jwk)
    assert.ok(isSigningKey(imported))
    assert.equal(imported.kid, thumbprint(jwk))
    const { priv, ...published } = jwk
    const set = createLocalJWKSet({ keys: [published] })
    assert.equal(verify(sign({}, imported, made), set, expected).header.kid, kid)
  })
}

test('ML-DSA: a JWK that is not exactly the key of its algorithm is refused', async () => {
  const jwk = exportJwk(await generateKey('ML-DSA-44'), { private: true })
  const { alg, ...withoutAlg } = jwk
  const { pub, ...withoutPub } = jwk
  const wrong: readonly [jwk: object, message: RegExp][] = [
    [withoutAlg, /a JWK of type AKP needs alg/],
    [withoutPub, /pub of the JWK is not canonical base64url/],
    [{ ...jwk, alg: 'ML-DSA-65' }, /pub of the JWK is not exactly 1952 octets/],
    [{ ...jwk, alg: 'ES256' }, /a key of this type and curve cannot be used with ES256/],
    [{ ...jwk, priv: jwk.priv?.slice(4) }, /priv of the JWK is not exactly 32 octets/],
    [{ ...jwk, priv: Buffer.alloc(32, 1).toString('base64url') }, /does not match|not valid|needs a runtime/],
    [{ ...jwk, priv: undefined, d: 'AA' }, /private members but no priv/],
  ]
  for (const [source, message] of wrong) {
    assert.throws(
      () => importKey(source as never),
      { code: 'ERR_JWT_KEY', message },
      JSON.stringify(Object.keys(source)),
    )
  }
  assert.throws(() => createLocalJWKSet({ keys: [jwk] }), { code: 'ERR_JWT_KEY_SET', message: /private member/ })
})
