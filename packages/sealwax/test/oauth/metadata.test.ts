import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createGuard } from '@sealwax/guard'
import express from 'express'
import * as oauth from 'oauth4webapi'
import { toNodeHandler } from '../../src/http/node.ts'
import { call, listen } from '../server.ts'
import { type OAuthServer, startOAuth } from './oauth.ts'

const WELL_KNOWN = '/.well-known/oauth-authorization-server'
const ENDPOINTS = ['token_endpoint', 'revocation_endpoint', 'introspection_endpoint', 'jwks_uri', 'revocation_uri']

/** Reads the metadata as in RFC 8414 §3, with a third-party client. */
async function discovered(issuer: string): Promise<oauth.AuthorizationServer> {
  const options = { algorithm: 'oauth2', [oauth.allowInsecureRequests]: true } as const
  return oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), options))
}

/** Checks that every URL in the metadata is one of the server. */
async function assertReachable(as: oauth.AuthorizationServer): Promise<void> {
  for (const name of ENDPOINTS) {
    const response = await fetch(as[name] as string)
    assert.ok(name.endsWith('_endpoint') ? response.status === 405 : response.ok, `${name}: ${response.status}`)
    await response.body?.cancel()
  }
}

describe('the metadata of the server', () => {
  it('has all members of RFC 8414 that apply, and lists only what exists', async () => {
    await using server = await startOAuth()
    const { status, headers, body } = await server.call(WELL_KNOWN)
    const at = (path: string) => server.url + path
    const secret = ['client_secret_basic', 'client_secret_post']
    assert.equal(status, 200)
    assert.deepEqual(body as unknown, {
      issuer: server.url,
      token_endpoint: at('/oauth/token'),
      revocation_endpoint: at('/oauth/revoke'),
      introspection_endpoint: at('/oauth/introspect'),
      jwks_uri: at('/.well-known/jwks.json'),
      revocation_uri: at('/.well-known/revocations'),
      service_documentation: at('/openapi'),
      grant_types_supported: ['client_credentials', 'refresh_token'],
      response_types_supported: [],
      token_endpoint_auth_methods_supported: [...secret, 'none'],
      revocation_endpoint_auth_methods_supported: [...secret, 'none'],
      introspection_endpoint_auth_methods_supported: secret,
      dpop_signing_alg_values_supported: [
        ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
        ...['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'],
      ],
    })
    assert.equal(headers.get('Cache-Control'), 'public, max-age=300')
    await assertReachable(await discovered(server.url))
    assert.equal((await server.call('/.well-known/openid-configuration')).status, 404)
  })

  const places: readonly [name: string, path: string, basePath: string][] = [
    ['the issuer has a path, and the routes are under it', '/auth', '/auth'],
    ['the issuer has a path of two parts and ends with a slash', '/a/b.c/', '/a/b.c'],
    ['the routes have a base path, the issuer has none', '', '/auth'],
    ['the routes are deeper than the path of the issuer', '/x', '/x/y'],
    ['the routes are deeper, and the issuer ends with a slash', '/x/', '/x/y'],
  ]
  for (const [name, path, basePath] of places) {
    it(name, async () => {
      await using server = await startOAuth({ path, basePath })
      const as = await discovered(server.url + path)
      assert.equal(as.token_endpoint, `${server.url}${basePath}/oauth/token`)
      await assertReachable(as)
      for (const at of [WELL_KNOWN + path.replace(/\/$/, ''), basePath + WELL_KNOWN]) {
        const reply = await server.call(at, { headers: { Origin: 'https://anywhere.example' } })
        assert.deepEqual([reply.status, reply.headers.get('Access-Control-Allow-Origin')], [200, '*'], at)
        assert.ok(server.auth.handles(at), at)
        assert.equal((await server.call(at, { method: 'POST', json: {} })).status, 405, at)
      }
      assert.equal((await server.call('/oauth/token', { method: 'POST' })).status, 404)
      const machine = await server.machine('a')
      const form = { grant_type: 'client_credentials' }
      assert.equal((await server.post(`${basePath}/oauth/token`, form, machine)).status, 200)
      const refused = await server.post(`${basePath}/oauth/token`, form, { ...machine, secret: 'x' })
      assert.equal(refused.body.error, 'invalid_client')
    })
  }

  it('a remote guard uses it for an issuer with a path, and accepts a token of a client', async () => {
    const server: { current?: OAuthServer } = {}
    const app = express()
    app.use('/auth', (request, response, next) => toNodeHandler(server.current!.auth)(request, response, next))
    app.get(`${WELL_KNOWN}/auth`, (request, response) => toNodeHandler(server.current!.auth)(request, response))
    await using front = await listen(app)
    const issuer = `${front.url}/auth`
    await using started = await startOAuth({ issuer, now: Date.now })
    server.current = started
    await assertReachable(await discovered(issuer))
    const guard = createGuard({ issuer, audience: 'api' })
    const { id, secret } = await started.machine('orders:read')
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret })
    const { access_token } = (await call(front.url, '/auth/oauth/token', { body })).body
    const request = { headers: { authorization: `Bearer ${access_token}` } }
    assert.equal((await guard.authenticate(request, { scope: 'orders:read' })).clientId, id)
    await started.auth.clients.disable(id)
    const refusal = async () => {
      try {
        await guard.authenticate(request)
        return 'accepted'
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    for (let i = 0; i < 100 && (await refusal()) === 'accepted'; i += 1)
      await new Promise((done) => setTimeout(done, 20))
    assert.equal(await refusal(), 'token_stale')
    await guard.close()
  })
})
