import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { PASSWORD, standing } from '../server.ts'
import { type OAuthServer, STORE_KINDS, startOAuth } from './oauth.ts'

/** Third-party clients use the real clock, and refuse plain http unless it is allowed. */
const REAL = { now: Date.now }
const plain = { [oauth.allowInsecureRequests]: true }

async function discovered(server: OAuthServer): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(server.url)
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain })
  return oauth.processDiscoveryResponse(issuer, response)
}

/** openid-client, configured as in an API client. */
function configured(server: OAuthServer, id: string, method: openid.ClientAuth): Promise<openid.Configuration> {
  const execute = [openid.allowInsecureRequests]
  return openid.discovery(new URL(server.url), id, undefined, method, { algorithm: 'oauth2', execute })
}

/** Validates an access token as a resource server with oauth4webapi does (RFC 9068 §4). */
function validated(as: oauth.AuthorizationServer, token: string): Promise<oauth.JWTAccessTokenClaims> {
  const request = new Request('https://api.example.com/', { headers: { Authorization: `Bearer ${token}` } })
  return oauth.validateJwtAccessToken(as, request, 'api', plain)
}

for (const [name, kind] of Object.entries(STORE_KINDS)) {
  describe(`OAuth with third-party clients: ${name}`, () => {
    it('oauth4webapi: discovery, client_credentials by Basic and in the body, and a token that passes RFC 9068', async () => {
      await using server = await startOAuth(REAL, kind)
      const as = await discovered(server)
      const { id, secret } = await server.machine('orders:read', 'orders:write')
      const client = { client_id: id }
      for (const method of [oauth.ClientSecretBasic(secret), oauth.ClientSecretPost(secret)]) {
        const asked = { scope: 'orders:read' }
        const response = await oauth.clientCredentialsGrantRequest(as, client, method, asked, plain)
        const granted = await oauth.processClientCredentialsResponse(as, client, response)
        assert.deepEqual([granted.scope, granted.expires_in, granted.refresh_token], ['orders:read', 900, undefined])
        const claims = await validated(as, granted.access_token)
        const { sub, client_id, scope, aud, iss } = claims
        assert.deepEqual(
          { sub, client_id, scope, aud, iss },
          { sub: id, client_id: id, scope: 'orders:read', aud: 'api', iss: server.url },
        )
        const auth = await server.auth.guard.authenticate(
          { headers: { authorization: `Bearer ${granted.access_token}` } },
          { scope: 'orders:read' },
        )
        assert.deepEqual([auth.clientId, auth.subject, auth.roles], [id, id, []])
      }
    })

    it('oauth4webapi: the public client refreshes and revokes; an API client introspects', async () => {
      await using server = await startOAuth(REAL, kind)
      const as = await discovered(server)
      const { id, secret } = await server.machine('introspect')
      const { id: user } = await server.auth.users.create({
        email: 'ann@example.com',
        password: PASSWORD,
        roles: ['teacher'],
      })
      const first = await server.auth.sessions.create({ subject: user, scope: 'a b' })
      const app = { client_id: 'sealwax' }
      const refreshed = await oauth.processRefreshTokenResponse(
        as,
        app,
        await oauth.refreshTokenGrantRequest(as, app, oauth.None(), first.refresh_token, plain),
      )
      assert.deepEqual([refreshed.token_type, refreshed.scope], ['bearer', 'a b'])
      assert.notEqual(refreshed.refresh_token, first.refresh_token)
      assert.equal((await validated(as, refreshed.access_token)).sub, user)
      const introspect = async (token: string) => {
        const method = oauth.ClientSecretBasic(secret)
        const response = await oauth.introspectionRequest(as, { client_id: id }, method, token, plain)
        return oauth.processIntrospectionResponse(as, { client_id: id }, response)
      }
      const { active, sub, scope, client_id, token_type, roles, sid } = await introspect(refreshed.access_token)
      assert.deepEqual(
        { active, sub, scope, client_id, token_type, roles, sid },
        {
          active: true,
          sub: user,
          scope: 'a b',
          client_id: 'sealwax',
          token_type: 'Bearer',
          roles: ['teacher'],
          sid: first.session.id,
        },
      )
      assert.equal((await introspect(refreshed.refresh_token as string)).active, true)
      const revocation = await oauth.revocationRequest(as, app, oauth.None(), refreshed.refresh_token as string, plain)
      assert.equal(await oauth.processRevocationResponse(revocation), undefined)
      assert.deepEqual(await introspect(refreshed.access_token), { active: false })
      assert.deepEqual(await introspect(refreshed.refresh_token as string), { active: false })
      assert.equal(await standing(server.auth, refreshed.access_token), 'token_revoked')
    })

    it('openid-client: discovery, every grant, introspection and revocation', async () => {
      await using server = await startOAuth(REAL, kind)
      const { id, secret } = await server.machine('introspect', 'x')
      for (const method of [openid.ClientSecretBasic(secret), openid.ClientSecretPost(secret)]) {
        const machine = await configured(server, id, method)
        const granted = await openid.clientCredentialsGrant(machine, { scope: 'x' })
        assert.deepEqual([granted.scope, granted.expires_in], ['x', 900])
        assert.equal((await openid.tokenIntrospection(machine, granted.access_token)).client_id, id)
        await openid.tokenRevocation(machine, granted.access_token)
        assert.equal((await openid.tokenIntrospection(machine, granted.access_token)).active, false)
        assert.equal(await standing(server.auth, granted.access_token), 'token_revoked')
      }
      const app = await configured(server, 'sealwax', openid.None())
      const session = await server.auth.sessions.create({ subject: 'ann' })
      const refreshed = await openid.refreshTokenGrant(app, session.refresh_token)
      assert.equal(await standing(server.auth, refreshed.access_token), 'accepted')
      await openid.tokenRevocation(app, refreshed.access_token)
      assert.equal(await standing(server.auth, refreshed.access_token), 'token_revoked')
      await assert.rejects(openid.refreshTokenGrant(app, refreshed.refresh_token as string), { error: 'invalid_grant' })
    })

    it('both libraries understand our refusals', async () => {
      await using server = await startOAuth(REAL, kind)
      const as = await discovered(server)
      const { id, secret } = await server.machine('x')
      const client = { client_id: id }
      const granted = async (method: oauth.ClientAuth, parameters: Record<string, string> = {}) => {
        const response = await oauth.clientCredentialsGrantRequest(as, client, method, parameters, plain)
        return oauth.processClientCredentialsResponse(as, client, response)
      }
      await assert.rejects(granted(oauth.ClientSecretBasic(secret), { scope: 'admin' }), {
        error: 'invalid_scope',
        status: 400,
      })
      // Every 401 has a challenge (RFC 9110 §15.5.2), and this client reads it instead of the body.
      for (const method of [oauth.ClientSecretPost('wrong'), oauth.ClientSecretBasic('wrong')]) {
        await assert.rejects(granted(method), (error: unknown) => {
          assert.ok(error instanceof oauth.WWWAuthenticateChallengeError)
          const [challenge] = error.cause
          return error.status === 401 && challenge?.scheme === 'basic' && challenge.parameters.realm === 'sealwax'
        })
      }
      await assert.rejects(openid.refreshTokenGrant(await configured(server, 'sealwax', openid.None()), 'swr_x'), {
        error: 'invalid_grant',
        error_description: 'This is not a refresh token',
      })
      await assert.rejects(
        openid.tokenIntrospection(await configured(server, id, openid.ClientSecretPost(secret)), 'x'),
        {
          error: 'insufficient_scope',
          status: 403,
        },
      )
    })
  })
}
