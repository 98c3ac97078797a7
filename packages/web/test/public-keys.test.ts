import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimsOf, findKey, importPublicKey, tryToSignWith } from '../src/learn/public-keys.ts'
import { generateKey, signToken, verifySignature } from '../src/token/sign.ts'

test('public keys: the key that the token names verifies it, another one does not', async () => {
  const [key, other] = await Promise.all([generateKey('ES256'), generateKey('ES256')])
  const token = await signToken({ sub: 'ada' }, key)
  const set = { keys: [other.jwk, key.jwk] }
  const found = findKey(set, token)
  assert.equal(found, key.jwk)
  assert.equal(await verifySignature(token, await importPublicKey(found as JsonWebKey)), true)
  assert.equal(await verifySignature(token, await importPublicKey(other.jwk)), false)
  assert.deepEqual(claimsOf(token), { sub: 'ada' })
})

test('public keys: a token that names no key or an unknown one finds none', async () => {
  const [key, other] = await Promise.all([generateKey('ES256'), generateKey('ES256')])
  const set = { keys: [other.jwk] }
  assert.equal(findKey(set, await signToken({}, key)), undefined)
  const { kid: _, ...nameless } = key
  assert.equal(findKey({ keys: [key.jwk] }, await signToken({}, nameless)), undefined)
  assert.equal(findKey(set, 'not a token'), undefined)
})

test('public keys: signing with a public key fails', async () => {
  for (const alg of ['ES256', 'RS256'] as const) {
    const { jwk } = await generateKey(alg)
    assert.notEqual(await tryToSignWith(jwk), '')
  }
})

test('public keys: claims that cannot be read are empty', () => {
  assert.deepEqual(claimsOf('a.b.c'), {})
})
