import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGuard } from '@sealwax/guard'
import { generateKey, sign } from '@sealwax/jwt'
import {
  asTeacher,
  isSameUser,
  parseObject,
  readToken,
  signedWithOwnKey,
  signedWithSecret,
  unsigned,
  withPayload,
} from '../src/learn/steps/forgeries.ts'
import { STRANGER } from '../src/learn/steps/sealed-token.ts'

const key = await generateKey('ES256')
const issuer = 'http://127.0.0.1:5050'
const token = sign({ sub: 'ada', roles: ['student'] }, key, {
  ...{ issuer, audience: 'lesson', typ: 'at+jwt', expiresIn: '15m' },
})
const guard = createGuard({ issuer, audience: 'lesson', keys: key, revocation: null })

async function codeOf(forged: string): Promise<string> {
  try {
    await guard.authenticate({ headers: { authorization: `Bearer ${forged}` }, method: 'GET', url: '/' })
    return 'accepted'
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('forgeries: an unchanged payload gives the same token, which the guard accepts', async () => {
  const same = withPayload(token, readToken(token).payload)
  assert.equal(same, token)
  assert.equal(await codeOf(same), 'accepted')
})

test('forgeries: each is refused by the check that the lesson names', async () => {
  const changed = withPayload(token, asTeacher(readToken(token).payload))
  assert.equal(await codeOf(changed), 'token_signature_invalid')
  assert.equal(await codeOf(unsigned(token)), 'token_algorithm_not_allowed')
  assert.equal(await codeOf(await signedWithSecret(token, 'mine')), 'token_algorithm_not_allowed')
  assert.equal(await codeOf(await signedWithOwnKey(token)), 'token_signature_invalid')
  assert.equal(await codeOf(STRANGER), 'token_key_unknown')
})

test('forgeries: all claim to be Grace, and keep the kid of the real token', async () => {
  for (const forged of [unsigned(token), await signedWithSecret(token, 'mine'), await signedWithOwnKey(token)]) {
    const { header, payload } = readToken(forged)
    assert.equal(header.kid, key.kid)
    assert.deepEqual([payload.sub, payload.roles], ['grace', ['student', 'teacher']])
  }
})

test('forgeries: only sub and roles decide whether the user is another one', () => {
  const payload = { sub: 'ada', roles: ['student'], exp: 1 }
  assert.equal(isSameUser(payload, { ...payload, exp: 2 }), true)
  assert.equal(isSameUser(payload, { ...payload, sub: 'grace' }), false)
  assert.equal(isSameUser(payload, { ...payload, roles: [] }), false)
  assert.equal(isSameUser(payload, { sub: 'ada' }), false)
})

test('forgeries: only a JSON object is a payload', () => {
  assert.deepEqual(parseObject('{"sub":"me"}'), { sub: 'me' })
  for (const text of ['', '{', '[]', 'null', '"text"', '1']) assert.equal(parseObject(text), undefined, text)
})

test('the token of the stranger has the three secrets that the reader is to find', () => {
  const { payload } = readToken(STRANGER)
  for (const claim of ['sub', 'aud', 'roles', 'exp', 'password_hash', 'card', 'database']) {
    assert.ok(Object.hasOwn(payload, claim), claim)
  }
})
