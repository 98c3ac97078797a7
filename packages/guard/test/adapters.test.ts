import assert from 'node:assert/strict'
import { createServer, request as httpRequest } from 'node:http'
import { test } from 'node:test'
import express from 'express'
import { Hono } from 'hono'
import { protect as protectExpress } from '../src/adapters/express.ts'
import { protect as protectHono } from '../src/adapters/hono.ts'
import { protect as protectNode } from '../src/adapters/node.ts'
import type { Requirement } from '../src/index.ts'
import { originOf, sites } from './sites.ts'
import { guardWith, ISSUED, tokenFor } from './tokens.ts'

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

for (const site of sites) {
  test(`${site.name}: a request with a valid token reaches the handler with auth`, async (t) => {
    const origin = await site.start(t, guardWith(), [{ scope: 'orders:read' }], [])
    const response = await fetch(origin, bearer(tokenFor({ scope: 'orders:read' })))
    assert.equal(response.status, 200)
    assert.equal(await response.text(), 'user-123')
  })

  test(`${site.name}: a refusal has status, challenge and problem body; earlier header fields are kept`, async (t) => {
    const thrown: unknown[] = []
    const origin = await site.start(t, guardWith({ now: () => (ISSUED + 937) * 1000 }), [], thrown)
    const response = await fetch(origin, bearer(tokenFor()))
    assert.equal(response.status, 401)
    assert.equal(
      response.headers.get('www-authenticate'),
      'Bearer realm="api", error="invalid_token", error_description="Token has expired"',
    )
    assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json(; charset=utf-8)?$/)
    assert.equal(response.headers.get('cache-control'), 'no-store')
    assert.equal(response.headers.get('x-before'), 'kept')
    assert.deepEqual(await response.json(), {
      type: 'urn:sealwax:error:token_expired',
      title: 'Token has expired',
      status: 401,
      detail: 'The access token expired 37 seconds ago.',
      code: 'token_expired',
      error: 'Token has expired',
    })
    assert.equal(thrown.length, 0)
  })

  test(`${site.name}: a missing token, an invalid header, insufficient scope and missing keys each have their own response`, async (t) => {
    const origin = await site.start(t, guardWith(), [{ scope: 'orders:read' }], [])
    const missing = await fetch(origin)
    assert.equal(missing.status, 401)
    assert.equal(missing.headers.get('www-authenticate'), 'Bearer realm="api"')
    assert.equal(((await missing.json()) as { error: string }).error, 'Missing bearer token')

    const query = await fetch(`${origin}/?access_token=${tokenFor({ scope: 'orders:read' })}`)
    assert.equal(query.headers.get('www-authenticate'), 'Bearer realm="api"')

    const malformed = await fetch(origin, { headers: { authorization: 'Bearer' } })
    assert.equal(malformed.status, 400)
    assert.match(malformed.headers.get('www-authenticate') ?? '', /error="invalid_request"/)

    const scope = await fetch(origin, bearer(tokenFor()))
    assert.equal(scope.status, 403)
    assert.match(scope.headers.get('www-authenticate') ?? '', /error="insufficient_scope", .*scope="orders:read"$/)

    const keyless = guardWith({ keys: () => assert.fail('no keys yet') })
    const unavailable = await fetch(await site.start(t, keyless, [], []), bearer(tokenFor()))
    assert.equal(unavailable.status, 503)
    assert.equal(unavailable.headers.get('retry-after'), '5')
    assert.equal(unavailable.headers.get('www-authenticate'), null)
  })

  test(`${site.name}: two Authorization header fields are refused`, async (t) => {
    const origin = await site.start(t, guardWith(), [], [])
    const value = `Bearer ${tokenFor()}`
    const status = await new Promise((resolve, reject) => {
      const headers = ['Host', 'localhost', 'Connection', 'close', 'Authorization', value, 'authorization', value]
      httpRequest(origin, { headers }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end()
    })
    assert.equal(status, 400)
  })

  test(`${site.name}: a refused HEAD request has the header fields and no body`, async (t) => {
    const origin = await site.start(t, guardWith(), [], [])
    const response = await fetch(origin, { method: 'HEAD' })
    assert.equal(response.status, 401)
    assert.equal(response.headers.get('www-authenticate'), 'Bearer realm="api"')
    assert.equal(await response.text(), '')
  })

  test(`${site.name}: optional accepts a request without a token, but not one with an invalid token`, async (t) => {
    const origin = await site.start(t, guardWith(), [{ optional: true }], [])
    assert.equal(await (await fetch(origin)).text(), 'nobody')
    assert.equal(await (await fetch(origin, bearer(tokenFor()))).text(), 'user-123')
    assert.equal((await fetch(origin, bearer('abc'))).status, 401)
  })

  test(`${site.name}: an error that is not a refusal goes to the error handling of the framework`, async (t) => {
    const thrown: unknown[] = []
    const mistake = new Error('the database is gone')
    const check = () => {
      throw mistake
    }
    const origin = await site.start(t, guardWith(), [{ check }], thrown)
    assert.equal((await fetch(origin, bearer(tokenFor()))).status, 500)
    assert.deepEqual(thrown, [mistake])
  })

  test(`${site.name}: an invalid requirement throws when the route is created`, async (t) => {
    for (const requirement of [{ scopes: ['a'] }, { scope: [] }, { scope: undefined }, undefined]) {
      await assert.rejects(async () => site.start(t, guardWith(), [requirement as Requirement], []), TypeError)
    }
  })
}

