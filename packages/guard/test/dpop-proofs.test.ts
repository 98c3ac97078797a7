import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DpopOptions } from '../src/dpop/index.ts'
import { BASE, boundToken, clientKey, dpopGuard, type ProofChanges, proofOf, refused, requestWith } from './proofs.ts'
import { ISSUED, tokenFor } from './tokens.ts'

const key = await clientKey()
const other = await clientKey()
const token = boundToken(key)
const SECRET = new Uint8Array(32).fill(7)
const withNonces: Partial<DpopOptions> = { nonceSecret: SECRET }

for (const alg of ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'RS256', 'PS256']) {
  test(`a proof that is signed with ${alg} is accepted`, async () => {
    const own = await clientKey(alg)
    const bound = boundToken(own)
    assert.ok(await dpopGuard().authenticate(requestWith(bound, await proofOf(own, bound))))
  })
}

/** RFC 9449 §4.3, check by check. */
const REFUSED: readonly (readonly [name: string, changes: ProofChanges, detail: RegExp])[] = [
  ['without jti', { claims: { jti: undefined } }, /lacks the claim "jti"/],
  ['without htm', { claims: { htm: undefined } }, /lacks the claim "htm"/],
  ['without htu', { claims: { htu: undefined } }, /lacks the claim "htu"/],
  ['without iat', { claims: { iat: undefined } }, /lacks the claim "iat"/],
  ['without ath', { claims: { ath: undefined } }, /lacks the claim "ath"/],
  ['with an empty jti', { claims: { jti: '' } }, /"jti" of the proof is not a string of 1 to 256/],
  ['with a long jti', { claims: { jti: 'x'.repeat(257) } }, /"jti" of the proof is not a string of 1 to 256/],
  ['with a jti that is a number', { claims: { jti: 7 } }, /"jti" of the proof is not a string/],
  ['of another type', { header: { typ: 'JWT' } }, /type \(typ\) of the proof is not "dpop\+jwt"/],
  ['without a type', { header: { typ: undefined } }, /type \(typ\) of the proof is not "dpop\+jwt"/],
  ['of the type of access tokens', { header: { typ: 'at+jwt' } }, /type \(typ\) of the proof/],
  ['without a key', { header: { jwk: undefined } }, /no public key \(jwk\)/],
  ['with a key that is a string', { header: { jwk: 'key' } }, /no public key \(jwk\)/],
  ['with its private key', { header: { jwk: key.privateJwk } }, /is private\. Send the public key only/],
  ['with the key of somebody else', { header: { jwk: other.jwk } }, /signature of the proof/],
  [
    'with a key off the curve',
    { header: { jwk: { ...key.jwk, x: key.jwk.y } } },
    /key \(jwk\) in the header of the proof/,
  ],
  [
    'with a key for encryption',
    { header: { jwk: { ...key.jwk, use: 'enc' } } },
    /key \(jwk\) in the header of the proof/,
  ],
  [
    'with a secret as its key',
    { header: { jwk: { kty: 'oct', k: 'c2VjcmV0' } } },
    /is private\. Send the public key only/,
  ],
  ['for another method', { claims: { htm: 'POST' } }, /"htm" of the proof is not the method GET/],
  ['for the method in lower case', { claims: { htm: 'get' } }, /"htm" of the proof is not the method GET/],
  ['for another host', { claims: { htu: 'https://evil.example/orders' } }, /"htu" of the proof is not the URL/],
  ['for another path', { claims: { htu: `${BASE}/orders/` } }, /"htu" of the proof is not the URL/],
  ['for another scheme', { claims: { htu: 'http://api.example.com/orders' } }, /"htu" of the proof is not the URL/],
  ['for another port', { claims: { htu: 'https://api.example.com:8443/orders' } }, /"htu" of the proof is not the URL/],
  ['for a path only', { claims: { htu: '/orders' } }, /not an absolute http or https URL/],
  ['for a URL with a user', { claims: { htu: 'https://ann@api.example.com/orders' } }, /not an absolute/],
  ['for a URL that is a number', { claims: { htu: 7 } }, /not an absolute/],
  ['for another token', { claims: { ath: 'x'.repeat(43) } }, /"ath" of the proof is not the hash/],
  ['that is 61 seconds old', { claims: { iat: ISSUED - 61 } }, /was created 61 seconds ago/],
  ['that is 61 seconds in the future', { claims: { iat: ISSUED + 61 } }, /was created 61 seconds in the future/],
  ['with an iat that is a string', { claims: { iat: String(ISSUED) } }, /"iat" of the proof is not a number/],
  ['with an iat beyond all time', { claims: { iat: 1e300 } }, /"iat" of the proof is not a time/],
  ['that has expired by its own exp', { claims: { exp: ISSUED - 10 } }, /has expired by its claim "exp"/],
  ['with a critical header', { header: { crit: ['x'], x: 1 } }, /not|well-formed/],
]

