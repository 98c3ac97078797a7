import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import type { JwtPayload } from '@sealwax/jwt'
import express, { type ErrorRequestHandler } from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { protect as protectExpress } from '../src/adapters/express.ts'
import { protect as protectFastify } from '../src/adapters/fastify.ts'
import { protect as protectFetch } from '../src/adapters/fetch.ts'
import { protect as protectHono } from '../src/adapters/hono.ts'
import { protect as protectKoa } from '../src/adapters/koa.ts'
import { protect as protectNode } from '../src/adapters/node.ts'
import { type Guard, GuardError } from '../src/index.ts'
import { type Closing, originOf } from './sites.ts'
import { guardWith, key, tokenFor } from './tokens.ts'

/** How a site answers a refusal: with its own body, or by its error handler. */
type Answer = 'own body' | 'thrown'

interface Site {
  readonly name: string
  start(t: Closing, guard: Guard, answer: Answer, seen: unknown[]): Promise<string>
}

const requirement = { scope: 'orders:read' } as const
const text = (error: GuardError) => `no entry: ${error.code}`

/** What each `onRefused` does first. Asynchronous, since an application may look something up. */
async function decide(error: GuardError, answer: Answer): Promise<string> {
  await delay(1)
  if (answer === 'thrown') throw error
  return text(error)
}

const sites: readonly Site[] = [
  {
    name: 'express',
    async start(t, guard, answer, seen) {
      const app = express()
      const onRefused = async (error: GuardError, req: express.Request, res: express.Response) => {
        assert.equal(req.method, 'GET')
        res.type('text').send(await decide(error, answer))
      }
      app.get('/', protectExpress(guard, requirement, { onRefused }), (_req, res) => void res.send('in'))
      const failed: ErrorRequestHandler = (error, _req, res, _next) => {
        seen.push(error)
        res.status(418).end()
      }
      app.use(failed)
      return originOf(t, app.listen(0, '127.0.0.1'))
    },
  },
  {
    name: 'fastify',
    async start(t, guard, answer, seen) {
      const app = fastify()
      const hook = protectFastify(guard, requirement, {
        async onRefused(error, request, reply) {
          assert.equal(request.method, 'GET')
          return reply.type('text/plain').send(await decide(error, answer))
        },
      })
      app.get('/', { onRequest: hook }, () => 'in')
      app.setErrorHandler((error, _request, reply) => {
        seen.push(error)
        return reply.code(418).send()
      })
      t.after(() => app.close())
      return app.listen({ port: 0, host: '127.0.0.1' })
    },
  },
  {
    name: 'hono',
    async start(t, guard, answer, seen) {
      const app = new Hono()
      const own = protectHono(guard, requirement, {
        async onRefused(error, c) {
          return c.text(await decide(error, answer))
        },
      })
      app.get('/', own, (c) => c.text('in'))
      app.onError((error, c) => {
        seen.push(error)
        return c.body(null, 418)
      })
      return originOf(t, serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server)
    },
  },
  {
    name: 'koa',
    async start(t, guard, answer, seen) {
      const app = new Koa()
      app.use(async (ctx, next) => {
        try {
          await next()
        } catch (error) {
          seen.push(error)
          ctx.status = 418
        }
      })
      const own = protectKoa(guard, requirement, {
        async onRefused(error, ctx) {
          ctx.body = await decide(error, answer)
        },
      })
      app.use(own).use((ctx) => {
        ctx.body = 'in'
      })
      return originOf(t, app.listen(0, '127.0.0.1'))
    },
  },
  {
    name: 'node',
    async start(t, guard, answer, seen) {
      const onRefused = async (error: GuardError, _req: unknown, res: { end(body: string): unknown }) =>
        res.end(await decide(error, answer))
      const listener = protectNode(guard, requirement, { onRefused }, (_req, res) => res.end('in'))
      const outer = async (...[req, res]: Parameters<typeof listener>) => {
        try {
          await listener(req, res)
        } catch (error) {
          seen.push(error)
          res.writeHead(418).end()
        }
      }
      return originOf(t, createServer(outer).listen(0, '127.0.0.1'))
    },
  },
  {
    name: 'fetch',
    async start(t, guard, answer, seen) {
      const onRefused = async (error: GuardError, request: Request) => {
        assert.equal(request.method, 'GET')
        return new Response(await decide(error, answer), error)
      }
      const handler = protectFetch(guard, requirement, { onRefused }, () => new Response('in'))
      const outer = async (request: Request) => {
        try {
          return await handler(request)
        } catch (error) {
          seen.push(error)
          return new Response(null, { status: 418 })
        }
      }
      return originOf(t, serve({ fetch: outer, port: 0, hostname: '127.0.0.1' }) as Server)
    },
  },
]

/** One that decides at once, and one that has to wait for its keys. */
const guards = {
  'at once': guardWith(),
  'after a wait': guardWith({ keys: { keysFor: () => delay(1, key), close() {} } }),
}

const bearer = (claims: JwtPayload) => ({ headers: { authorization: `Bearer ${tokenFor(claims)}` } })

for (const { name, start } of sites) {
  for (const [when, guard] of Object.entries(guards)) {
    test(`${name}: onRefused answers a refusal ${when}, with status and challenge already set`, async (t) => {
      const origin = await start(t, guard, 'own body', [])
      const reply = await fetch(origin, bearer({}))
      assert.equal(reply.status, 403)
      assert.match(reply.headers.get('www-authenticate') ?? '', /error="insufficient_scope".*scope="orders:read"$/)
      assert.equal(reply.headers.get('cache-control'), 'no-store')
      assert.doesNotMatch(reply.headers.get('content-type') ?? '', /problem/)
      assert.equal(await reply.text(), 'no entry: insufficient_scope')
      assert.equal((await fetch(origin)).status, 401)
      assert.equal(await (await fetch(origin, bearer({ scope: 'orders:read' }))).text(), 'in')
    })

    test(`${name}: what onRefused throws ${when} goes to the error handling of the framework`, async (t) => {
      const seen: unknown[] = []
      const reply = await fetch(await start(t, guard, 'thrown', seen), bearer({}))
      assert.equal(reply.status, 418)
      assert.ok(seen[0] instanceof GuardError)
      assert.equal(seen[0].code, 'insufficient_scope')
      assert.equal(seen.length, 1)
    })
  }
}

test('protect: options that are unknown or not a function are refused when the route is created', () => {
  const wrong: readonly [options: unknown, message: string][] = [
    [{ onRefuse() {} }, 'protect: there is no option "options.onRefuse"; write onRefused'],
    [
      { onRefused: 'next' },
      'protect: options.onRefused must be a function of the error and the arguments of a handler (got a string)',
    ],
    [undefined, 'protect: options must be an object such as { onRefused } (got undefined)'],
  ]
  const adapters = [protectExpress, protectFastify, protectHono, protectKoa, protectNode, protectFetch]
  for (const protect of adapters as ((...args: unknown[]) => unknown)[]) {
    for (const [options, message] of wrong) {
      const handler = protect === protectNode || protect === protectFetch ? [() => {}] : []
      assert.throws(() => protect(guardWith(), {}, options, ...handler), { name: 'TypeError', message })
    }
  }
})
