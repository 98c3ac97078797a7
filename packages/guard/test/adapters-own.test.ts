import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { type ExecutionContext, HttpException } from '@nestjs/common'
import fastify from 'fastify'
import Koa from 'koa'
import { protect as protectExpress } from '../src/adapters/express.ts'
import { protect as protectFastify } from '../src/adapters/fastify.ts'
import { protect as protectFetch } from '../src/adapters/fetch.ts'
import { protect as protectKoa } from '../src/adapters/koa.ts'
import { protect as protectNest } from '../src/adapters/nest.ts'
import { protect as protectNode } from '../src/adapters/node.ts'
import type { Auth } from '../src/index.ts'
import { GuardError } from '../src/index.ts'
import { originOf } from './sites.ts'
import { bearing, guardWith, tokenFor } from './tokens.ts'

/** A Node request and its response, without a connection. */
function nodePair(token: string | undefined) {
  const req = new IncomingMessage(new Socket())
  if (token !== undefined) req.headers.authorization = `Bearer ${token}`
  req.rawHeaders.push(...Object.entries(req.headers).flatMap(([name, value]) => [name, String(value)]))
  return { req, res: new ServerResponse(req) }
}

/** The part of Nest's context that this guard reads. */
function nestContext(request: object, response: object, type = 'http'): ExecutionContext {
  const http = { getRequest: () => request, getResponse: () => response }
  return { getType: () => type, switchToHttp: () => http } as unknown as ExecutionContext
}

test('adapters: if nothing must be awaited, every adapter responds without a promise', () => {
  const guard = guardWith()
  for (const [token, passes] of [
    [tokenFor(), 1],
    [undefined, 0],
  ] as const) {
    const { req, res } = nodePair(token)
    let passed = 0
    const pass = () => {
      passed++
    }
    assert.equal(
      protectExpress(guard)(req, Object.assign(res, { locals: { auth: undefined as never } }), pass),
      undefined,
    )
    assert.equal(passed, passes, 'express')
    assert.equal(res.writableEnded, passes === 0)
    const node = nodePair(token)
    protectNode(guard, pass)(node.req, node.res)
    assert.equal(passed, 2 * passes, 'node')
    const answer = protectFetch(
      guard,
      () => new Response('ok'),
    )(new Request('http://localhost/', token === undefined ? {} : bearing(token)))
    assert.ok(answer instanceof Response)
    assert.equal(answer.status, passes === 1 ? 200 : 401)
  }
  const { req, res } = nodePair(tokenFor())
  assert.equal(new (protectNest(guard))().canActivate(nestContext(req, res)), true)
})

test('adapters: what a handler throws is not treated as a refusal, even if it is a GuardError', async () => {
  const inner = new GuardError('check_failed')
  const handler = () => {
    throw inner
  }
  const { req, res } = nodePair(tokenFor())
  assert.throws(() => protectNode(guardWith(), handler)(req, res), inner)
  assert.throws(() => protectFetch(guardWith(), handler)(new Request('http://localhost/', bearing(tokenFor()))), inner)
})

test('fastify: check gets the parameters of the route, and addHook protects only its plugin', async (t) => {
  const app = fastify()
  t.after(() => app.close())
  const own = protectFastify(guardWith(), { check: (auth, request) => Object(request.params).id === auth.subject })
  app.get('/users/:id', { onRequest: own }, (request) => request.auth.subject)
  app.get('/open', (request) => ({ auth: request.auth === undefined }))
  app.register((plugin, _options, done) => {
    plugin.addHook('onRequest', protectFastify(guardWith()))
    plugin.get<{ Auth: Auth }>('/closed', (request) => request.auth.subject)
    done()
  })
  assert.equal((await app.inject({ url: '/users/user-123', ...bearing(tokenFor()) })).body, 'user-123')
  assert.equal((await app.inject({ url: '/users/user-124', ...bearing(tokenFor()) })).statusCode, 403)
  assert.deepEqual((await app.inject({ url: '/open', ...bearing(tokenFor()) })).json(), { auth: true })
  assert.equal((await app.inject('/closed')).statusCode, 401)
  assert.equal((await app.inject({ url: '/closed', ...bearing(tokenFor()) })).body, 'user-123')
})

test('koa: check gets the context, and onRefusal the request as it was sent', async (t) => {
  const seen: unknown[] = []
  const guard = guardWith({ onRefusal: (error, request) => void seen.push([error.code, request.method, request.url]) })
  const app = new Koa()
  app.use(protectKoa(guard, { check: (auth, ctx) => ctx.query.user === auth.subject })).use((ctx) => {
    ctx.body = ctx.state.auth.subject
  })
  const origin = await originOf(t, app.listen(0, '127.0.0.1'))
  assert.equal(await (await fetch(`${origin}/?user=user-123`, bearing(tokenFor()))).text(), 'user-123')
  assert.equal((await fetch(`${origin}/?user=root`, bearing(tokenFor()))).status, 403)
  assert.deepEqual(seen, [['check_failed', 'GET', '/?user=root']])
})

test('nest: a refusal is an HttpException with the problem, and the GuardError as its cause', () => {
  const fields: Record<string, string> = {}
  const reply = { header: (name: string, value: string) => Reflect.set(fields, name, value) }
  const canActivate = () => new (protectNest(guardWith()))().canActivate(nestContext(nodePair(undefined).req, reply))
  assert.throws(canActivate, (error) => {
    assert.ok(error instanceof HttpException)
    assert.ok(error.cause instanceof GuardError)
    assert.equal(error.getStatus(), 401)
    assert.deepEqual(error.getResponse(), error.cause.problem())
    return true
  })
  assert.equal(fields['WWW-Authenticate'], 'Bearer realm="api"')
  assert.equal(fields['Content-Type'], 'application/problem+json')
})

test('nest: under Fastify the header fields are read from the raw request', () => {
  const { req } = nodePair(tokenFor())
  const request = { raw: req, headers: {}, auth: undefined }
  assert.equal(new (protectNest(guardWith()))().canActivate(nestContext(request, {})), true)
  assert.equal(Object(request.auth).subject, 'user-123')
})

test('nest: contexts other than HTTP are refused', () => {
  for (const type of ['rpc', 'ws', 'graphql']) {
    const { req, res } = nodePair(tokenFor())
    assert.throws(() => new (protectNest(guardWith()))().canActivate(nestContext(req, res, type)), TypeError)
  }
})

test('fetch: accepts an event with the request, and passes on the arguments of the runtime', async () => {
  const own = protectFetch(
    guardWith(),
    (event: { request: Request; id: string }, auth) => new Response(event.id + auth.subject),
  )
  const request = () => new Request('http://localhost/', bearing(tokenFor()))
  assert.equal(await (await own({ request: request(), id: '1-' })).text(), '1-user-123')
  assert.equal((await own({ request: new Request('http://localhost/'), id: '1-' })).status, 401)
  const worker = protectFetch(
    guardWith(),
    (_request, auth, env: string, context: string) => new Response(auth.subject + env + context),
  )
  assert.equal(await (await worker(request(), '-env', '-context')).text(), 'user-123-env-context')
  const untyped = protectFetch as (...parameters: unknown[]) => unknown
  assert.throws(() => untyped(guardWith(), { scope: 'a' }), TypeError)
  assert.throws(() => untyped(guardWith(), undefined, () => new Response()), TypeError)
})
