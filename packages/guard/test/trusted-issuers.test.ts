import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign as signBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { generateKey, importKey, type SigningKey, type VerificationKey } from '@sealwax/jwt'
import { type Auth, createRevocationList, type GuardOptions, type TrustedIssuer } from '../src/index.ts'
import { audience, bearing, guardWith, ISSUED, issuer, later, refusalOf, secret, tokenFor } from './tokens.ts'

// The tokens are built by hand, as an older system would create them.

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

const byHmac: TrustedIssuer = { issuer: OLD, keys: importKey(shared, { alg: 'HS256' }), until }
const byRsa: TrustedIssuer = { issuer: OLD, keys: importKey(pem, { alg: 'RS256', kid: 'rsa-1' }), until }

async function subjectOf(token: string, options: Partial<GuardOptions>): Promise<string> {
  return (await guardWith(options).authenticate(bearing(token))).subject
}

test('issuers: tokens of an older system are accepted until the date, with a secret or a PEM, in addition to own tokens', async () => {
  for (const [former, token] of [
    [byHmac, hs256()],
    [byRsa, rs256()],
  ] as const) {
    assert.equal(await subjectOf(token, { issuers: [former] }), '42')
    assert.equal(await subjectOf(tokenFor(), { issuers: [former] }), 'user-123')
    assert.equal(await subjectOf(token, { issuers: [former], ...later(3599) }), '42')
    // Not refused as expired, since a client would try to renew it.
    const late = refusalOf(token, { issuers: [former], ...later(3600) })
    assert.equal(late.code, 'token_issuer_invalid')
    assert.match(
      String(late.cause),
      /^Error: tokens of "https:\/\/old\.example\.com" are accepted until 2027-01-15T09:00:00\.000Z$/,
    )
    assert.equal(refusalOf(token, {}).status, 401)
  }
})

test('issuers: until may be a string; an invalid date or any other invalid entry throws immediately', async () => {
  for (const text of ['2027-02-01', '2027-02-01T00:00:00Z']) {
    assert.equal(await subjectOf(hs256(), { issuers: [{ ...byHmac, until: text }] }), '42')
  }
  const bad: readonly unknown[] = [
    { ...byHmac, until: 'tomorrow' },
    { ...byHmac, until: new Date('x') },
    { ...byHmac, until: ISSUED },
    { ...byHmac, jwksUri: 'https://old.example.com/jwks' },
    { issuer: 'old', until },
    { issuer: null, until },
    { issuer: '', until, keys: byHmac.keys },
    null,
    { issuer: OLD, until, keys: undefined },
    { keys: byHmac.keys, until },
    { ...byHmac, algorithm: 'HS256' },
    { ...byHmac, keys: pem as never },
    { ...byHmac, typ: 7 },
    { ...byHmac, requiredClaims: [] },
  ]
  for (const former of bad) assert.throws(() => guardWith({ issuers: [former as TrustedIssuer] }), Error)
  assert.throws(() => guardWith({ issuers: byHmac as never }), TypeError)
})

