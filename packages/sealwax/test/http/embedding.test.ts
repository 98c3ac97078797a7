import assert from 'node:assert/strict'
import { Agent, request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { Hono } from 'hono'
import { protect } from '../../src/adapters/express.ts'
import { protect as protectHono } from '../../src/adapters/hono.ts'
import { toNodeHandler } from '../../src/http/node.ts'
import { type AuthOptions, type AuthServer, createAuth } from '../../src/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { assertProblem, call, listen, SECRET, tempDir } from '../server.ts'
import { assertOwnRoutes, credentials, walk } from './embedded.ts'

const dir = tempDir()
let auth: AuthServer
let under: AuthServer

function authWith(file: string, options: Partial<AuthOptions> = {}): Promise<AuthServer> {
  const store = sqliteStore(join(dir.path, file))
  return createAuth({ issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET, store, ...options })
}

before(async () => {
  auth = await authWith('root.db')
  under = await authWith('under.db', { basePath: '/auth' })
  for (const each of [auth, under]) await each.users.create({ id: 'user-123', ...credentials })
})
after(async () => {
  await auth.close()
  await under.close()
  dir[Symbol.dispose]()
})

/** An app with its own routes. `step` adds our handler before or after them. */
function expressApp(
  step: (app: Express) => void,
  server: AuthServer,
  { oursFirst = true, parse = true } = {},
): Express {
  const app = express()
  if (parse) app.use(express.json())
  if (oursFirst) step(app)
  app.get('/profile', protect(server.guard), (_request, response) => {
    response.json({ user_id: response.locals.auth.subject })
  })
  app.post('/own', express.json(), (request, response) => void response.json(request.body))
  if (!oursFirst) step(app)
  app.use((_request, response) => void response.status(404).send('the 404 of the app'))
  const failed: ErrorRequestHandler = (error, _request, response, _next) => {
    response.status(error.status ?? 500).send(`the error of the app: ${error.type}`)
  }
  return app.use(failed)
}

describe('in an Express app', () => {
  const arrangements: [name: string, options: { oursFirst?: boolean; parse?: boolean }][] = [
    ['after express.json(), before its routes', {}],
    ['after express.json() and after its routes', { oursFirst: false }],
    ['before its routes, without express.json()', { parse: false }],
    ['after its routes, without express.json()', { oursFirst: false, parse: false }],
  ]
  for (const [name, options] of arrangements) {
    it(name, async () => {
      await using app = await listen(expressApp((step) => step.use(toNodeHandler(auth)), auth, options))
      await walk(app.url)
      await assertOwnRoutes(app.url)
    })
  }

  it('mounted under a prefix', async () => {
    await using app = await listen(expressApp((step) => step.use('/api/auth', toNodeHandler(auth)), auth))
    await walk(app.url, '/api/auth')
    await assertOwnRoutes(app.url)
    assert.equal((await call(app.url, '/login', { json: credentials })).text, 'the 404 of the app')
    assert.equal((await call(app.url, '/api/auth/nothing')).text, 'the 404 of the app')
  })

  it('with a basePath, at the root', async () => {
    await using app = await listen(expressApp((step) => step.use(toNodeHandler(under)), under))
    await walk(app.url, '/auth')
    await assertOwnRoutes(app.url)
    assert.equal((await call(app.url, '/login', { json: credentials })).text, 'the 404 of the app')
    const { text } = await call(app.url, '/auth/.well-known/oauth-authorization-server')
    assert.equal(JSON.parse(text).jwks_uri, 'http://127.0.0.1:5000/auth/.well-known/jwks.json')
  })

  it('a body that express.json() refuses goes to the error handler of the app', async () => {
    await using app = await listen(expressApp((step) => step.use(toNodeHandler(auth)), auth))
    const { status, text } = await call(app.url, '/login', {
      body: '{"email',
      headers: { 'Content-Type': 'application/json' },
    })
    assert.deepEqual([status, text], [400, 'the error of the app: entity.parse.failed'])
  })

  it('without express.json(), a malformed body gets our problem document', async () => {
    await using app = await listen(expressApp((step) => step.use(toNodeHandler(auth)), auth, { parse: false }))
    const { status, body } = await call(app.url, '/login', {
      body: '{"email',
      headers: { 'Content-Type': 'application/json' },
    })
    assert.deepEqual([status, body.code], [400, 'malformed_json'])
  })

  it('bodies that other parsers have read are checked for type and size', async () => {
    const app = express()
      .use(
        express.urlencoded(),
        express.text(),
        express.json({ limit: '1mb', strict: false }),
        express.raw({ type: 'application/octet-stream' }),
      )
      .use(toNodeHandler(auth))
    await using served = await listen(app)
    const form = await call(served.url, '/login', { body: new URLSearchParams(credentials) })
    assert.deepEqual([form.status, form.body.code], [415, 'unsupported_media_type'])
    const text = await call(served.url, '/login', { body: JSON.stringify(credentials) })
    assert.deepEqual([text.status, text.body.code], [415, 'unsupported_media_type'])
    const large = await call(served.url, '/login', { json: { ...credentials, password: 'x'.repeat(20_000) } })
    assert.deepEqual([large.status, large.body.code], [413, 'payload_too_large'])
    for (const json of [false, 0, 7, []]) {
      const { status, body } = await call(served.url, '/login', { json })
      assert.deepEqual([json, status, body.code], [json, 422, 'validation_failed'])
    }
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(JSON.stringify(credentials)))
        controller.close()
      },
    })
    const chunked = await call(served.url, '/login', { body: stream, headers: { 'Content-Type': 'application/json' } })
    assert.equal(chunked.status, 200)
  })

  it('the empty object that older parsers set without a body counts as no body', async () => {
    const app = express()
      .use((request, _response, next) => {
        request.body = {}
        next()
      })
      .use(toNodeHandler(auth))
    await using served = await listen(app)
    const { access_token: token } = await auth.sessions.create({ subject: 'ann' })
    assert.equal((await call(served.url, '/logout', { method: 'POST', token })).status, 204)
  })

  it('a wrong method on one of our paths gets our 405 with Allow', async () => {
    await using app = await listen(expressApp((step) => step.use(toNodeHandler(auth)), auth))
    const { status, headers } = await call(app.url, '/login')
    assert.deepEqual([status, headers.get('Allow')], [405, 'POST'])
  })
})

