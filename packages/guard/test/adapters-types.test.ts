import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import Koa from 'koa'
import { protect as protectFastify } from '../src/adapters/fastify.ts'
import { protect as protectFetch } from '../src/adapters/fetch.ts'
import { protect as protectKoa } from '../src/adapters/koa.ts'
import { type ProtectedRequest, protect as protectNest } from '../src/adapters/nest.ts'
import type { Auth } from '../src/index.ts'
import { guardWith } from './tokens.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Does not compile unless the value has exactly the type. */
function hasType<Expected>() {
  return <Actual>(_value: Actual, ..._proof: Same<Actual, Expected> extends true ? [] : [never]): void => {}
}

// The compiler checks these functions; they are never called.

function fastifyRoutes(app: FastifyInstance) {
  const guard = guardWith()
  app.get('/profile', { onRequest: protectFastify(guard) }, (request) => {
    hasType<Auth>()(request.auth)
    return request.auth.subject
  })
  app.get('/orders', { onRequest: [protectFastify(guard, { scope: 'a' })] }, async (request) => request.auth.subject)
  app.get('/', { onRequest: protectFastify(guard, { optional: true }) }, (request) => {
    hasType<Auth | undefined>()(request.auth)
    // @ts-expect-error: auth may be undefined
    return request.auth.subject
  })
  app.get('/open', (request) => {
    hasType<undefined>()(request.auth)
    // @ts-expect-error: not a guarded route
    return request.auth.subject
  })
  // explicit types also name Auth
  app.get<{ Params: { id: string }; Auth: Auth }>('/a/:id', { onRequest: protectFastify(guard) }, (request) => {
    hasType<Auth>()(request.auth)
    hasType<string>()(request.params.id)
  })
  app.get<{ Params: { id: string } }>('/b/:id', { onRequest: protectFastify(guard) }, (request) => request.params.id)
  app.route<{ Auth: Auth }>({
    method: 'GET',
    url: '/r',
    onRequest: protectFastify(guard),
    handler: (request) => request.auth.subject,
  })
  app.addHook('onRequest', protectFastify(guard))
  protectFastify(guard, { check: (auth, request) => request.url === auth.subject })
  // @ts-expect-error: not a member
  protectFastify(guard, { scopes: 'a' })
  // @ts-expect-error: an unknown requirement would be ignored
  protectFastify(guard, undefined)
}

function koaMiddleware() {
  const guard = guardWith()
  const app = new Koa<object>()
  app.use((ctx) => {
    // @ts-expect-error: not behind protect
    ctx.body = ctx.state.auth
  })
  app.use(protectKoa(guard)).use((ctx) => {
    hasType<Auth>()(ctx.state.auth)
    ctx.body = ctx.state.auth.subject
  })
  app.use(protectKoa(guard, { optional: true })).use((ctx) => {
    hasType<Auth | undefined>()(ctx.state.auth)
    // @ts-expect-error: auth may be undefined
    ctx.body = ctx.state.auth.subject
  })
  // without an explicit type, Koa's state is any before protect, and known behind it
  new Koa().use(protectKoa(guard)).use((ctx) => {
    // @ts-expect-error: not a member of Auth
    ctx.body = ctx.state.auth.nobody
  })
  new Koa<{ tenant: string }>().use(protectKoa(guard)).use((ctx) => hasType<string>()(ctx.state.tenant))
  protectKoa(guard, { check: (auth, ctx) => ctx.path === auth.subject })
  protectKoa(guard, { check: async (auth, ctx) => ctx.path === auth.subject })
  // @ts-expect-error: a promise of something else
  protectKoa(guard, { check: async () => 'yes' })
}

interface Context {
  readonly params: Promise<{ id: string }>
}

