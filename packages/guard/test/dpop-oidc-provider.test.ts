import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import * as oauth from 'oauth4webapi'
import Provider from 'oidc-provider'
import { protect } from '../src/adapters/node.ts'
import { createDpopVerifier, type DpopOptions } from '../src/dpop/index.ts'
import { createGuard } from '../src/index.ts'

const AUDIENCE = 'https://orders.example.com'
const CLIENT = { client_id: 'machine', client_secret: 'a-secret-for-this-test-only-7Qx2' }
const GRANTS = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }
const plain = { [oauth.allowInsecureRequests]: true }

/** Starts a server on a free port. Its handler may need to know its own URL. */
async function listen(create: (url: string) => RequestListener) {
  let handler: RequestListener | undefined
  const server = createServer((request, response) => handler?.(request, response))
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  handler = create(url)
  const close = async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
  return { url, [Symbol.asyncDispose]: close }
}

/** oidc-provider, which issues JWTs for one API. */
function providerOf(issuer: string): RequestListener {
  const provider = new Provider(issuer, {
    clients: [{ ...CLIENT, ...GRANTS, id_token_signed_response_alg: 'ES256' }],
    scopes: ['orders:read'],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        getResourceServerInfo: () => ({
          ...{ scope: 'orders:read', audience: AUDIENCE, accessTokenFormat: 'jwt' },
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    jwks: { keys: [KEY] },
    ttl: { ClientCredentials: 600 },
  })
  return provider.callback()
}

const { privateKey } = await oauth.generateKeyPair('ES256', { extractable: true })
const { key_ops: _, ext: __, ...jwk } = await crypto.subtle.exportKey('jwk', privateKey)
const KEY = { ...jwk, alg: 'ES256', use: 'sig' } as never

/** An API whose guard trusts the provider. */
function apiOf(issuer: string, options: Partial<DpopOptions> = {}) {
  return listen((url) => {
    const dpop = createDpopVerifier({ baseUrl: url, required: true, ...options })
    const guard = createGuard({ issuer, audience: AUDIENCE, revocation: null, dpop })
    return protect(guard, { scope: 'orders:read' }, (_request, response, auth) => response.end(auth.subject))
  })
}

/** Gets an access token from the provider, and calls the API with it. */
async function clientOf(issuer: string) {
  const as = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), plain))
  const DPoP = oauth.DPoP({}, await oauth.generateKeyPair('ES256'))
  const response = await oauth.clientCredentialsGrantRequest(
    ...([as, CLIENT, oauth.ClientSecretBasic(CLIENT.client_secret), { scope: 'orders:read' }] as const),
    { ...plain, DPoP },
  )
  const granted = await oauth.processClientCredentialsResponse(as, CLIENT, response)
  return {
    granted,
    call: (url: string, handle: oauth.DPoPHandle | undefined = DPoP) =>
      oauth.protectedResourceRequest(granted.access_token, 'GET', new URL(url), undefined, undefined, {
        ...plain,
        ...(handle !== undefined && { DPoP: handle }),
      }),
  }
}

test('tokens of oidc-provider, with proofs of oauth4webapi, are accepted', async () => {
  await using provider = await listen(providerOf)
  await using api = await apiOf(provider.url)
  const client = await clientOf(provider.url)
  assert.equal(client.granted.token_type, 'dpop')
  for (const path of ['/orders', '/orders/7?page=2', '/a%20b']) {
    const reply = await client.call(api.url + path)
    assert.deepEqual([reply.status, await reply.text()], [200, CLIENT.client_id])
  }
})

test('oauth4webapi understands each refusal', async () => {
  await using provider = await listen(providerOf)
  await using api = await apiOf(provider.url)
  const client = await clientOf(provider.url)
  const challengeOf = async (request: Promise<unknown>) => {
    const error = await request.then(
      () => assert.fail('it was accepted'),
      (reason: oauth.WWWAuthenticateChallengeError) => reason,
    )
    const [challenge] = error.cause
    return [challenge?.scheme, challenge?.parameters.error]
  }
  const stranger = oauth.DPoP({}, await oauth.generateKeyPair('ES256'))
  assert.deepEqual(await challengeOf(client.call(api.url, stranger)), ['dpop', 'invalid_token'])
  const late = oauth.DPoP({ [oauth.clockSkew]: -3600 }, await oauth.generateKeyPair('ES256'))
  assert.deepEqual(await challengeOf(client.call(api.url, late)), ['dpop', 'invalid_dpop_proof'])
  const bearer = { headers: { Authorization: `Bearer ${client.granted.access_token}` } }
  const reply = await fetch(api.url, bearer)
  assert.match(reply.headers.get('WWW-Authenticate') ?? '', /^DPoP .*error="invalid_token"/)
})

test('oauth4webapi repeats a request with the nonce that the guard requires', async () => {
  await using provider = await listen(providerOf)
  await using api = await apiOf(provider.url, {
    nonceSecret: crypto.getRandomValues(new Uint8Array(32)),
    requireNonce: true,
  })
  const client = await clientOf(provider.url)
  await assert.rejects(client.call(api.url), (error) => oauth.isDPoPNonceError(error))
  assert.equal((await client.call(api.url)).status, 200)
  assert.equal((await client.call(api.url)).status, 200)
})
