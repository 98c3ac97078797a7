import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { createDpopVerifier, type DpopOptions } from '../src/dpop/index.ts'
import { createGuard, GuardError, type GuardOptions } from '../src/index.ts'
import { BASE, boundToken, clientKey, dpopGuard, type ProofChanges, proofOf, requestWith } from './proofs.ts'
import { audience, guardWith, ISSUED, issuer, key as issuerKey, tokenFor } from './tokens.ts'

const key = await clientKey()
const other = await clientKey()
const token = boundToken(key)
const SECRET = new Uint8Array(32).fill(7)
const withNonces: Partial<DpopOptions> = { nonceSecret: SECRET }

/** The refusal of a request; fails if it is accepted. */
async function refused(request: object, guard = dpopGuard()): Promise<GuardError> {
  try {
    await guard.authenticate(request as never)
  } catch (error) {
    if (error instanceof GuardError) return error
    throw error
  }
  return assert.fail('the request was let through')
}

test('a bound token with a proof of its key is accepted', async () => {
  const auth = await dpopGuard().authenticate(requestWith(token, await proofOf(key, token)))
  assert.equal(auth.subject, 'user-123')
  assert.deepEqual(auth.payload.cnf, { jkt: key.jkt })
})

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
  ['with its private key', { header: { jwk: key.privateJwk } }, /private member "d"/],
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
  ['with a secret as its key', { header: { jwk: { kty: 'oct', k: 'c2VjcmV0' } } }, /private member "k"/],
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

