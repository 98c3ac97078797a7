import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign as signBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { importKey, type JwtError, type VerificationKey } from '@sealwax/jwt'
import { type Auth, createRevocationList, type FormerIssuer, type GuardOptions } from '../src/index.ts'
import { audience, bearing, guardWith, ISSUED, issuer, later, refusalOf, secret, tokenFor } from './tokens.ts'

// The tokens are put together by hand, as an older system would have made them.

const OLD = 'https://old.example.com'
const shared = Buffer.from(secret(3, 40))
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string
const times = { iat: ISSUED - 600, exp: ISSUED + 86_400 }
const until = new Date((ISSUED + 3600) * 1000)

type Claims = Record<string, unknown>

const part = (value: Claims) => Buffer.from(JSON.stringify(value)).toString('base64url')

function hs256(claims: Claims = {}, header: Claims = { alg: 'HS256', typ: 'JWT' }, by: Uint8Array = shared): string {
  const input = `${part(header)}.${part({ ...times, iss: OLD, sub: '42', aud: audience, ...claims })}`
  return `${input}.${createHmac('sha256', by).update(input).digest('base64url')}`
}

function rs256(claims: Claims = {}, header: Claims = { alg: 'RS256', typ: 'JWT', kid: 'rsa-1' }): string {
  const input = `${part(header)}.${part({ ...times, iss: OLD, sub: '42', aud: audience, ...claims })}`
  return `${input}.${signBytes('sha256', Buffer.from(input), rsa.privateKey).toString('base64url')}`
}

const byHmac: FormerIssuer = { issuer: OLD, key: importKey(shared, { alg: 'HS256' }), until }
const byRsa: FormerIssuer = { issuer: OLD, key: importKey(pem, { alg: 'RS256', kid: 'rsa-1' }), until }

async function subjectOf(token: string, options: Partial<GuardOptions>): Promise<string> {
  return (await guardWith(options).authenticate(bearing(token))).subject
}

test('trust: tokens of an older system are accepted until the date, by a secret or a PEM, beside our own', async () => {
  for (const [former, token] of [
    [byHmac, hs256()],
    [byRsa, rs256()],
  ] as const) {
    assert.equal(await subjectOf(token, { trust: [former] }), '42')
    assert.equal(await subjectOf(tokenFor(), { trust: [former] }), 'user-123')
    assert.equal(await subjectOf(token, { trust: [former], ...later(3599) }), '42')
    // Not as expired: a client would try to renew it.
    const late = refusalOf(token, { trust: [former], ...later(3600) }).code
    assert.ok(['token_algorithm_not_allowed', 'token_key_unknown', 'token_signature_invalid'].includes(late), late)
    assert.equal(refusalOf(token, {}).status, 401)
  }
})

test('trust: the date may be a text; one that is no date, and anything else that is no former issuer, throws at once', async () => {
  for (const text of ['2027-02-01', '2027-02-01T00:00:00Z']) {
    assert.equal(await subjectOf(hs256(), { trust: [{ ...byHmac, until: text }] }), '42')
  }
  const bad: readonly unknown[] = [
    { ...byHmac, until: 'tomorrow' },
    { ...byHmac, until: new Date('x') },
    { ...byHmac, until: ISSUED },
    { ...byHmac, jwksUri: 'https://old.example.com/jwks' },
    { issuer: OLD, until },
    { issuer: OLD, until, jwksUri: 'http://old.example.com/jwks' },
    { issuer: OLD, until, key: undefined },
    { key: byHmac.key, until },
    { ...byHmac, algorithm: 'HS256' },
    { ...byHmac, key: pem },
    { ...byHmac, typ: 7 },
    { ...byHmac, requiredClaims: [] },
  ]
  for (const former of bad) assert.throws(() => guardWith({ trust: [former as FormerIssuer] }), Error)
  assert.throws(() => guardWith({ trust: byHmac as never }), TypeError)
})

test('trust: every rule holds for the older system too, and says why it refuses', () => {
  const trust = [byRsa]
  const refused = (token: string, options: Partial<GuardOptions> = {}) => refusalOf(token, { trust, ...options }).code
  assert.equal(refused(rs256({ exp: ISSUED - 60 })), 'token_expired')
  assert.equal(refused(rs256({ aud: 'other' })), 'token_audience_invalid')
  assert.equal(refused(rs256({ sub: undefined })), 'token_claim_missing')
  assert.equal(refused(rs256({}, { alg: 'RS256', typ: 'id+jwt', kid: 'rsa-1' })), 'token_type_invalid')
  assert.equal(refused(rs256({}, { alg: 'RS256', kid: 'rsa-1' })), 'token_type_invalid')
  assert.equal(refused(rs256({}, { alg: 'RS256', typ: 'JWT', kid: 'rsa-2' })), 'token_key_unknown')
  assert.equal(refused(`${rs256().slice(0, -8)}AAAAAAAA`), 'token_signature_invalid')
  assert.equal(
    refused(hs256({}, { alg: 'HS256', typ: 'JWT', kid: 'rsa-1' }, Buffer.from(pem))),
    'token_algorithm_not_allowed',
  )
  assert.equal(refused(hs256({}, { alg: 'none', typ: 'JWT', kid: 'rsa-1' })), 'token_algorithm_not_allowed')
})

