import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeJwt } from 'jose'
import * as oauth from 'oauth4webapi'
import type { Store } from '../../src/core/unit-of-work.ts'
import type { AuthOptions } from '../../src/index.ts'
import { STORE_KINDS, startOAuth } from '../oauth/oauth.ts'
import { HOUR, PASSWORD } from '../server.ts'
import { type Opened, STORES } from '../stores.ts'
import { type ClientKey, clientKey, proofOf } from './proofs.ts'

const ANN = { email: 'ann@example.com', password: PASSWORD }

/** A server with the user Ann and an API client, and requests with proofs. */
async function start(options: Partial<AuthOptions> = {}, kind = STORE_KINDS.sqlite) {
  const server = await startOAuth(options, kind)
  await server.auth.users.create({ ...ANN, id: 'ann' })
  const machine = await server.machine('orders:read')
  const proof = (key: ClientKey, path: string, more: { method?: string; token?: string } = {}, claims = {}) =>
    proofOf(key, { url: server.url + path, time: server.clock.time, ...more }, claims)
  return {
    ...{ server, machine, proof },
    /** Posts JSON with a proof of a key, or none. */
    async post(path: string, json: object, key?: ClientKey, claims = {}) {
      const headers = key === undefined ? {} : { DPoP: await proof(key, path, {}, claims) }
      return server.call(path, { json, headers })
    },
    /** Reads `/me` with an access token and a proof of a key. */
    async me(token: string, key: ClientKey) {
      const headers = { Authorization: `DPoP ${token}`, DPoP: await proof(key, '/me', { method: 'GET', token }) }
      return server.call('/me', { headers })
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

for (const [name, kind] of Object.entries(STORE_KINDS)) {
  describe(`DPoP: ${name}`, () => {
    it('a log-in with a proof binds the session: the access token needs the key, and so does the refresh', async () => {
      await using at = await start({}, kind)
      const key = await clientKey()
      const { status, body } = await at.post('/login', ANN, key)
      assert.deepEqual([status, body.token_type], [200, 'DPoP'])
      const { access_token: token = '', refresh_token = '' } = body
      assert.deepEqual(decodeJwt(token).cnf, { jkt: key.jkt })
      assert.equal((await at.me(token, key)).status, 200)
      assert.equal((await at.server.call('/me', { token })).body.code, 'token_proof_required')
      assert.equal((await at.me(token, await clientKey())).body.code, 'token_binding_invalid')

      const without = await at.post('/refresh', { refresh_token })
      assert.deepEqual([without.status, without.body.code], [400, 'invalid_dpop_proof'])
      assert.match(String(without.body.detail), /bound to a key: send a proof in the header DPoP/)
      const thief = await at.post('/refresh', { refresh_token }, await clientKey())
      assert.deepEqual([thief.status, thief.body.code, thief.body.reason], [400, 'invalid_grant', 'key_mismatch'])

      const refreshed = await at.post('/refresh', { refresh_token }, key)
      assert.deepEqual([refreshed.status, refreshed.body.token_type], [200, 'DPoP'])
      assert.equal((await at.me(refreshed.body.access_token ?? '', key)).status, 200)
    })

    it('whoever stole a refresh token cannot use it, and the session goes on, however old the token is', async () => {
      await using at = await start({}, kind)
      const key = await clientKey()
      const { body: first } = await at.post('/login', ANN, key)
      const { body: second } = await at.post('/refresh', { refresh_token: first.refresh_token }, key)
      const { body: third } = await at.post('/refresh', { refresh_token: second.refresh_token }, key)
      at.server.clock.advance(HOUR)
      const stolen = { refresh_token: first.refresh_token }
      assert.equal((await at.post('/refresh', stolen)).body.code, 'invalid_dpop_proof')
      assert.equal((await at.post('/refresh', stolen, await clientKey())).body.reason, 'key_mismatch')
      const confirmed = await at.post('/refresh/confirm', { refresh_token: third.refresh_token })
      assert.equal(confirmed.body.code, 'invalid_dpop_proof')
      assert.equal((await at.post('/refresh', { refresh_token: third.refresh_token }, key)).status, 200)
      // With the key it is a replay, as ever.
      assert.equal((await at.post('/refresh', stolen, key)).body.reason, 'replayed')
    })

    it('without the key, a token ends only its own session', async () => {
      await using at = await start({}, kind)
      const key = await clientKey()
      const sessions = await Promise.all([1, 2].map(() => at.post('/login', ANN, key)))
      const [stolen, other] = sessions.map(({ body }) => body)
      for (const scope of ['all', 'others']) {
        await at.post('/logout', { refresh_token: stolen?.refresh_token, scope })
        assert.equal((await at.me(other?.access_token ?? '', key)).status, 200)
      }
      assert.equal((await at.post('/logout', { refresh_token: stolen?.refresh_token })).status, 204)
      assert.equal((await at.me(stolen?.access_token ?? '', key)).body.code, 'token_revoked')
      assert.equal((await at.post('/logout', { refresh_token: other?.refresh_token, scope: 'all' }, key)).status, 204)
    })

    it('strangers write nothing into the database', async () => {
      await using opened = await (STORES[name] as () => Promise<Opened>)()
      await using at = await start({ store: opened.store })
      const key = await clientKey()
      await at.post('/refresh', { refresh_token: 'swr_nonsense' }, key)
      await at.post('/login', { email: 'nobody@example.com', password: PASSWORD }, key)
      await at.post('/login', { ...ANN, password: 'not the password of ann' }, key)
      const rest = await opened.another()
      const purge = () => rest.transaction(({ usedProofs }) => usedProofs.purge(Number.MAX_SAFE_INTEGER, 100))
      assert.equal(await purge(), 0)
      await at.post('/login', ANN, key)
      assert.equal(await purge(), 1)
    })

    it('a proof is used once, by all processes with one store', async () => {
      await using at = await start({}, kind)
      const key = await clientKey()
      const headers = { DPoP: await at.proof(key, '/login') }
      assert.equal((await at.server.call('/login', { json: ANN, headers })).status, 200)
      const again = await at.server.call('/login', { json: ANN, headers })
      assert.deepEqual([again.status, again.body.code], [400, 'invalid_dpop_proof'])
      assert.match(String(again.body.detail), /was used before/)
      const many = { DPoP: await at.proof(key, '/login') }
      const replies = await Promise.all(
        Array.from({ length: 8 }, () => at.server.call('/login', { json: ANN, headers: many })),
      )
      assert.equal(replies.filter(({ status }) => status === 200).length, 1)
    })

    it('POST /oauth/token binds the tokens of API clients and of sessions', async () => {
      await using at = await start({}, kind)
      const key = await clientKey()
      const grant = { grant_type: 'client_credentials' }
      const proofed = async (own = key) => ({ DPoP: await at.proof(own, '/oauth/token') })
      const bound = await at.server.post('/oauth/token', grant, at.machine, await proofed())
      assert.deepEqual([bound.status, bound.body.token_type], [200, 'DPoP'])
      const token = bound.body.access_token ?? ''
      assert.deepEqual(decodeJwt(token).cnf, { jkt: key.jkt })
      const introspector = await at.server.machine('introspect')
      const { body } = await at.server.post('/oauth/introspect', { token }, introspector)
      assert.deepEqual([body.active, body.token_type, body.cnf], [true, 'DPoP', { jkt: key.jkt }])

      const session = await at.server.auth.sessions.create({ subject: 'ann', jkt: key.jkt })
      assert.equal(session.token_type, 'DPoP')
      const refresh = { grant_type: 'refresh_token', refresh_token: session.refresh_token }
      const refused = await at.server.post('/oauth/token', refresh)
      assert.deepEqual([refused.status, refused.body.error], [400, 'invalid_dpop_proof'])
      const mismatch = await at.server.post('/oauth/token', refresh, undefined, await proofed(await clientKey()))
      assert.deepEqual([mismatch.status, mismatch.body.error], [400, 'invalid_grant'])
      assert.equal((await at.server.post('/oauth/token', refresh, undefined, await proofed())).body.token_type, 'DPoP')
    })
  })
}

describe('DPoP', () => {
  it('oauth4webapi: client_credentials and a request to the API, with its own proofs', async () => {
    await using server = await startOAuth({ now: Date.now })
    const plain = { [oauth.allowInsecureRequests]: true }
    const issuer = new URL(server.url)
    const as = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain }),
    )
    assert.ok(as.dpop_signing_alg_values_supported?.includes('ES256'))
    const { id, secret } = await server.machine('orders:read')
    const client = { client_id: id }
    const handle = oauth.DPoP({}, await oauth.generateKeyPair('ES256'))
    const options = { ...plain, DPoP: handle }
    const method = oauth.ClientSecretBasic(secret)
    const response = await oauth.clientCredentialsGrantRequest(as, client, method, {}, options)
    const { access_token: token, token_type } = await oauth.processClientCredentialsResponse(as, client, response)
    assert.equal(token_type, 'dpop')
    // The routes of users refuse an API client, after they have accepted its token and proof.
    const url = new URL(`${server.url}/me`)
    const reply = await oauth.protectedResourceRequest(token, 'GET', url, undefined, undefined, options)
    assert.match(((await reply.json()) as { detail: string }).detail, /does not belong to a session/)
    await assert.rejects(
      oauth.protectedResourceRequest(token, 'GET', url, undefined, undefined, plain),
      (error: Error) => {
        const [challenge] = (error.cause as oauth.WWWAuthenticateChallenge[] | undefined) ?? []
        return challenge?.parameters.error === 'invalid_token'
      },
    )
  })

  it('oauth4webapi: a client whose clock is an hour wrong sends the nonce that it was given', async () => {
    await using server = await startOAuth({ now: () => Date.now() + HOUR })
    const plain = { [oauth.allowInsecureRequests]: true }
    const issuer = new URL(server.url)
    const as = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain }),
    )
    const { id, secret } = await server.machine()
    const client = { client_id: id }
    const options = { ...plain, DPoP: oauth.DPoP({}, await oauth.generateKeyPair('ES256')) }
    const ask = async () => {
      const method = oauth.ClientSecretBasic(secret)
      const response = await oauth.clientCredentialsGrantRequest(as, client, method, {}, options)
      return oauth.processClientCredentialsResponse(as, client, response)
    }
    await assert.rejects(ask(), (error) => oauth.isDPoPNonceError(error))
    assert.equal((await ask()).token_type, 'dpop')
  })

  it('sign-up, exchange and a session of the application bind, too', async () => {
    await using at = await start({ registration: 'open', exchange: { until: '2027-01-01', read: () => OLD } })
    const key = await clientKey()
    const signUp = await at.post('/register', { email: 'grace@example.com', password: PASSWORD }, key)
    assert.deepEqual([signUp.status, signUp.body.token_type], [201, 'DPoP'])
    const exchanged = await at.post('/login/exchange', {}, key)
    assert.deepEqual([exchanged.status, exchanged.body.token_type], [200, 'DPoP'])
    // The reply was lost. Nobody else gets it.
    assert.equal((await at.post('/login/exchange', {})).body.code, 'exchange_refused')
    assert.equal((await at.post('/login/exchange', {}, await clientKey())).body.code, 'exchange_refused')
    assert.equal((await at.post('/login/exchange', {}, key)).body.token_type, 'DPoP')
    const { auth } = at.server
    const { refresh_token } = (await auth.login({ ...ANN, jkt: key.jkt })).tokens
    await assert.rejects(auth.sessions.refresh(refresh_token), { code: 'invalid_dpop_proof' })
    await assert.rejects(auth.sessions.refresh(refresh_token, { jkt: 'x'.repeat(43) }), { code: 'invalid_grant' })
    assert.equal((await auth.sessions.refresh(refresh_token, { jkt: key.jkt })).token_type, 'DPoP')
    await assert.rejects(auth.sessions.refresh(refresh_token, { jkt: '' }), { code: 'validation_failed' })
    await assert.rejects(auth.sessions.confirm(refresh_token, { jkt: '' }), { code: 'validation_failed' })
    await auth.sessions.confirm(refresh_token, { jkt: key.jkt })
    await assert.rejects(auth.sessions.create({ subject: 'ann', jkt: 'a key' }), {
      code: 'validation_failed',
      message: 'jkt must be the SHA-256 thumbprint of a key: 43 characters of base64url',
    })
  })

  it('a refresh with a proof, of a session that began without, binds only its access token', async () => {
    await using at = await start()
    const key = await clientKey()
    const { body } = await at.post('/login', ANN)
    assert.equal(body.token_type, 'Bearer')
    const refreshed = await at.post('/refresh', { refresh_token: body.refresh_token }, key)
    assert.equal(refreshed.body.token_type, 'DPoP')
    const again = await at.post('/refresh', { refresh_token: refreshed.body.refresh_token })
    assert.deepEqual([again.status, again.body.token_type], [200, 'Bearer'])
  })

  it('the session in a cookie is bound, too', async () => {
    await using at = await start()
    const key = await clientKey()
    const { headers } = await at.post('/login', { ...ANN, mode: 'cookie' }, key)
    const [cookie = ''] = (headers.getSetCookie()[0] ?? '').split(';')
    const own = { Cookie: cookie, Origin: at.server.url }
    const refresh = async (more: object) => at.server.call('/refresh', { method: 'POST', headers: { ...own, ...more } })
    assert.equal((await refresh({})).body.code, 'invalid_dpop_proof')
    assert.equal((await refresh({ DPoP: await at.proof(key, '/refresh') })).status, 200)
  })

  it('a log-in whose proof is not acceptable starts no session, and says why', async () => {
    await using at = await start()
    const key = await clientKey()
    for (const [claims, code, detail] of [
      [{ htm: 'GET' }, 'invalid_dpop_proof', /"htm" of the proof is not the method POST/],
      [{ htu: `${at.server.url}/refresh` }, 'invalid_dpop_proof', /"htu" of the proof is not the URL .*\/login/],
      [{ iat: 0 }, 'use_dpop_nonce', /was created .* ago\. Send one with the nonce in the header DPoP-Nonce/],
      [{ nonce: 'old' }, 'use_dpop_nonce', /The nonce of the proof has expired/],
    ] as const) {
      const { status, body, headers } = await at.post('/login', ANN, key, claims)
      assert.deepEqual([status, body.code], [400, code])
      assert.match(String(body.detail), detail)
      const nonce = headers.get('DPoP-Nonce')
      assert.equal(nonce !== null, code === 'use_dpop_nonce')
      if (nonce !== null) assert.equal((await at.post('/login', ANN, key, { ...claims, nonce })).status, 200)
    }
    const { body } = await at.server.call('/login', { json: ANN, headers: { DPoP: 'x' } })
    assert.equal(body.code, 'invalid_dpop_proof')
  })

  it('auth.guard accepts proofs for the URL of the API', async () => {
    await using at = await start({ apiUrl: ['https://api.example.com/v1', 'https://api.example.org'] })
    const key = await clientKey()
    const { access_token: token } = await at.server.auth.sessions.create({ subject: 'ann', jkt: key.jkt })
    const send = async (url: string) => {
      const proof = await proofOf(key, { method: 'GET', url, token, time: at.server.clock.time })
      const headers = { authorization: `DPoP ${token}`, dpop: proof }
      return at.server.auth.guard.authenticate({ method: 'GET', url: '/orders', headers })
    }
    assert.equal((await send('https://api.example.com/v1/orders')).subject, 'ann')
    assert.equal((await send('https://api.example.org/orders')).subject, 'ann')
    await assert.rejects(send(`${at.server.url}/orders`), { code: 'dpop_proof_invalid' })
  })

  for (const [issuerPath, basePath, path] of [
    ['', '/auth', '/auth/login'],
    ['/auth', '/auth', '/auth/login'],
    ['/auth', '', '/login'],
    ['/auth', '/internal', '/internal/login'],
  ] as const) {
    it(`proofs are for the public URL: issuer ${issuerPath || '/'}, base path ${basePath || '/'}`, async () => {
      await using server = await startOAuth({ path: issuerPath, basePath })
      await server.auth.users.create({ ...ANN, id: 'ann' })
      const { time } = server.clock
      const proof = await proofOf(await clientKey(), { url: `${server.url}/auth/login`, time })
      const { status } = await server.call(path, { json: ANN, headers: { DPoP: proof } })
      assert.equal(status, 200)
    })
  }

  it('a guard for all routes and one for this route may check the same request', async () => {
    await using at = await start()
    const key = await clientKey()
    const { access_token: token } = await at.server.auth.sessions.create({ subject: 'ann', jkt: key.jkt })
    const proof = await at.proof(key, '/me', { method: 'GET', token })
    const headers = { Authorization: `DPoP ${token}`, DPoP: proof }
    const request = new Request(`${at.server.url}/me`, { headers })
    assert.equal((await at.server.auth.guard.authenticate(request)).subject, 'ann')
    assert.equal((await at.server.auth.fetch(request)).status, 200)
    assert.equal((await at.server.auth.fetch(new Request(request.url, { headers }))).status, 401)
  })

  it('pages of other origins may send proofs and read nonces', async () => {
    await using at = await start({ allowedOrigins: ['https://app.example.com'] })
    const preflight = { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'dpop' }
    const headers = { Origin: 'https://app.example.com', ...preflight }
    const { headers: allowed } = await at.server.call('/login', { method: 'OPTIONS', headers })
    assert.match(allowed.get('Access-Control-Allow-Headers') ?? '', /\bDPoP\b/)
    const reply = await at.server.call('/login', { json: ANN, headers: { Origin: 'https://app.example.com' } })
    assert.match(reply.headers.get('Access-Control-Expose-Headers') ?? '', /\bDPoP-Nonce\b/)
  })
})

const OLD = { id: 'old-session', subject: 'ann', issuedAt: new Date(Date.UTC(2026, 0, 1)) }

describe('used proofs', () => {
  for (const [name, open] of Object.entries(STORES)) {
    it(`each is stored once, and deleted when it has expired: ${name}`, async () => {
      await using opened = await open()
      const other = await opened.another()
      const insert = (store: Store, hash: string, until: number) =>
        store.transaction(({ usedProofs }) => usedProofs.insert(hash, until))
      assert.equal(await insert(opened.store, 'a', 100), true)
      assert.equal(await insert(other, 'a', 100), false)
      for (const hash of ['b', 'c']) assert.equal(await insert(other, hash, 200), true)
      const purge = (now: number) => opened.store.transaction(({ usedProofs }) => usedProofs.purge(now, 2))
      assert.deepEqual([await purge(99), await purge(200), await purge(200), await purge(200)], [0, 2, 1, 0])
    })
  }
})
