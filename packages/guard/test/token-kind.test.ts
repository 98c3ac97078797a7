import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { importKey } from '@sealwax/jwt'
import type { GuardOptions } from '../src/index.ts'
import { audience, bearing, guardWith, ISSUED, issuer, refusalOf, secret } from './tokens.ts'

// An older system signs all its tokens with one key, so a refresh token differs from an access
// token only in the kind that it declares.

type Claims = Record<string, unknown>

const octets = Buffer.from(secret(3, 40))
const keys = importKey(octets, { alg: 'HS256', kid: 'key-1' })
const lenient: Partial<GuardOptions> = { keys, typ: null, requiredClaims: ['sub'] }

function token(claims: Claims, header: Claims = {}): string {
  const times = { iat: ISSUED, exp: ISSUED + 900 }
  const parts = [
    { alg: 'HS256', kid: 'key-1', typ: 'JWT', ...header },
    { ...times, iss: issuer, aud: audience, sub: '42', jti: 'a', ...claims },
  ]
  const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${input}.${createHmac('sha256', octets).update(input).digest('base64url')}`
}

const others: readonly [name: string, claims: Claims, header?: Claims][] = [
  ['Flask-JWT-Extended', { type: 'refresh', fresh: false }],
  ["Django's simplejwt", { token_type: 'refresh' }],
  ['Cognito, ID token', { token_use: 'id' }],
  ['Cognito, refresh', { token_use: 'refresh' }],
  ['Keycloak, refresh token', { typ: 'Refresh' }],
  ['Keycloak, offline token', { typ: 'Offline' }],
  ['Keycloak, ID token', { typ: 'ID' }],
  ['Keycloak, logout token', { typ: 'Logout' }],
  ['names written in other ways', { token_type: 'REFRESH_TOKEN' }],
  ['camel case', { tokenType: 'refreshToken' }],
  ['ID token, full name', { type: 'id_token' }],
  ['a list', { token_type: ['refresh'] }],
  ['a URN of token exchange', { token_type: 'urn:ietf:params:oauth:token-type:id_token' }],
  ['a flag', { isRefreshToken: true }],
  ['another claim', { purpose: 'refresh' }],
  ['an ID token by its at_hash', { at_hash: 'x' }],
  ['a back-channel logout token', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }],
  ['a password reset', { type: 'resetPassword' }],
  ['an address to be verified', { type: 'verifyEmail' }],
  ['an incomplete second factor', { type: 'mfa' }],
  ['Keycloak, registration access token', { typ: 'RegistrationAccessToken' }],
  ['in the header', {}, { typ: 'Refresh' }],
  ['in the header, as a media type', {}, { typ: 'application/rt+jwt' }],
  ['ID token in the header', {}, { typ: 'id_token+jwt' }],
]

for (const [name, claims, header] of others) {
  test(`guard: a refresh or ID token of an older system is refused: ${name}`, () => {
    const text = token(claims, header)
    const refused = [
      refusalOf(text, lenient),
      refusalOf(text, { ...lenient, issuer: null, audience: null }),
      refusalOf(token(claims, { ...header, typ: 'at+jwt' }), { keys, ...(header && { ...lenient, typ: 'JWT' }) }),
      refusalOf(text, { issuer: 'https://auth.other.example', issuers: [{ issuer, keys, typ: null }] }),
    ]
    for (const error of refused) assert.equal(error.code, 'token_type_invalid')
    assert.match(
      refused[0]?.detail ?? '',
      /^The token is an? (refresh token|ID token|logout token|token for a single purpose)\. Send the access token\.$/,
    )
    assert.equal(refused[0]?.expected, 'access token')
    assert.match(String(refused[0]?.received), /^(refresh|ID|logout) token$|^token for a single purpose$/)
  })
}

test('guard: access tokens of an older system are accepted with any name of their kind', async () => {
  const access: readonly [claims: Claims, header?: Claims][] = [
    [{ type: 'access', fresh: true }],
    [{ token_type: 'access' }],
    [{ token_type: 'Bearer' }],
    [{ token_use: 'access' }],
    [{ typ: 'Bearer' }],
    [{ type: 'app', identity_nonce: 'n' }],
    [{ type: 'user' }],
    [{ type: 'non-refreshable' }],
    [{ token_type: 'access_no_refresh' }],
    [{ type: 'verified' }],
    [{ refresh: false, use: 'sig' }],
    [{ type: 'identity-provider' }],
    [{ token_type: null, type: 7 }],
    [{ scope: 'offline_access refresh' }],
    [{}, { typ: 'at+jwt' }],
    [{}, { typ: undefined }],
  ]
  for (const [claims, header] of access) {
    const auth = await guardWith(lenient).authenticate(bearing(token(claims, header)))
    assert.equal(auth.subject, '42', JSON.stringify(claims))
  }
})

test('guard: with kind ID token, ID tokens are accepted and every other declared kind is refused', async () => {
  const options: Partial<GuardOptions> = { ...lenient, kind: 'ID token' }
  for (const [name, claims, header] of others) {
    if (/ID token|of token exchange/.test(name)) {
      assert.equal((await guardWith(options).authenticate(bearing(token(claims, header)))).subject, '42', name)
    } else {
      const { code, detail, expected } = refusalOf(token(claims, header), options)
      assert.deepEqual([code, expected], ['token_type_invalid', 'ID token'], name)
      assert.match(detail, /Send the ID token\.$/)
    }
  }
  assert.ok(await guardWith(options).authenticate(bearing(token({}))))
  const both = { type: 'refresh', at_hash: 'x' }
  assert.equal(refusalOf(token(both), options).code, 'token_type_invalid')
})

test('guard: a stolen token that is bound to a key is refused with any typ', async () => {
  for (const cnf of [{ jkt: 'x' }, { 'x5t#S256': 'x' }, {}, null]) {
    for (const typ of ['at+jwt', 'JWT', 'dpop+jwt', undefined]) {
      const text = token({ cnf }, { typ })
      const options = { keys, typ: typ ?? null }
      assert.equal(refusalOf(text, options).code, 'token_proof_required', typ)
      assert.equal(refusalOf(text, { ...options, typ: null }).code, 'token_proof_required', typ)
      const auth = await guardWith({ ...options, senderConstrained: 'ignore' }).authenticate(bearing(text))
      assert.equal(auth.subject, '42')
    }
  }
  const issuers = [{ issuer, keys, typ: 'JWT' }]
  const text = token({ cnf: { jkt: 'x' } })
  const first = { issuer: 'https://auth.other.example', senderConstrained: 'ignore' } as const
  assert.equal(refusalOf(text, { ...first, issuers }).code, 'token_proof_required')
  const written = [{ issuer, keys, typ: 'JWT', senderConstrained: 'ignore' as const }]
  assert.ok(await guardWith({ issuer: first.issuer, issuers: written }).authenticate(bearing(text)))
  assert.throws(() => guardWith({ senderConstrained: true as never }), /senderConstrained must be 'refuse' or 'ignore'/)
})