describe('in a Hono app', () => {
  const own = (server: AuthServer) =>
    new Hono()
      .get('/profile', protectHono(server.guard), (c) => c.json({ user_id: c.var.auth.subject }))
      .post('/own', async (c) => c.json(await c.req.json()))
      .notFound((c) => c.text('the 404 of the app', 404))

  it('mounted under a prefix', async () => {
    const app = own(auth).mount('/auth', auth.fetch)
    await using served = await listen(nodeListener(app))
    await walk(served.url, '/auth')
    await assertOwnRoutes(served.url)
  })

  it('with a route for the basePath', async () => {
    const app = own(under).all('/auth/*', (c) => under.fetch(c.req.raw))
    await using served = await listen(nodeListener(app))
    await walk(served.url, '/auth')
    await assertOwnRoutes(served.url)
  })

  it('without a socket: Request in, Response out', async () => {
    const app = own(auth).mount('/auth', auth.fetch)
    const response = await app.request('/auth/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(credentials),
    })
    assert.equal(response.status, 200)
    const { access_token } = (await response.json()) as { access_token: string }
    const profile = await app.request('/profile', { headers: { Authorization: `Bearer ${access_token}` } })
    assert.deepEqual(await profile.json(), { user_id: 'user-123' })
  })
})

/** Serves a Hono app like its Node adapter. */
function nodeListener(app: Hono) {
  const handler = toNodeHandler({
    fetch: async (request: Request) => app.fetch(request),
    handles: () => true,
  } as unknown as AuthServer)
  return (...[request, response]: Parameters<typeof handler>) => handler(request, response)
}

describe('on bare node:http', () => {
  it('without next: an unknown path gets our 404', async () => {
    const handler = toNodeHandler(auth)
    await using served = await listen((request, response) => handler(request, response))
    const { status, body } = await call(served.url, '/nothing')
    assert.deepEqual([status, body.code], [404, 'not_found'])
  })

  it('with a basePath: a path outside it gets our 404 too', async () => {
    const handler = toNodeHandler(under)
    await using served = await listen((request, response) => handler(request, response))
    for (const path of ['/login', '/authx/login', '/']) assertProblem(await call(served.url, path), [404, 'not_found'])
  })

  it('with next: unknown paths are passed on', async () => {
    const handler = toNodeHandler(auth)
    await using served = await listen((request, response) =>
      handler(request, response, () => {
        response.end('mine')
      }),
    )
    assert.equal((await call(served.url, '/login?x=1', { json: credentials })).status, 200)
    for (const path of ['/', '/nothing', '/login/x', '/loginx'])
      assert.equal((await call(served.url, path)).text, 'mine')
  })

  it('a connection stays usable after every kind of error', async () => {
    const handler = toNodeHandler(auth)
    await using served = await listen((request, response) => handler(request, response))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number | undefined>()
    const send = (path: string, body: string, headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve, reject) => {
        const request = httpRequest(served.url + path, { method: 'POST', agent, headers }, (response) => {
          ports.add(request.socket?.localPort)
          response.resume().on('end', () => resolve(response.statusCode))
        })
        request.on('error', reject).end(body)
      })
    const json = { 'Content-Type': 'application/json' }
    const refusals: [path: string, body: string, headers: Record<string, string>, status: number][] = [
      ['/login', '{', json, 400],
      ['/login', 'a=b', { 'Content-Type': 'text/plain' }, 415],
      ['/login', 'x'.repeat(17_000), { ...json, 'Content-Length': '17000' }, 413],
      ['/nothing', '{}', json, 404],
      ['/me', '{}', json, 405],
      ['/login', JSON.stringify({ ...credentials, password: 'wrong' }), json, 401],
      ['/login', JSON.stringify(credentials), json, 200],
    ]
    for (const [path, body, headers, status] of refusals) assert.equal(await send(path, body, headers), status, path)
    agent.destroy()
    assert.equal(ports.size, 1)
  })
})

it('onRefusal is called for the refusals of auth.guard, and not for those of our own routes', async () => {
  const refused: string[] = []
  const server = await authWith('refusals.db', {
    onRefusal: (error, request) => refused.push(`${error.code} ${'headers' in request}`),
  })
  try {
    const app = expressApp((own) => own.use(toNodeHandler(server)), server)
    await using listening = await listen(app)
    assert.equal((await fetch(`${listening.url}/profile`)).status, 401)
    const headers = { Authorization: 'Bearer x' }
    assert.equal((await fetch(`${listening.url}/profile`, { headers })).status, 401)
    assert.equal((await fetch(`${listening.url}/me`, { headers })).status, 401)
    assert.deepEqual(refused, ['token_missing true', 'token_malformed true'])
  } finally {
    await server.close()
  }
})