test('trust: a key counts for its own issuer alone', () => {
  const trust = [byRsa, { ...byHmac, issuer: 'https://older.example.com' }]
  // Signed by one of the older systems in the name of ours, or of the other.
  assert.equal(refusalOf(rs256({ iss: issuer }), { trust }).code, 'token_key_unknown')
  assert.equal(refusalOf(hs256({ iss: OLD }), { trust }).code, 'token_algorithm_not_allowed')
  // Signed by our key in the name of an older system.
  assert.equal(refusalOf(tokenFor({}, { issuer: OLD, typ: 'JWT' }), { trust }).code, 'token_key_unknown')
  assert.equal(refusalOf(tokenFor({}, { issuer: 'https://nobody.example' }), { trust }).code, 'token_issuer_invalid')
})

test('trust: an older system under our own issuer is told by its keys', async () => {
  const trust = [{ ...byRsa, issuer }]
  assert.equal(await subjectOf(rs256({ iss: issuer }), { trust }), '42')
  assert.equal(await subjectOf(tokenFor(), { trust }), 'user-123')
  // What is wrong with a token of ours is told as ever, so that a client renews it.
  assert.equal(refusalOf(tokenFor(), { trust, ...later(1000) }).code, 'token_expired')
  assert.equal(refusalOf(tokenFor({}, { audience: 'other' }), { trust }).code, 'token_audience_invalid')
  assert.equal(refusalOf(rs256({ iss: issuer, exp: ISSUED - 60 }), { trust }).code, 'token_expired')
})

test('trust: a former issuer is named once; its keys are a list', async () => {
  assert.throws(() => guardWith({ trust: [byHmac, byRsa] }), TypeError)
  const trust = [{ ...byRsa, key: [byRsa.key as VerificationKey, importKey(shared, { alg: 'HS256', kid: 'old' })] }]
  assert.equal(await subjectOf(rs256(), { trust }), '42')
  assert.equal(await subjectOf(hs256({}, { alg: 'HS256', typ: 'JWT', kid: 'old' }), { trust }), '42')
})

test('trust: an older system needs nothing of ours: its tokens are judged while our keys cannot be had', async () => {
  let asked = 0
  const keys = {
    keysFor: () => {
      asked += 1
      throw new Error('away')
    },
    close() {},
  }
  assert.equal(await subjectOf(hs256(), { trust: [byHmac], keys }), '42')
  assert.equal(asked, 0)
  assert.equal(refusalOf(tokenFor(), { trust: [byHmac], keys }).code, 'keys_unavailable')
})

test('trust: a token without typ, with another audience or without one, by the options that say so', async () => {
  const bare = hs256({}, { alg: 'HS256' })
  assert.equal(refusalOf(bare, { trust: [byHmac] }).code, 'token_type_invalid')
  assert.equal(await subjectOf(bare, { trust: [{ ...byHmac, typ: null }] }), '42')
  const elsewhere = hs256({ aud: 'https://old.example.com/api' })
  assert.equal(await subjectOf(elsewhere, { trust: [{ ...byHmac, audience: 'https://old.example.com/api' }] }), '42')
  assert.equal(await subjectOf(hs256({ aud: undefined }), { trust: [{ ...byHmac, audience: null }] }), '42')
  const strict = { ...byHmac, requiredClaims: ['iss', 'sub', 'exp', 'jti'] }
  assert.equal(refusalOf(hs256(), { trust: [strict] }).code, 'token_claim_missing')
})

