import 'reflect-metadata'
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Body, Catch, Controller, Get, HttpCode, Module, NotFoundException, Post, Req, UseGuards } from '@nestjs/common'
import { BaseExceptionFilter, HttpAdapterHost, NestFactory } from '@nestjs/core'
import type { Response as ExpressResponse } from 'express'
import fastify from 'fastify'
import Koa from 'koa'
import { protect as protectFastify } from '../../src/adapters/fastify.ts'
import { protect as protectFetch } from '../../src/adapters/fetch.ts'
import { protect as protectKoa } from '../../src/adapters/koa.ts'
import { type ProtectedRequest, protect as protectNest } from '../../src/adapters/nest.ts'
import { toNodeHandler } from '../../src/http/node.ts'
import { type AuthServer, createAuth } from '../../src/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { listen, SECRET } from '../server.ts'
import { assertOwnRoutes, credentials, walk } from './embedded.ts'

let auth: AuthServer
let under: AuthServer
before(async () => {
  const options = { issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET }
  auth = await createAuth({ ...options, store: sqliteStore(':memory:') })
  under = await createAuth({ ...options, store: sqliteStore(':memory:'), basePath: '/auth' })
  for (const each of [auth, under]) await each.users.create({ id: 'user-123', ...credentials })
})
after(() => Promise.all([auth.close(), under.close()]))

/** The client IP of the last session that was created. */
async function lastAddress(server: AuthServer): Promise<unknown> {
  const { data } = await server.audit.list({ type: 'session.created', limit: 1 })
  return data[0]?.ip
}

describe('in a Fastify app', () => {
  function app(server: AuthServer) {
    const app = fastify()
    const handler = toNodeHandler(server)
    app.addHook('onRequest', (request, reply, done) => handler(request.raw, reply.raw, done))
    app.get('/profile', { onRequest: protectFastify(server.guard) }, (request) => ({ user_id: request.auth.subject }))
    app.post('/own', (request) => request.body)
    app.setNotFoundHandler((_request, reply) => reply.code(404).type('text/plain').send('the 404 of the app'))
    return app
  }

  for (const prefix of ['', '/auth']) {
    it(`as a hook, with the basePath "${prefix}"`, async () => {
      const server = prefix === '' ? auth : under
      const served = app(server)
      const url = await served.listen({ port: 0, host: '127.0.0.1' })
      await walk(url, prefix)
      await assertOwnRoutes(url)
      assert.equal(await lastAddress(server), '127.0.0.1')
      await served.close()
    })
  }
})

describe('in a Koa app', () => {
  function app(server: AuthServer) {
    const handler = toNodeHandler(server)
    const guarded = protectKoa(server.guard)
    return new Koa()
      .use((ctx, next) => {
        if (!server.handles(ctx.path)) return next()
        ctx.respond = false
        return handler(ctx.req, ctx.res)
      })
      .use(async (ctx, next) => {
        if (ctx.path === '/profile') {
          return guarded(ctx, async () => {
            ctx.body = { user_id: ctx.state.auth.subject }
          })
        }
        return next()
      })
      .use(async (ctx) => {
        ctx.status = ctx.path === '/own' ? 200 : 404
        ctx.body = ctx.path === '/own' ? { a: 1 } : 'the 404 of the app'
      })
  }

  for (const prefix of ['', '/auth']) {
    it(`as middleware, with the basePath "${prefix}"`, async () => {
      const server = prefix === '' ? auth : under
      await using served = await listen(app(server).callback())
      await walk(served.url, prefix)
      await assertOwnRoutes(served.url)
      assert.equal(await lastAddress(server), '127.0.0.1')
    })
  }
})

describe('in a Nest app', () => {
  /** Calls the decorators as functions, like the compiled code of a Nest project. */
  function moduleWith(server: AuthServer) {
    class AppController {
      profile(request: ProtectedRequest) {
        return { user_id: request.auth.subject }
      }
      own(body: object) {
        return body
      }
    }
    const { prototype } = AppController
    const method = (name: 'profile' | 'own') => Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor
    Get('/profile')(prototype, 'profile', method('profile'))
    UseGuards(protectNest(server.guard))(prototype, 'profile', method('profile'))
    Req()(prototype, 'profile', 0)
    Post('/own')(prototype, 'own', method('own'))
    HttpCode(200)(prototype, 'own', method('own'))
    Body()(prototype, 'own', 0)
    Controller()(AppController)
    class AppModule {}
    Module({ controllers: [AppController], providers: [{ provide: 'AUTH', useFactory: async () => server }] })(
      AppModule,
    )
    return AppModule
  }

  class Missing extends BaseExceptionFilter {
    override catch(error: unknown, host: Parameters<BaseExceptionFilter['catch']>[1]) {
      if (!(error instanceof NotFoundException)) return super.catch(error, host)
      host.switchToHttp().getResponse<ExpressResponse>().status(404).send('the 404 of the app')
    }
  }
  Catch()(Missing)

  for (const prefix of ['', '/auth']) {
    it(`as middleware, with the basePath "${prefix}"`, async () => {
      const server = prefix === '' ? auth : under
      const app = await NestFactory.create(moduleWith(server), { logger: false })
      app.use(toNodeHandler(app.get<AuthServer>('AUTH')))
      app.useGlobalFilters(new Missing(app.get(HttpAdapterHost).httpAdapter))
      await app.listen(0, '127.0.0.1')
      const url = await app.getUrl()
      await walk(url, prefix)
      await assertOwnRoutes(url)
      assert.equal(await lastAddress(server), '127.0.0.1')
      await app.close()
    })
  }
})

describe('as Next.js route handlers', () => {
  const handler = (request: Request) => under.fetch(request)
  /**
   * The exports of `app/auth/[...path]/route.ts`. Next.js calls the one named like the method with
   * a Request and sends its Response.
   */
  const route: Readonly<Record<string, typeof handler>> = {
    GET: handler,
    POST: handler,
    PATCH: handler,
    DELETE: handler,
  }

  it('a full session works, and the guard protects another route', async () => {
    const profile = protectFetch(under.guard, (_request, { subject }) => Response.json({ user_id: subject }))
    const own = async (request: Request) =>
      new URL(request.url).pathname === '/profile' ? profile(request) : new Response(null, { status: 404 })
    const dispatch = async (request: Request) =>
      (new URL(request.url).pathname.startsWith('/auth/') ? route[request.method] : own)?.(request) ??
      new Response(null, { status: 405 })
    const served = toNodeHandler({ fetch: dispatch, handles: () => true })
    await using server = await listen((request, response) => served(request, response))
    await walk(server.url, '/auth')
  })

  it('every method of the API has a handler', async () => {
    const document = await under.fetch(new Request('http://127.0.0.1:5000/auth/openapi.json'))
    const { paths } = (await document.json()) as { paths: Record<string, object> }
    const methods = Object.values(paths).flatMap((item) => Object.keys(item))
    const served = new Set(Object.keys(route).map((method) => method.toLowerCase()))
    assert.deepEqual(
      methods.filter((method) => ['get', 'put', 'post', 'patch', 'delete'].includes(method) && !served.has(method)),
      [],
    )
  })
})