test('issuers: every rule applies to the older system, too, with its own refusal code', () => {
  const issuers = [byRsa]
  const refused = (token: string, options: Partial<GuardOptions> = {}) => refusalOf(token, { issuers, ...options }).code
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

test('issuers: a key is accepted only for its own issuer', () => {
  const issuers = [byRsa, { ...byHmac, issuer: 'https://older.example.com' }]
  // Signed by one of the older systems with the iss of ours, or of the other.
  assert.equal(refusalOf(rs256({ iss: issuer }), { issuers }).code, 'token_key_unknown')
  assert.equal(refusalOf(hs256({ iss: OLD }), { issuers }).code, 'token_algorithm_not_allowed')
  // Signed by our key with the iss of an older system.
  assert.equal(refusalOf(tokenFor({}, { issuer: OLD, typ: 'JWT' }), { issuers }).code, 'token_key_unknown')
  assert.equal(refusalOf(tokenFor({}, { issuer: 'https://nobody.example' }), { issuers }).code, 'token_issuer_invalid')
})

test('issuers: an older system with the same issuer is recognized by its keys', async () => {
  const issuers = [{ ...byRsa, issuer }]
  assert.equal(await subjectOf(rs256({ iss: issuer }), { issuers }), '42')
  assert.equal(await subjectOf(tokenFor(), { issuers }), 'user-123')
  // A token of ours is refused with the usual code, so that a client renews it.
  assert.equal(refusalOf(tokenFor(), { issuers, ...later(1000) }).code, 'token_expired')
  assert.equal(refusalOf(tokenFor({}, { audience: 'other' }), { issuers }).code, 'token_audience_invalid')
  assert.equal(refusalOf(rs256({ iss: issuer, exp: ISSUED - 60 }), { issuers }).code, 'token_expired')
})

test('issuers: a former issuer is named once; its keys are a list', async () => {
  assert.throws(() => guardWith({ issuers: [byHmac, byRsa] }), TypeError)
  const issuers = [{ ...byRsa, keys: [byRsa.keys as VerificationKey, importKey(shared, { alg: 'HS256', kid: 'old' })] }]
  assert.equal(await subjectOf(rs256(), { issuers }), '42')
  assert.equal(await subjectOf(hs256({}, { alg: 'HS256', typ: 'JWT', kid: 'old' }), { issuers }), '42')
})

test('issuers: tokens of an older system are accepted while our keys are not available', async () => {
  let asked = 0
  const keys = {
    keysFor: () => {
      asked += 1
      throw new Error('away')
    },
    close() {},
  }
  assert.equal(await subjectOf(hs256(), { issuers: [byHmac], keys }), '42')
  assert.equal(asked, 0)
  assert.equal(refusalOf(tokenFor(), { issuers: [byHmac], keys }).code, 'keys_unavailable')
})

test('issuers: a token without typ, with another audience or without one is accepted with the options for it', async () => {
  const bare = hs256({}, { alg: 'HS256' })
  assert.equal(refusalOf(bare, { issuers: [byHmac] }).code, 'token_type_invalid')
  assert.equal(await subjectOf(bare, { issuers: [{ ...byHmac, typ: null }] }), '42')
  const elsewhere = hs256({ aud: 'https://old.example.com/api' })
  assert.equal(await subjectOf(elsewhere, { issuers: [{ ...byHmac, audience: 'https://old.example.com/api' }] }), '42')
  assert.equal(await subjectOf(hs256({ aud: undefined }), { issuers: [{ ...byHmac, audience: null }] }), '42')
  const strict = { ...byHmac, requiredClaims: ['iss', 'sub', 'exp', 'jti'] }
  assert.equal(refusalOf(hs256(), { issuers: [strict] }).code, 'token_claim_missing')
})

test('issuers: requirements and revocations apply to its tokens; each refusal is reported once', async () => {
  const revocation = createRevocationList({ now: () => ISSUED * 1000 })
  const seen: string[] = []
  const guard = guardWith({ issuers: [byHmac], revocation, onRefusal: ({ code }) => seen.push(code) })
  const request = bearing(hs256({ sid: 's1', scope: 'orders:read' }))
  assert.deepEqual((await guard.authenticate(request, { scope: 'orders:read' })).scopes, ['orders:read'])
  assert.throws(() => void guard.authenticate(request, { scope: 'orders:write' }), { code: 'insufficient_scope' })
  revocation.add({ kind: 'sid', sid: 's1', until: ISSUED + 86_400 })
  assert.throws(() => void guard.authenticate(request), { code: 'token_revoked' })
  assert.throws(() => void guard.authenticate(bearing('garbage')), { code: 'token_malformed' })
  assert.deepEqual(seen, ['insufficient_scope', 'token_revoked', 'token_malformed'])
})

test("issuers: keys are found through its metadata when its first token arrives, not for the guard's own", async () => {
  let asked = 0
  const jwk = { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'rsa-1', alg: 'RS256', use: 'sig' }
  const server = createServer(({ url }, response) => {
    asked += 1
    const page = url === '/jwks.json' ? { keys: [jwk] } : { issuer: old, jwks_uri: `${old}/jwks.json` }
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(page))
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const old = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const guard = guardWith({ issuers: [{ issuer: old, until, revocation: null }] })
  assert.equal((await guard.authenticate(bearing(tokenFor()))).subject, 'user-123')
  assert.equal(asked, 0)
  for (let i = 0; i < 3; i += 1) assert.equal((await guard.authenticate(bearing(rs256({ iss: old })))).subject, '42')
  assert.equal(asked, 2)
  await guard.close()
  server.closeAllConnections()
  server.close()
  await assert.rejects(async () => guard.authenticate(bearing(rs256({ iss: old, jti: 'x' }))), {
    code: 'keys_unavailable',
  })
})

test('issuers: tokens of an older system without iss are accepted only with issuer null', async () => {
  const nameless: TrustedIssuer = { ...byHmac, issuer: null }
  const token = hs256({ iss: undefined })
  assert.equal(await subjectOf(token, { issuers: [nameless] }), '42')
  assert.equal(refusalOf(token, { issuers: [byHmac] }).status, 401)
  assert.equal(refusalOf(hs256(), { issuers: [nameless] }).status, 401)
  assert.equal(await subjectOf(tokenFor(), { issuers: [nameless] }), 'user-123')
})

test('check: a rule for the tokens of one issuer is called once for each token, and only for that issuer', async () => {
  const asked: string[] = []
  const check = ({ subject, payload }: Auth) => {
    asked.push(subject)
    return payload.team === 'a'
  }
  const guard = guardWith({ check, issuers: [byHmac] })
  const [good, bad] = [tokenFor({ team: 'a' }), tokenFor({ team: 'b' })]
  for (let i = 0; i < 3; i += 1) assert.equal((guard.authenticate(bearing(good)) as Auth).subject, 'user-123')
  assert.deepEqual(asked, ['user-123'])
  for (let i = 0; i < 2; i += 1) {
    assert.throws(() => guard.authenticate(bearing(bad)), { code: 'check_failed', status: 403 })
  }
  assert.equal((await guard.authenticate(bearing(hs256()))).subject, '42')
  assert.equal(refusalOf(hs256(), { issuers: [{ ...byHmac, check: () => false }] }).code, 'check_failed')
  const asynchronous = guardWith({ check: async (auth) => check(auth) })
  asked.length = 0
  assert.equal((await asynchronous.authenticate(bearing(good))).subject, 'user-123')
  assert.equal((asynchronous.authenticate(bearing(good)) as Auth).subject, 'user-123')
  assert.deepEqual(asked, ['user-123'])
  await assert.rejects(async () => asynchronous.authenticate(bearing(bad)), { code: 'check_failed', status: 403 })
  const unclear = guardWith({ check: async () => 'yes' as never })
  await assert.rejects(async () => unclear.authenticate(bearing(good)), TypeError)
  assert.throws(() => guardWith({ check: 'yes' as never }), TypeError)
})

test('issuers: one without a date has the defaults of the guard, its own keys and its own revocations', async () => {
  const other = await generateKey('ES256', { kid: 'es-1' })
  const revocation = createRevocationList({ now: () => ISSUED * 1000 })
  const partner: TrustedIssuer = { issuer: 'https://partner.example.com', keys: other.publicKey, revocation }
  const guard = guardWith({ issuers: [partner, byHmac], ...later(600) })
  const token = tokenFor({ sid: 's1' }, { issuer: 'https://partner.example.com' }, other)
  assert.equal((await guard.authenticate(bearing(token))).subject, 'user-123')
  assert.equal((await guard.authenticate(bearing(tokenFor({ sid: 's1' })))).subject, 'user-123')
  revocation.add({ kind: 'sid', sid: 's1', until: ISSUED + 86_400 })
  assert.throws(() => void guard.authenticate(bearing(token)), { code: 'token_revoked' })
  assert.equal((await guard.authenticate(bearing(tokenFor({ sid: 's1' })))).subject, 'user-123')
  const asJwt = tokenFor({}, { issuer: 'https://partner.example.com', typ: 'JWT' }, other)
  assert.throws(() => void guard.authenticate(bearing(asJwt)), { code: 'token_type_invalid' })
})

test('attack: a key of one issuer is not accepted for another; a list of issuers with shared keys is refused', async () => {
  const [a, b] = [await generateKey('ES256', { kid: 'a' }), await generateKey('ES256', { kid: 'b' })]
  const [nameA, nameB] = ['https://a.example.com', 'https://b.example.com']
  const guard = guardWith({ issuer: nameA, keys: a.publicKey, issuers: [{ issuer: nameB, keys: b.publicKey }] })
  assert.equal((await guard.authenticate(bearing(tokenFor({}, { issuer: nameB }, b)))).subject, 'user-123')
  for (const [name, by] of [
    [nameB, a],
    [nameA, b],
  ] as const) {
    assert.throws(() => void guard.authenticate(bearing(tokenFor({}, { issuer: name }, by))), {
      code: 'token_key_unknown',
    })
  }
  assert.throws(() => guardWith({ issuer: [nameA, nameB] as never, keys: [a.publicKey, b.publicKey] }), {
    name: 'TypeError',
    message: /^createGuard: issuer must be one issuer: .*Write the others as issuers: \[\{ issuer, keys \}\]/,
  })
})

test('issuers: an entry whose keys come from metadata also gets its revocations there; without a feed, its tokens are refused', async () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...other.publicKey.export({ format: 'jwk' }), kid: 'es-1', alg: 'ES256' }
  const server = createServer(({ url }, response) => {
    const page = url === '/jwks.json' ? { keys: [jwk] } : { issuer: name, jwks_uri: `${name}/jwks.json` }
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(page))
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const name = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const guard = guardWith({ issuers: [{ issuer: name }] })
  const key = importKey(other.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, {
    kid: 'es-1',
  }) as SigningKey
  const token = tokenFor({}, { issuer: name }, key)
  await assert.rejects(async () => guard.authenticate(bearing(token)), { code: 'revocation_unavailable' })
  assert.equal((await guard.authenticate(bearing(tokenFor()))).subject, 'user-123')
  await guard.close()
  server.closeAllConnections()
  server.close()
})

test('issuers: no key is accepted for another issuer, in any entry', () => {
  const names = ['https://b.example.com', 'https://c.example.com', OLD]
  const keys = names.map((_, i) => importKey(secret(21 + i, 32), { alg: 'HS256', kid: `k-${i}` }))
  const issuers = names.map((name, i) => ({ issuer: name, keys: keys[i] as VerificationKey }))
  for (const [i, signer] of keys.entries()) {
    for (const name of [issuer, ...names]) {
      if (name === names[i]) continue
      const forged = tokenFor({}, { issuer: name }, signer as never)
      assert.equal(refusalOf(forged, { issuers }).code, 'token_key_unknown', `${names[i]} as ${name}`)
      // A guard that accepts any issuer also accepts this iss only with the keys of its entry.
      if (name !== issuer) assert.equal(refusalOf(forged, { issuer: null, issuers }).code, 'token_key_unknown')
    }
  }
  const named = tokenFor({}, { issuer: OLD })
  assert.equal(refusalOf(named, { issuer: null, issuers }).code, 'token_key_unknown')
})

test('guard: a token without iss and aud is accepted if neither is checked', () => {
  const plain = { issuer: null, audience: null, typ: 'JWT', keys: byHmac.keys as VerificationKey }
  const auth = guardWith(plain).authenticate(bearing(hs256({ iss: undefined, aud: undefined, jti: 'a' }))) as Auth
  assert.equal(auth.subject, '42')
})