test('a proof is accepted once', async () => {
  const guard = dpopGuard()
  const proof = await proofOf(key, token)
  assert.ok(await guard.authenticate(requestWith(token, proof)))
  const error = await refused(requestWith(token, proof), guard)
  assert.equal(error.code, 'dpop_proof_invalid')
  assert.match(error.detail, /was used before/)
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

test('a proof of another key is not remembered', async () => {
  const remembered: string[] = []
  const guard = dpopGuard({ replays: { add: (name) => remembered.push(name) > 0 } })
  assert.equal((await refused(requestWith(token, await proofOf(other, token)), guard)).code, 'token_binding_invalid')
  assert.deepEqual(remembered, [])
})

test('a place that answers with another kind of promise is waited for', async () => {
  const seen = new Set<string>()
  // A promise of another realm, as in Jest.
  const later: (value: boolean) => Promise<boolean> = runInNewContext('(value) => Promise.resolve(value)')
  const replays = { add: (name: string) => later(!seen.has(name) && seen.add(name) !== undefined) }
  const proof = await proofOf(key, token)
  assert.ok(await dpopGuard({ replays }).authenticate(requestWith(token, proof)))
  assert.match((await refused(requestWith(token, proof), dpopGuard({ replays }))).detail, /was used before/)
})

test('several guards may check one request at the same time, also with verifiers of their own', async () => {
  const seen = new Set<string>()
  const replays = {
    async add(name: string) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      return !seen.has(name) && seen.add(name) !== undefined
    },
  }
  const request = requestWith(token, await proofOf(key, token))
  const guards = [dpopGuard({ replays }), dpopGuard({ replays })]
  assert.equal((await Promise.all(guards.map((guard) => guard.authenticate(request)))).length, 2)
})

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

test('several guards may check the proof of one request', async () => {
  const guard = dpopGuard()
  const request = requestWith(token, await proofOf(key, token))
  for (const requirement of [{}, { check: () => true }]) assert.ok(await guard.authenticate(request, requirement))
  assert.match((await refused({ ...request, url: '/other' }, guard)).detail, /"htu" of the proof/)
  assert.match((await refused({ ...request, headers: { ...request.headers } }, guard)).detail, /was used before/)
})

test('a proof does not count as used if its token was refused', async () => {
  const guard = dpopGuard()
  const expired = tokenFor(
    { cnf: { jkt: key.jkt } },
    { senderConstrained: 'ignore', currentDate: new Date((ISSUED - 7200) * 1000) },
  )
  const claims = { jti: 'one' }
  assert.equal(
    (await refused(requestWith(expired, await proofOf(key, expired, { claims })), guard)).code,
    'token_expired',
  )
  assert.ok(await guard.authenticate(requestWith(token, await proofOf(key, token, { claims }))))
})

test('a bound token is refused as a bearer token, also if it was accepted with a proof before', async () => {
  const guard = dpopGuard()
  assert.ok(await guard.authenticate(requestWith(token, await proofOf(key, token))))
  const error = await refused({ method: 'GET', url: '/orders', headers: { authorization: `Bearer ${token}` } }, guard)
  assert.equal(error.code, 'token_proof_required')
  assert.match(error.headers['WWW-Authenticate'] ?? '', /^DPoP .*error="invalid_token".*algs=/)
})

test('a bound token is refused in a cookie', async () => {
  const guard = dpopGuard({}, { cookie: { name: '__Host-access' } })
  const error = await refused({ method: 'GET', url: '/orders', headers: { cookie: `__Host-access=${token}` } }, guard)
  assert.equal(error.code, 'token_proof_required')
})

test('a bound token without a proof is refused', async () => {
  const error = await refused(requestWith(token, undefined))
  assert.equal(error.code, 'dpop_proof_invalid')
  assert.match(error.detail, /needs a proof in the DPoP header/)
})

test('a token that is bound to another key, to something else or to nothing is refused after the scheme DPoP', async () => {
  const cases: readonly (readonly [cnf: unknown, detail: RegExp])[] = [
    [{ jkt: other.jkt }, /not bound to the key of the proof/],
    [{ 'x5t#S256': 'x'.repeat(43) }, /bound in a way that cannot be checked/],
    [{ jkt: key.jkt, 'x5t#S256': 'x'.repeat(43) }, /bound in a way that cannot be checked/],
    [{}, /bound in a way that cannot be checked/],
    [null, /bound in a way that cannot be checked/],
    [{ jkt: 7 }, /bound in a way that cannot be checked/],
    [undefined, /not bound to a key: send it with the scheme Bearer/],
  ]
  for (const [cnf, detail] of cases) {
    const bound = boundToken(key, cnf)
    const own = cnf === undefined ? tokenFor() : bound
    const error = await refused(requestWith(own, await proofOf(key, own)))
    assert.equal(error.code, 'token_binding_invalid', String(detail))
    assert.match(error.detail, detail)
    assert.match(error.headers['WWW-Authenticate'] ?? '', /^DPoP .*error="invalid_token"/)
  }
})

test('bearer tokens are accepted beside bound ones, unless proofs are required', async () => {
  const request = { method: 'GET', url: '/orders', headers: { authorization: `Bearer ${tokenFor()}` } }
  assert.ok(await dpopGuard().authenticate(request))
  const error = await refused(request, dpopGuard({ required: true }))
  assert.equal(error.code, 'token_proof_required')
  assert.match(error.detail, /Only access tokens that are bound to a key/)
  assert.match(error.headers['WWW-Authenticate'] ?? '', /^DPoP (?!.*Bearer)/)
})

test('a challenge names DPoP if a proof is required', async () => {
  const none = { method: 'GET', url: '/orders', headers: {} }
  const optional = (await refused(none)).headers['WWW-Authenticate']
  assert.equal(optional, 'Bearer realm="api"')
  const error = await refused(none, dpopGuard({ algorithms: ['ES256'], required: true }))
  assert.equal(error.headers['WWW-Authenticate'], 'DPoP realm="api", algs="ES256"')
  assert.match(error.detail, /"DPoP", one space, the token; and a proof in the DPoP header/)
})

test('without the option, the scheme DPoP is no bearer token, and bound tokens are refused', async () => {
  const error = await refused(requestWith(token, await proofOf(key, token)), guardWith())
  assert.equal(error.code, 'token_missing')
})

test('the scheme is read in any case, and a malformed header is refused', async () => {
  const send = async (authorization: string) => ({
    ...requestWith(token, await proofOf(key, token)),
    headers: { authorization, dpop: await proofOf(key, token) },
  })
  assert.ok(await dpopGuard().authenticate(await send(`dpop ${token}`)))
  for (const authorization of [
    'DPoP',
    `Basic YQ==, DPoP ${token}`,
    `DPoP\t${token}`,
    `DPoP  ${token}`,
    `DPoP ${token}, Bearer ${token}`,
  ]) {
    assert.equal((await refused(await send(authorization))).code, 'invalid_request', authorization)
  }
  const twice = { ...(await send(`DPoP ${token}`)), url: `/orders?access_token=${token}` }
  assert.equal((await refused(twice)).code, 'invalid_request')
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

test('the other issuers of a guard accept proofs, too', async () => {
  const guard = createGuard({
    ...{ issuer: 'https://other.example', audience, keys: issuerKey, revocation: null, now: () => ISSUED * 1000 },
    issuers: [{ issuer, keys: issuerKey }],
    dpop: createDpopVerifier({ baseUrl: BASE }),
  })
  assert.ok(await guard.authenticate(requestWith(token, await proofOf(key, token))))
})

test('proofs are remembered where the option says', async () => {
  const seen = new Set<string>()
  const replays = {
    async add(name: string, until: number, now: number) {
      assert.match(name, /^[\w-]{43}$/)
      assert.ok(until > now)
      return !seen.has(name) && seen.add(name) !== undefined
    },
  }
  const proof = await proofOf(key, token)
  assert.ok(await dpopGuard({ replays }).authenticate(requestWith(token, proof)))
  assert.match((await refused(requestWith(token, proof), dpopGuard({ replays }))).detail, /was used before/)
})

test('if that place is not available, the request is refused with 503', async () => {
  const failing = { add: () => Promise.reject(new Error('connection lost')) }
  const error = await refused(requestWith(token, await proofOf(key, token)), dpopGuard({ replays: failing }))
  assert.equal(error.code, 'proofs_unavailable')
  assert.equal(error.status, 503)
  assert.ok(error.headers['Retry-After'])
})

test('a verifier can be called by itself', async () => {
  const verifier = createDpopVerifier({ baseUrl: BASE })
  const now = ISSUED * 1000
  const headers = { dpop: await proofOf(key, undefined) }
  assert.deepEqual(await verifier.check({ method: 'GET', url: '/orders', headers }, { now }), {
    kind: 'valid',
    jkt: key.jkt,
  })
  assert.deepEqual(await verifier.check({ method: 'GET', url: '/orders', headers: {} }), { kind: 'none' })
  const again = { method: 'GET', url: '/orders', headers: { ...headers } }
  assert.equal((await verifier.check(again, { now })).kind, 'invalid')
})

/** What `createDpopVerifier` refuses, with the sentence. */
const WRONG: readonly (readonly [options: object, sentence: string])[] = [
  [
    {},
    'baseUrl must be given: the https URL under which clients reach this API (http on loopback), or a list of such URLs',
  ],
  [
    { baseUrl: 'http://api.example.com' },
    'baseUrl must be the https URL under which clients reach this API (http on loopback), or a list of such URLs (got a string)',
  ],
  [
    { baseUrl: [] },
    'baseUrl must be the https URL under which clients reach this API (http on loopback), or a list of such URLs (got an empty list)',
  ],
  [{ baseUrl: BASE, required: 1 }, 'required must be true or false (got 1)'],
  [{ baseUrl: BASE, maxAge: '10m' }, "maxAge must be from 1 second to 5 minutes (got '10m')"],
  [
    { baseUrl: BASE, algorithms: ['HS256'] },
    `algorithms must be a list of at least one of ES256 ES384 ES512 EdDSA Ed25519 RS256 RS384 RS512 PS256 PS384 PS512 ML-DSA-44 ML-DSA-65 ML-DSA-87 (got a list)`,
  ],
  [{ baseUrl: BASE, nonceSecret: new Uint8Array(31) }, 'nonceSecret must be at least 32 octets (got an object)'],
  [{ baseUrl: BASE, requireNonce: true }, 'requireNonce needs nonceSecret'],
  [{ baseUrl: BASE, replays: {} }, 'replays must be an object with the method add (got an object)'],
  [{ baseUrl: BASE, memorySize: 1 }, 'memorySize must be a whole number from 1000 to 10,000,000 (got 1)'],
  [{ baseUrl: BASE, memorySize: 1000, replays: { add: () => true } }, 'replays and memorySize cannot be combined'],
  [{ baseUrl: BASE, nonce: true }, 'there is no option "nonce"'],
]

for (const [options, sentence] of WRONG) {
  test(`createDpopVerifier says: ${sentence.slice(0, 80)}`, () => {
    assert.throws(
      () => createDpopVerifier(options as DpopOptions),
      (error: Error) => {
        assert.ok(error instanceof TypeError)
        assert.equal(error.message, `createDpopVerifier: ${sentence}`)
        return true
      },
    )
  })
}

test('dpop cannot be combined with options that contradict it', () => {
  const dpop = createDpopVerifier({ baseUrl: BASE })
  for (const [name, more] of Object.entries({ token: { scheme: 'Token' }, senderConstrained: 'ignore' })) {
    const options: Partial<GuardOptions> = { dpop, [name]: more }
    assert.throws(() => guardWith(options), { message: `createGuard: dpop and ${name} cannot be combined` })
  }
})
