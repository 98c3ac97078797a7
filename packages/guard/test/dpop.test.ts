import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { createDpopVerifier, type DpopOptions } from '../src/dpop/index.ts'
import { createGuard, type GuardOptions } from '../src/index.ts'
import { BASE, boundToken, clientKey, dpopGuard, proofOf, refused, requestWith } from './proofs.ts'
import { audience, guardWith, ISSUED, issuer, key as issuerKey, tokenFor } from './tokens.ts'

const key = await clientKey()
const other = await clientKey()
const token = boundToken(key)

test('a bound token with a proof of its key is accepted', async () => {
  const auth = await dpopGuard().authenticate(requestWith(token, await proofOf(key, token)))
  assert.equal(auth.subject, 'user-123')
  assert.deepEqual(auth.payload.cnf, { jkt: key.jkt })
})

test('a proof is accepted once', async () => {
  const guard = dpopGuard()
  const proof = await proofOf(key, token)
  assert.ok(await guard.authenticate(requestWith(token, proof)))
  const error = await refused(requestWith(token, proof), guard)
  assert.equal(error.code, 'dpop_proof_invalid')
  assert.match(error.detail, /was used before/)
})

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

test('the other issuers of a guard accept proofs, too', async () => {
  const guard = createGuard({
    ...{ issuer: 'https://other.example', audience, keys: issuerKey, revocation: null, now: () => ISSUED * 1000 },
    issuers: [{ issuer, keys: issuerKey }],
    dpop: createDpopVerifier({ baseUrl: BASE }),
  })
  assert.ok(await guard.authenticate(requestWith(token, await proofOf(key, token))))
})

test('what an issuer among the others says about bound tokens comes first', async () => {
  const guardOf = (senderConstrained: 'ignore' | 'refuse') =>
    createGuard({
      ...{ issuer: 'https://other.example', audience, keys: issuerKey, revocation: null, now: () => ISSUED * 1000 },
      issuers: [{ issuer, keys: issuerKey, senderConstrained }],
      dpop: createDpopVerifier({ baseUrl: BASE }),
    })
  const bearer = { method: 'GET', url: '/orders', headers: { authorization: `Bearer ${token}` } }
  assert.ok(await guardOf('ignore').authenticate(bearer))
  assert.equal((await refused(bearer, guardOf('refuse'))).code, 'token_proof_required')
  const proved = requestWith(token, await proofOf(key, token))
  assert.equal((await refused(proved, guardOf('ignore'))).code, 'token_binding_invalid')
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