test('express: sets req.auth and res.locals.auth, and check gets the parameters of the route', async (t) => {
  const app = express()
  const own = protectExpress(guardWith(), { check: (auth, req) => req.params.id === auth.subject })
  app.get('/users/:id', own, (req, res) => {
    res.json({ same: Reflect.get(req, 'auth') === res.locals.auth, id: req.params.id })
  })
  const origin = await originOf(t, app.listen(0, '127.0.0.1'))
  const allowed = await fetch(`${origin}/users/user-123`, bearer(tokenFor()))
  assert.deepEqual(await allowed.json(), { same: true, id: 'user-123' })
  const denied = await fetch(`${origin}/users/user-124`, bearer(tokenFor()))
  assert.equal(denied.status, 403)
  assert.equal(denied.headers.get('www-authenticate'), null)
})

test('express: app.use protects everything behind it, and a route can require more', async (t) => {
  const guard = guardWith()
  const app = express()
  app.get('/open', (_req, res) => void res.send('open'))
  app.use(protectExpress(guard))
  app.get('/closed', (_req, res) => void res.send(res.locals.auth.subject))
  app.get('/admin', protectExpress(guard, { role: 'admin' }), (_req, res) => void res.send('admin'))
  const origin = await originOf(t, app.listen(0, '127.0.0.1'))
  assert.equal((await fetch(`${origin}/open`)).status, 200)
  assert.equal((await fetch(`${origin}/closed`)).status, 401)
  assert.equal((await fetch(`${origin}/nowhere`)).status, 401)
  assert.equal(await (await fetch(`${origin}/closed`, bearer(tokenFor()))).text(), 'user-123')
  assert.equal((await fetch(`${origin}/admin`, bearer(tokenFor({ roles: ['user'] })))).status, 403)
  assert.equal((await fetch(`${origin}/admin`, bearer(tokenFor({ roles: ['admin'] })))).status, 200)
})

test('express: an auth that a client or earlier middleware has set is replaced', async (t) => {
  const app = express()
  app.use((req, res, next) => {
    res.locals.auth = { subject: 'root' }
    Object.assign(req, { auth: { subject: 'root' } })
    next()
  })
  app.get('/', protectExpress(guardWith(), { optional: true }), (req, res) => {
    res.json([Reflect.get(req, 'auth') === undefined, res.locals.auth === undefined])
  })
  const origin = await originOf(t, app.listen(0, '127.0.0.1'))
  assert.deepEqual(await (await fetch(origin)).json(), [true, true])
})

test('hono: app.use protects, and works without a socket', async () => {
  const app = new Hono()
  app.use('/api/*', protectHono(guardWith(), { role: ['admin', 'editor'] }))
  app.get('/api/me', (c) => c.json({ ok: true }))
  assert.equal((await app.request('/api/me')).status, 401)
  assert.equal((await app.request('/api/me', bearer(tokenFor({ roles: ['editor'] })))).status, 200)
  assert.equal((await app.request('/api/me', bearer(tokenFor({ roles: ['reader'] })))).status, 403)
})

test('node: the requirement may be left out, the handler may not', async (t) => {
  const guard = guardWith()
  const listener = protectNode(guard, async (_req, res, auth) => {
    res.end(auth.subject)
  })
  const origin = await originOf(t, createServer(listener).listen(0, '127.0.0.1'))
  assert.equal(await (await fetch(origin, bearer(tokenFor()))).text(), 'user-123')
  assert.equal((await fetch(origin)).status, 401)
  const untyped = protectNode as (...parameters: unknown[]) => unknown
  assert.throws(() => untyped(guard), TypeError)
  assert.throws(() => untyped(guard, { scope: 'a' }), TypeError)
  assert.throws(() => untyped(guard, undefined, () => {}), TypeError)
})