function fetchHandlers() {
  const guard = guardWith()
  // Bun, Deno, Hono: only the request
  const plain = protectFetch(guard, (request, auth) => {
    hasType<Request>()(request)
    hasType<Auth>()(auth)
    return Response.json(auth.subject)
  })
  hasType<(request: Request) => Response | Promise<Response>>()(plain)
  protectFetch(guard, { scope: 'a' }, (_request, auth) => Response.json(auth.subject))
  protectFetch(guard, { optional: true }, (_request, auth) => {
    hasType<Auth | undefined>()(auth)
    // @ts-expect-error: auth may be undefined
    return Response.json(auth.subject)
  })
  // Next: a second argument
  const next = protectFetch(guard, async (request, auth, { params }: Context) => {
    hasType<Request>()(request)
    return Response.json([(await params).id, auth.subject])
  })
  hasType<(request: Request, context: Context) => Response | Promise<Response>>()(next)
  // SvelteKit: an event that contains the request
  const event = protectFetch(guard, { role: 'a' }, (own: { request: Request; locals: object }, auth) => {
    hasType<Auth>()(auth)
    return Response.json(own.locals)
  })
  hasType<(event: { request: Request; locals: object }) => Response | Promise<Response>>()(event)
  // Workers: environment and context
  protectFetch(guard, (_request, auth, env: { DB: string }, _context: object) => Response.json([env.DB, auth.subject]))
  // @ts-expect-error: no handler
  protectFetch(guard, { scope: 'a' })
  // @ts-expect-error: a handler of another type
  protectFetch(guard, (own: { url: string }) => Response.json(own.url))
}

function nestControllers() {
  const guard = guardWith()
  const controller = {
    profile: (request: ProtectedRequest) => hasType<Auth>()(request.auth),
    own: (request: ProtectedRequest<{ body: string }, Auth | undefined>) => {
      hasType<string>()(request.body)
      // @ts-expect-error: auth may be undefined
      return request.auth.subject
    },
  }
  protectNest(guard, { check: (auth, request) => request.params.id === auth.subject })
  // @ts-expect-error: not a member
  protectNest(guard, { roles: 'admin' })
  return controller
}

test('types: tsc checks what must compile and what must not; the functions are only referenced here', () => {
  for (const proof of [fastifyRoutes, koaMiddleware, fetchHandlers, nestControllers])
    assert.equal(typeof proof, 'function')
})

/** The entry points of a package, as a user writes them. */
function entriesOf(name: 'jwt' | 'guard'): string[] {
  const manifest = JSON.parse(readFileSync(new URL(`../../${name}/package.json`, import.meta.url), 'utf8'))
  return Object.keys(manifest.exports).map((path) => `@sealwax/${name}${path.slice(1)}`)
}

test('package: every entry of jwt and guard works with require(): none has a top-level await', () => {
  const entries = [...entriesOf('jwt'), ...entriesOf('guard')]
  assert.ok(
    entries.includes('@sealwax/guard/nest') && entries.includes('@sealwax/guard/testing') && entries.length >= 11,
  )
  const script = `for (const entry of ${JSON.stringify(entries)}) console.log(entry, typeof require(entry))`
  const flags = ['--conditions=@sealwax/source', '--input-type=commonjs', '--eval', script]
  const printed = execFileSync(process.execPath, flags, { encoding: 'utf8', cwd: new URL('..', import.meta.url) })
  assert.deepEqual(
    printed.trim().split('\n'),
    entries.map((entry) => `${entry} object`),
  )
})

test('package: every framework has an entry that exports protect, and sealwax exports the same function', async () => {
  for (const framework of ['express', 'fastify', 'fetch', 'hono', 'koa', 'nest', 'node']) {
    const own = await import(`@sealwax/guard/${framework}`)
    assert.equal(typeof own.protect, 'function', framework)
    // sealwax/node is the handler of the server; protect for node:http is in the guard package.
    if (framework !== 'node') assert.equal((await import(`sealwax/${framework}`)).protect, own.protect, framework)
  }
})
