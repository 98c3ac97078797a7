import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_KEY, readEvidence } from '../src/inspect/evidence.ts'
import { claimsOf, NEW_DRAFT, signDraft } from '../src/inspect/sign-draft.ts'
import { decodeToken } from '../src/token/decode.ts'
import { findMistakes } from '../src/token/findings.ts'
import { verifySignature } from '../src/token/sign.ts'

const NOW = 1_700_000_000

test('form: the defaults make a token without findings', async () => {
  const signed = await signDraft(NEW_DRAFT, NOW)
  assert.ok('token' in signed)
  const decoded = decodeToken(signed.token)
  assert.deepEqual([decoded.faults, findMistakes(decoded, NOW)], [[], []])
  assert.equal(decoded.header?.value?.typ, 'at+jwt')
  assert.equal(await verifySignature(signed.token, signed.key), true)
})

test('form: empty fields are left out, and further claims come last', () => {
  const draft = { ...NEW_DRAFT, iss: '', sub: '', aud: '', lifetime: '', claims: '' }
  assert.deepEqual(claimsOf(draft, NOW + 0.5, 'id'), { claims: { iat: NOW, jti: 'id' } })
  const further = claimsOf({ ...NEW_DRAFT, claims: '{"exp":"soon","iss":1}' }, NOW, 'id')
  assert.ok('claims' in further)
  assert.deepEqual([further.claims.exp, further.claims.iss], ['soon', 1])
})

test('form: a token can be expired from the beginning', () => {
  const result = claimsOf({ ...NEW_DRAFT, lifetime: '-60' }, NOW, 'id')
  assert.equal('claims' in result && result.claims.exp, NOW - 60)
})

test('form: what is no JSON object, and an empty secret, are faults', async () => {
  for (const claims of ['{', '[]', 'null', '"x"']) {
    assert.ok('fault' in claimsOf({ ...NEW_DRAFT, claims }, NOW, 'id'), claims)
  }
  assert.ok('fault' in (await signDraft({ ...NEW_DRAFT, alg: 'HS256' }, NOW)))
})

test('form: a key is used again for its own algorithm, and for no other', async () => {
  const first = await signDraft(NEW_DRAFT, NOW)
  assert.ok('token' in first)
  const second = await signDraft({ ...NEW_DRAFT, key: first.key }, NOW)
  const third = await signDraft({ ...NEW_DRAFT, key: first.key, alg: 'EdDSA' }, NOW)
  assert.ok('token' in second && 'token' in third)
  assert.equal(second.key, first.key)
  assert.equal(third.key.alg, 'EdDSA')
})

test('key: nothing entered is no fault, and each source is read by itself', () => {
  const text = 'AQID'
  for (const source of ['server', 'public', 'secret'] as const)
    assert.equal(readEvidence({ ...NO_KEY, source }), undefined)
  assert.deepEqual(readEvidence({ ...NO_KEY, source: 'secret', secret: text, encoding: 'base64' }), {
    secret: Uint8Array.of(1, 2, 3),
  })
  assert.ok('fault' in (readEvidence({ ...NO_KEY, source: 'secret', secret: text, encoding: 'hex' }) ?? {}))
  assert.ok('fault' in (readEvidence({ ...NO_KEY, source: 'public', publicKey: text }) ?? {}))
  assert.equal(readEvidence({ ...NO_KEY, source: 'server', publicKey: text, secret: text }), undefined)
})
