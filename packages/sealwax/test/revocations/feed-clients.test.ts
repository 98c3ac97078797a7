import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createGuard, type FeedReport } from '@sealwax/guard'
import { toNodeHandler } from '../../src/http/node.ts'
import { createAuth } from '../../src/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { assertProblem, call, listen, SECRET, startAuth, tempDir } from '../server.ts'

const PATH = '/.well-known/revocations'

test('a feed for clients cannot be read without a token, by users or by clients without the scope', async () => {
  await using server = await startAuth({ revocationFeed: 'clients' })
  // Not checked against the OpenAPI document, which describes a public feed.
  const read = (token?: string) => call(server.url, PATH, token === undefined ? {} : { token })
  const tokenOf = async (scopes: readonly string[]) => {
    const { client, secret } = await server.auth.clients.create({ name: 'orders api', scopes })
    const form = { grant_type: 'client_credentials', client_id: client.id, client_secret: secret }
    return (await server.call('/oauth/token', { body: new URLSearchParams(form) })).body.access_token
  }
  assertProblem(await read(), [401, 'token_missing'])
  assertProblem(await read('x.y.z'), [401, 'token_malformed'])
  assertProblem(await call(server.url, `${PATH}?after=${'1'.repeat(200)}`), [401, 'token_missing'])
  const user = await server.auth.sessions.create({ subject: 'u', scope: 'revocations:read' })
  const refused = await read(user.access_token)
  assertProblem(refused, [403, 'insufficient_scope'])
  assert.match(refused.headers.get('WWW-Authenticate') ?? '', /scope="revocations:read"/)
  assertProblem(await read(await tokenOf(['introspect'])), [403, 'insufficient_scope'])
  const good = await read(await tokenOf(['introspect', 'revocations:read']))
  assert.equal(good.status, 200)
  assert.deepEqual(JSON.parse(good.text).entries, [])
  const document = JSON.parse((await server.call('/openapi.json')).text)
  assert.deepEqual(document.paths[PATH].get.security, [{ bearer: [] }])
  assert.equal((await server.call('/.well-known/oauth-authorization-server')).status, 200)
})

test('a public feed requires no authentication, and the OpenAPI document lists none', async () => {
  await using server = await startAuth()
  assert.equal((await server.call(PATH)).status, 200)
  const document = JSON.parse((await server.call('/openapi.json')).text)
  assert.deepEqual(document.paths[PATH].get.security, [])
})

for (const given of ['found in the metadata', 'given']) {
  test(`a guard with client credentials follows a feed for clients, URL ${given}, and requests a new token when its own is stale`, async (t) => {
    using dir = tempDir()
    await using server = await listen(() => {})
    const store = sqliteStore(`${dir.path}/auth.db`)
    const auth = await createAuth({
      ...{ issuer: server.url, audience: 'api', secret: SECRET, store, revocationFeed: 'clients' },
    })
    t.after(() => auth.close())
    let asked = 0
    const handler = toNodeHandler(auth)
    server.server.on('request', (request, response) => {
      if (request.url === '/oauth/token') asked += 1
      handler(request, response)
    })
    const { client, secret } = await auth.clients.create({ name: 'orders api', scopes: ['revocations:read'] })
    const reports: FeedReport[] = []
    const guard = createGuard({
      issuer: server.url,
      audience: 'api',
      revocation: {
        ...(given === 'given' && { url: `${server.url}${PATH}` }),
        client: { id: client.id, secret },
        onFeed: (report) => reports.push(report),
      },
    })
    t.after(() => guard.close())
    const standing = async (token: string) => {
      try {
        await guard.authenticate({ headers: { authorization: `Bearer ${token}` } })
        return 'accepted'
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    const eventually = async (expected: string, token: string) => {
      for (let i = 0; i < 400 && (await standing(token)) !== expected; i += 1) await delay(10)
      assert.equal(await standing(token), expected)
    }
    const [one, two] = [await auth.sessions.create({ subject: 'u' }), await auth.sessions.create({ subject: 'u' })]
    assert.equal(await standing(one.access_token), 'accepted')
    await auth.sessions.revoke(one.session.id)
    await eventually('token_revoked', one.access_token)
    assert.equal(asked, 1)
    // From here on its token is stale, and its credentials are still valid.
    await auth.clients.disable(client.id)
    await auth.clients.enable(client.id)
    await auth.sessions.revoke(two.session.id)
    await eventually('token_revoked', two.access_token)
    for (let i = 0; i < 400 && asked < 2; i += 1) await delay(10)
    assert.equal(asked, 2)
    assert.ok(reports.every(({ error }) => error === undefined))
    await auth.clients.disable(client.id)
    // The feed may refuse the old token first.
    const refused = () =>
      reports.some(({ error }) => /token endpoint responded with 401 invalid_client/.test(String(error)))
    for (let i = 0; i < 400 && !refused(); i += 1) await delay(10)
    assert.ok(refused(), reports.map(({ error }) => String(error)).join())
    assert.ok(!JSON.stringify(reports.map(({ error }) => [String(error), error])).includes(secret))
    assert.equal((await call(server.url, PATH)).status, 401)
  })
}