for (const [name, changes, detail] of REFUSED) {
  test(`a proof ${name} is refused`, async () => {
    const proof = await proofOf(key, token, changes).catch(() => undefined)
    // The library that signs refuses some of these itself.
    if (proof === undefined) return assert.equal(name, 'with a critical header')
    const error = await refused(requestWith(token, proof))
    assert.equal(error.code, 'dpop_proof_invalid')
    assert.equal(error.status, 401)
    assert.match(error.detail, detail)
    assert.match(error.headers['WWW-Authenticate'] ?? '', /^DPoP realm="api", error="invalid_dpop_proof".*algs="ES256 /)
  })
}

test('the key of a client that is known does not vouch for another signature', async () => {
  const guard = dpopGuard()
  for (let i = 0; i < 2; i += 1) assert.ok(await guard.authenticate(requestWith(token, await proofOf(key, token))))
  const forged = await proofOf({ ...other, jwk: key.jwk }, token)
  assert.match((await refused(requestWith(token, forged), guard)).detail, /signature of the proof/)
  assert.match((await refused(requestWith(token, await proofOf(other, token)), guard)).detail, /not bound to the key/)
})

test('what is not a proof is refused', async () => {
  const proof = await proofOf(key, token)
  const cases: readonly (readonly [proof: string, detail: RegExp])[] = [
    ['', /not a well-formed signed JWT/],
    ['proof', /not a well-formed signed JWT/],
    [`${proof}, ${proof}`, /more than one DPoP header/],
    [`${proof.slice(0, -4)}AAAA`, /signature of the proof/],
    [`${proof}=`, /not a well-formed signed JWT/],
    ['x'.repeat(12_289), /longer than 12288 characters/],
    [tokenFor(), /algorithm \(alg\) of the proof is not one of ES256/],
    [`${Buffer.from('{"alg":"none","typ":"dpop+jwt"}').toString('base64url')}.e30.`, /algorithm \(alg\)|well-formed/],
  ]
  for (const [sent, detail] of cases) {
    const error = await refused(requestWith(token, sent))
    assert.equal(error.code, 'dpop_proof_invalid')
    assert.match(error.detail, detail)
  }
})

test('two DPoP headers are refused', async () => {
  const proof = await proofOf(key, token)
  const rawHeaders = ['Authorization', `DPoP ${token}`, 'DPoP', proof, 'DPoP', proof]
  const error = await refused({ ...requestWith(token, proof), rawHeaders })
  assert.match(error.detail, /more than one DPoP header/)
})

for (const url of [
  'http://%/',
  'http://[',
  'foo://[x',
  '*',
  '.evil.example/x',
  ':8443/x',
  '',
  '/a\\b',
  '/a/../orders',
  '/%2e%2E/orders',
  '/a b',
]) {
  test(`the target ${JSON.stringify(url)} is refused, and no error of the program`, async () => {
    const proof = await proofOf(key, token, { claims: { htu: `${BASE}/orders` } })
    const error = await refused(requestWith(token, proof, { url }))
    assert.equal(error.code, 'dpop_proof_invalid')
    assert.match(error.detail, /not a path that a proof can be for|"htu" of the proof/)
  })
}

test('a second proof in one request of many with the same nonce is offered another nonce', async () => {
  const guard = dpopGuard({ ...withNonces, memorySize: 1000 })
  const first = await refused(requestWith(token, await proofOf(key, token, { claims: { iat: 0 } })), guard)
  const nonce = first.headers['DPoP-Nonce'] as string
  const proof = await proofOf(key, token, { claims: { nonce } })
  assert.ok(await guard.authenticate(requestWith(token, proof)))
  const again = await refused(requestWith(token, proof), guard)
  assert.equal(again.code, 'dpop_nonce_required')
  assert.ok(again.headers['DPoP-Nonce'])
})

/** The URL as the client sees it, and what the server knows. */
const SAME: readonly (readonly [
  htu: string,
  base: string | string[],
  request: { url: string; originalUrl?: string },
])[] = [
  [`${BASE}/orders`, BASE, { url: '/orders' }],
  [`${BASE}/orders?page=2#top`, BASE, { url: '/orders?page=3' }],
  ['HTTPS://API.example.com:443/orders', BASE, { url: '/orders' }],
  ['https://api.example.com/%6Frders', BASE, { url: '/orders' }],
  ['https://api.example.com/a%2fb', BASE, { url: '/a%2Fb' }],
  ['https://api.example.com/./orders', BASE, { url: '/orders' }],
  ['https://example.com/api/orders', 'https://example.com/api', { url: '/orders' }],
  ['https://example.com/api/orders', 'https://example.com/api/', { url: '/orders' }],
  [`${BASE}/v1/orders`, BASE, { url: '/orders', originalUrl: '/v1/orders' }],
  [`${BASE}/orders`, BASE, { url: 'http://10.0.0.7:8080/orders?x' }],
  ['https://b.example.com/orders', [BASE, 'https://b.example.com'], { url: '/orders' }],
  ['http://localhost:3000/orders', 'http://localhost:3000', { url: '/orders' }],
]

for (const [htu, baseUrl, request] of SAME) {
  test(`a proof for ${htu} is accepted at ${JSON.stringify(request)} below ${baseUrl}`, async () => {
    const proof = await proofOf(key, token, { claims: { htu } })
    assert.ok(await dpopGuard({ baseUrl }).authenticate(requestWith(token, proof, request)))
  })
}

test('the Host field does not decide for which URL a proof is', async () => {
  const proof = await proofOf(key, token, { claims: { htu: 'https://evil.example/orders' } })
  const headers = { authorization: `DPoP ${token}`, dpop: proof, host: 'evil.example' }
  assert.equal((await refused(requestWith(token, proof, { headers }))).code, 'dpop_proof_invalid')
})

test('a request without method or url is an error of the program', async () => {
  const { headers } = requestWith(token, await proofOf(key, token))
  assert.throws(() => dpopGuard().authenticate({ headers }), /must have a method and a url/)
})

test('a client whose clock is wrong is sent a nonce, with which its proof is accepted', async () => {
  const guard = dpopGuard(withNonces)
  const claims = { iat: ISSUED - 3600 }
  const error = await refused(requestWith(token, await proofOf(key, token, { claims })), guard)
  assert.equal(error.code, 'dpop_nonce_required')
  assert.equal(error.status, 401)
  assert.match(error.detail, /was created 60 minutes ago\. Send one with the nonce/)
  assert.match(error.headers['WWW-Authenticate'] ?? '', /error="use_dpop_nonce"/)
  const nonce = error.headers['DPoP-Nonce']
  const proof = await proofOf(key, token, { claims: { ...claims, nonce } })
  assert.ok(await guard.authenticate(requestWith(token, proof)))
  assert.match((await refused(requestWith(token, proof), guard)).detail, /was used before\. Send one with the nonce/)
  // Another process with the same secret accepts it, too.
  assert.ok(await dpopGuard(withNonces).authenticate(requestWith(token, proof)))
})

test('a nonce that is required must be there, recent, and one of ours', async () => {
  const guard = dpopGuard({ ...withNonces, requireNonce: true })
  const first = await refused(requestWith(token, await proofOf(key, token)), guard)
  assert.equal(first.code, 'dpop_nonce_required')
  const nonce = first.headers['DPoP-Nonce'] as string
  const flipped = nonce.endsWith('A') ? `${nonce.slice(0, -1)}Q` : `${nonce.slice(0, -1)}A`
  for (const [sent, options] of [
    ['stranger', withNonces],
    [7, withNonces],
    [flipped, withNonces],
    [nonce, { nonceSecret: new Uint8Array(32).fill(8) }],
  ] as const) {
    const proof = await proofOf(key, token, { claims: { nonce: sent } })
    assert.equal((await refused(requestWith(token, proof), dpopGuard(options))).code, 'dpop_nonce_required')
  }
  for (const [seconds, accepted] of [
    [299, true],
    [301, false],
  ] as const) {
    const later = dpopGuard(withNonces, { now: () => (ISSUED + seconds) * 1000 })
    const request = requestWith(token, await proofOf(key, token, { claims: { nonce } }))
    if (accepted) assert.ok(await later.authenticate(request))
    else assert.equal((await refused(request, later)).code, 'dpop_nonce_required')
  }
})

test('without nonces, one in a proof is ignored', async () => {
  const proof = await proofOf(key, token, { claims: { nonce: 'of another server' } })
  assert.ok(await dpopGuard().authenticate(requestWith(token, proof)))
})
