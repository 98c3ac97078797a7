import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Algorithm, importKey, verify } from '@sealwax/jwt'
import { decodeBase64url, encodeBase64url, encodeText } from '../src/token/base64url.ts'
import { decodeToken } from '../src/token/decode.ts'
import { generateKey, importSecret, SIGNING_ALGORITHMS, signToken, verifySignature } from '../src/token/sign.ts'

const claims = { sub: 'ada', exp: Math.floor(Date.now() / 1000) + 60 }
const unchecked = { issuer: null, audience: null, typ: null }

test('sign: @sealwax/jwt accepts what the browser signs, with every algorithm', async () => {
  for (const alg of SIGNING_ALGORITHMS) {
    const key = await generateKey(alg)
    const token = await signToken(claims, key)
    const { payload, header } = verify(token, await importKey(key.jwk as never, { alg: alg as Algorithm }), unchecked)
    assert.deepEqual([payload, header.alg, header.kid, header.typ], [claims, alg, key.kid, 'JWT'])
  }
})

test('sign: a signature verifies with its key, and with no other', async () => {
  for (const alg of SIGNING_ALGORITHMS) {
    const [key, other] = [await generateKey(alg), await generateKey(alg)]
    const token = await signToken(claims, key)
    assert.equal(await verifySignature(token, key), true, alg)
    assert.equal(await verifySignature(token, other), false, alg)
  }
})

test('sign: a changed header, payload or signature breaks the seal', async () => {
  const key = await generateKey('ES256')
  const [header = '', payload = '', signature = ''] = (await signToken(claims, key)).split('.')
  const octets = decodeBase64url(signature) as Uint8Array
  octets[0] = (octets[0] as number) ^ 1
  const changed = [
    [encodeText('{"alg":"ES256"}'), payload, signature],
    [header, encodeText('{"sub":"grace"}'), signature],
    [header, payload, encodeBase64url(octets)],
    [header, payload, `${signature}=`],
    [header, payload, ''],
  ]
  assert.equal(await verifySignature([header, payload, signature].join('.'), key), true)
  for (const parts of changed) assert.equal(await verifySignature(parts.join('.'), key), false, parts.join('.'))
})

test('sign: a secret that is given signs as in @sealwax/jwt, and a short one can be tried', async () => {
  const secret = 'a secret with no less than 32 octets'
  const token = await signToken(claims, await importSecret(secret, 'HS256'))
  assert.deepEqual(
    verify(token, await importKey(new TextEncoder().encode(secret), { alg: 'HS256' }), unchecked).payload,
    claims,
  )
  const short = await importSecret('secret', 'HS256')
  assert.equal(await verifySignature(await signToken(claims, short), short), true)
})

test('sign: alg in the header is always the algorithm of the key', async () => {
  const token = await signToken(claims, await generateKey('HS256'), { alg: 'none', typ: 'at+jwt' })
  assert.deepEqual(decodeToken(token).header?.value, { alg: 'HS256', typ: 'at+jwt' })
})
