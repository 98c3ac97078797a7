import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { importKey, JwtError, sign } from '@sealwax/jwt'
import type { Auth, GuardErrorCode, GuardOptions } from '../src/index.ts'
import {
  audience,
  bearing,
  guardWith,
  ISSUED,
  issuer,
  key,
  later,
  refusalOf,
  secret,
  strangerKey,
  tokenFor,
} from './tokens.ts'

/** A token without a subject. */
const anonymous = () =>
  sign({ jti: 'a' }, key, { issuer, audience, typ: 'at+jwt', expiresIn: '15m', currentDate: new Date(ISSUED * 1000) })

/** A token bound to a key (RFC 9449 §6), which `sign` refuses to create. */
function bound(): string {
  const claims = { iss: issuer, sub: 'u', aud: audience, iat: ISSUED, exp: ISSUED + 900, jti: 'a', cnf: { jkt: 'abc' } }
  const parts = [{ alg: 'HS256', kid: 'key-1', typ: 'at+jwt' }, claims]
  const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${input}.${createHmac('sha256', secret(7, 32)).update(input).digest('base64url')}`
}

const refusals: readonly [name: string, code: GuardErrorCode, token: () => string, Partial<GuardOptions>?][] = [
  ['rubbish', 'token_malformed', () => 'abc'],
  ['two segments', 'token_malformed', () => 'a.b'],
  ['a header that is not JSON', 'token_malformed', () => 'YQ.YQ.YQ'],
  ['over 16,384 characters', 'token_malformed', () => `${tokenFor()}${'A'.repeat(16_384)}`],
  ['another key with the same kid', 'token_signature_invalid', () => tokenFor({}, {}, strangerKey)],
  ['a changed signature', 'token_signature_invalid', () => tokenFor().replace(/\.[^.]+$/, `.${'A'.repeat(43)}`)],
  [
    'a key with another kid',
    'token_key_unknown',
    () => tokenFor({}, {}, importKey(secret(9, 32), { alg: 'HS256', kid: 'key-9' })),
  ],
  [
    'another algorithm',
    'token_algorithm_not_allowed',
    () => tokenFor({}, {}, importKey(secret(7, 64), { alg: 'HS512', kid: 'key-1' })),
  ],
  ['an algorithm left out by `algorithms`', 'token_algorithm_not_allowed', tokenFor, { algorithms: ['ES256'] }],
  ['expired', 'token_expired', tokenFor, later(937)],
  ['not yet valid', 'token_not_yet_valid', () => tokenFor({}, { notBefore: '10m' })],
  ['issued in the future', 'token_not_yet_valid', tokenFor, later(-3600)],
  ['another issuer', 'token_issuer_invalid', () => tokenFor({}, { issuer: 'https://evil.example' })],
  ['another audience', 'token_audience_invalid', () => tokenFor({}, { audience: 'billing-api' })],
  ['an ID token', 'token_type_invalid', () => tokenFor({}, { typ: 'JWT' })],
  ['no type', 'token_type_invalid', () => tokenFor({}, { typ: null })],
  ['a claim that is required here', 'token_claim_missing', tokenFor, { requiredClaims: ['sub', 'tenant'] }],
  ['no subject', 'token_claim_missing', () => anonymous()],
  [
    'no subject, although it is not in requiredClaims',
    'token_claim_missing',
    () => anonymous(),
    { requiredClaims: ['iss'] },
  ],
  ['a numeric session id', 'token_claim_invalid', () => tokenFor({ sid: 7 })],
  ['an empty session id', 'token_claim_invalid', () => tokenFor({ sid: '' })],
  [
    'an empty subject of another type',
    'token_claim_invalid',
    () => tokenFor({ sub: '', jti: 'a' }, { typ: 'JWT' }),
    { typ: 'JWT' },
  ],
  ['a lifetime over the limit', 'token_claim_invalid', tokenFor, { maxLifetime: '5m' }],
  ['bound to a key', 'token_proof_required', bound],
]

for (const [name, code, token, options] of refusals) {
  test(`guard: refuses a token: ${name} (${code})`, () => {
    const text = token()
    const error = refusalOf(text, options)
    assert.equal(error.code, code)
    assert.equal(error.status, 401)
    assert.match(error.headers['WWW-Authenticate'] ?? '', /^Bearer realm="api", error="invalid_token", /)
    assert.ok(error.cause instanceof JwtError)
    assert.ok(!inspect(error, { depth: 9 }).includes(text.slice(-20)), 'the error does not contain the token')
  })
}

test("guard: a token bound to a key is refused with any type, unless senderConstrained is 'ignore'", () => {
  for (const typ of ['at+jwt', null]) {
    assert.equal(refusalOf(bound(), { typ }).code, 'token_proof_required', String(typ))
    const guard = guardWith({ typ, senderConstrained: 'ignore' })
    assert.equal((guard.authenticate(bearing(bound())) as Auth).subject, 'u', String(typ))
  }
  assert.throws(() => guardWith({ senderConstrained: 'accept' as never }), { name: 'TypeError' })
})

test('guard: refusals have a detail for the client', () => {
  assert.equal(refusalOf(tokenFor(), later(937)).detail, 'The access token expired 37 seconds ago.')
  assert.equal(refusalOf(tokenFor(), later(900 + 180)).detail, 'The access token expired 3 minutes ago.')
  assert.equal(refusalOf(tokenFor(), later(900 + 3 * 86_400)).detail, 'The access token expired 3 days ago.')
  const early = refusalOf(tokenFor({}, { notBefore: '10m' }))
  assert.equal(early.detail, 'The access token becomes valid in 10 minutes.')
  const missing = refusalOf(tokenFor(), { requiredClaims: ['tenant'] })
  assert.equal(missing.detail, 'The access token lacks the claim "tenant".')
  assert.equal(refusalOf(tokenFor({ sid: 7 })).detail, 'The claim "sid" of the access token is not acceptable.')
})

test('guard: a refusal contains the key id for the log, and the session only if the signature is valid', () => {
  const expired = refusalOf(tokenFor({ sid: 's-1' }), later(1000))
  assert.equal(expired.kid, 'key-1')
  assert.equal(expired.sessionId, 's-1')
  const forged = refusalOf(tokenFor({ sid: 's-1' }, {}, strangerKey))
  assert.equal(forged.kid, 'key-1')
  assert.equal(forged.sessionId, undefined)
  const lineBreak = importKey(secret(9, 32), { alg: 'HS256', kid: 'a\nb' })
  assert.equal(refusalOf(tokenFor({}, {}, lineBreak)).kid, undefined)
})
