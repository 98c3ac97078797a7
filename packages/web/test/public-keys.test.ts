import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findKey, tryToSignWith, verifyWith } from '../src/learn/steps/public-keys.ts'
import { generateKey, signToken } from '../src/token/sign.ts'

test('public keys: the key that the token names verifies it, another one does not', async () => {
  const [key, other] = await Promise.all([generateKey('ES256'), generateKey('ES256')])
  const token = await signToken({ sub: 'ada' }, key)
  assert.equal(findKey({ keys: [other.jwk, key.jwk] }, token), key.jwk)
  assert.equal(await verifyWith(key.jwk, token), true)
  assert.equal(await verifyWith(other.jwk, token), false)
})

test('public keys: a token that names no key or an unknown one finds none', async () => {
  const [key, other] = await Promise.all([generateKey('ES256'), generateKey('ES256')])
  const set = { keys: [other.jwk] }
  assert.equal(findKey(set, await signToken({}, key)), undefined)
  const { kid: _, ...nameless } = key
  assert.equal(findKey({ keys: [key.jwk] }, await signToken({}, nameless)), undefined)
  assert.equal(findKey(set, 'not a token'), undefined)
})

test('public keys: a public key cannot sign, a private key can', async () => {
  for (const alg of ['ES256', 'RS256'] as const) {
    const { jwk } = await generateKey(alg)
    assert.match(String(await tryToSignWith(jwk)), /Error/)
  }
  const { signing } = await generateKey('ES256')
  const privateJwk = await crypto.subtle.exportKey('jwk', signing)
  assert.equal(await tryToSignWith({ ...privateJwk, alg: 'ES256' }), undefined)
})