test('trust: requirements and revocations hold for its tokens; each refusal is reported once', async () => {
  const revocation = createRevocationList({ now: () => ISSUED * 1000 })
  const seen: string[] = []
  const guard = guardWith({ trust: [byHmac], revocation, onRefusal: ({ code }) => seen.push(code) })
  const request = bearing(hs256({ sid: 's1', scope: 'orders:read' }))
  assert.deepEqual((await guard.authenticate(request, { scope: 'orders:read' })).scopes, ['orders:read'])
  assert.throws(() => void guard.authenticate(request, { scope: 'orders:write' }), { code: 'insufficient_scope' })
  revocation.add({ kind: 'sid', sid: 's1', until: ISSUED + 86_400 })
  assert.throws(() => void guard.authenticate(request), { code: 'token_revoked' })
  assert.throws(() => void guard.authenticate(bearing('garbage')), { code: 'token_malformed' })
  assert.deepEqual(seen, ['insufficient_scope', 'token_revoked', 'token_malformed'])
})

test('trust: keys are fetched from jwksUri when the first such token comes, and not for our own', async () => {
  let asked = 0
  const jwk = { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'rsa-1', alg: 'RS256', use: 'sig' }
  const server = createServer((_, response) => {
    asked += 1
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: [jwk] }))
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const jwksUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
  const guard = guardWith({ trust: [{ issuer: OLD, jwksUri, until }] })
  assert.equal((await guard.authenticate(bearing(tokenFor()))).subject, 'user-123')
  assert.equal(asked, 0)
  for (let i = 0; i < 3; i += 1) assert.equal((await guard.authenticate(bearing(rs256()))).subject, '42')
  assert.equal(asked, 1)
  await guard.close()
  server.closeAllConnections()
  server.close()
  await assert.rejects(async () => guard.authenticate(bearing(rs256({ jti: 'x' }))), { code: 'keys_unavailable' })
})

test('trust: an older system that writes no iss is named by null, and by nothing else', async () => {
  const nameless: FormerIssuer = { ...byHmac, issuer: null }
  const token = hs256({ iss: undefined })
  assert.equal(await subjectOf(token, { trust: [nameless] }), '42')
  assert.equal(refusalOf(token, { trust: [byHmac] }).status, 401)
  assert.equal(refusalOf(hs256(), { trust: [nameless] }).status, 401)
  assert.equal(await subjectOf(tokenFor(), { trust: [nameless] }), 'user-123')
})

test('attack: refresh and ID tokens of any issuer open no route, whatever type is accepted', () => {
  const marks: Claims[] = [
    { type: 'refresh' },
    { token_type: 'refresh' },
    { token_use: 'refresh_token' },
    { token_use: 'id' },
    { typ: 'Refresh' },
    { typ: 'Offline' },
    { typ: 'ID' },
  ]
  for (const mark of marks) {
    const [claim] = Object.keys(mark)
    const own = refusalOf(tokenFor({ jti: 'a', ...mark }, { typ: 'JWT' }), { typ: null })
    assert.deepEqual([own.code, (own.cause as JwtError).claim], ['token_claim_invalid', claim], JSON.stringify(mark))
    assert.equal(refusalOf(hs256(mark), { trust: [byHmac] }).code, 'token_claim_invalid', JSON.stringify(mark))
  }
  for (const typ of ['refresh+jwt', 'rt+jwt', 'application/refresh+jwt']) {
    assert.equal(refusalOf(tokenFor({ jti: 'a' }, { typ }), { typ: null }).code, 'token_type_invalid', typ)
  }
  for (const mark of [{ type: 'access' }, { token_use: 'access' }, { typ: 'Bearer' }, { type: 'identity' }]) {
    assert.equal(
      (guardWith({ typ: null }).authenticate(bearing(tokenFor({ jti: 'a', ...mark }, { typ: 'JWT' }))) as Auth).subject,
      'user-123',
    )
  }
})

test('check: a rule about the tokens of one issuer is asked once for each token, and holds for that issuer only', async () => {
  const asked: string[] = []
  const check = ({ subject, payload }: Auth) => {
    asked.push(subject)
    return payload.team === 'a'
  }
  const guard = guardWith({ check, trust: [byHmac] })
  const [good, bad] = [tokenFor({ team: 'a' }), tokenFor({ team: 'b' })]
  for (let i = 0; i < 3; i += 1) assert.equal((guard.authenticate(bearing(good)) as Auth).subject, 'user-123')
  assert.deepEqual(asked, ['user-123'])
  for (let i = 0; i < 2; i += 1) {
    assert.throws(() => guard.authenticate(bearing(bad)), { code: 'check_failed', status: 403 })
  }
  assert.equal((await guard.authenticate(bearing(hs256()))).subject, '42')
  assert.equal(refusalOf(hs256(), { trust: [{ ...byHmac, check: () => false }] }).code, 'check_failed')
  assert.throws(() => guardWith({ check: () => Promise.resolve(true) as never }).authenticate(bearing(good)), TypeError)
  assert.throws(() => guardWith({ check: 'yes' as never }), TypeError)
})
