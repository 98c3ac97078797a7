import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import 'reflect-metadata'
import { serve } from '@hono/node-server'
import { All, type ArgumentsHost, Catch, Controller, HttpException, Module, Req, UseGuards } from '@nestjs/common'
import { BaseExceptionFilter, HttpAdapterHost, NestFactory } from '@nestjs/core'
import express, { type ErrorRequestHandler } from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { protect as protectExpress } from '../src/adapters/express.ts'
import { protect as protectFastify } from '../src/adapters/fastify.ts'
import { protect as protectFetch } from '../src/adapters/fetch.ts'
import { protect as protectHono } from '../src/adapters/hono.ts'
import { protect as protectKoa } from '../src/adapters/koa.ts'
import { type ProtectedRequest, protect as protectNest } from '../src/adapters/nest.ts'
import { protect as protectNode } from '../src/adapters/node.ts'
import type { Auth, Guard, Requirement } from '../src/index.ts'

/** What closes a server: the context of a test, or `node:test` itself for a whole file. */
export interface Closing {
  after(close: () => unknown): void
}

/**
 * What every adapter serves: `/` with every method and a requirement; the response is the subject,
 * or "nobody".
 */
export interface Site {
  readonly name: string
  /**
   * `thrown` collects what reaches the error handling of the framework; node:http and fetch
   * handlers have no error handling.
   */
  start(t: Closing, guard: Guard, requirement: [] | [Requirement], thrown: unknown[]): Promise<string>
}

/** The origin of a server once it listens; it is closed after the test. */
export async function originOf(t: Closing, server: Server): Promise<string> {
  t.after(() => void server.close())
  if (!server.listening) await new Promise((resolve) => server.once('listening', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Runs before every adapter: header fields that are set earlier must be kept in a refusal. */
const before = (_req: unknown, res: Pick<ServerResponse, 'setHeader'>, next: () => unknown) => {
  res.setHeader('X-Before', 'kept')
  return next()
}

const subjectOf = (auth: Auth | undefined) => auth?.subject ?? 'nobody'

export const sites: readonly Site[] = [
  { name: 'express', start: startExpress },
  { name: 'fastify', start: startFastify },
  { name: 'hono', start: startHono },
  { name: 'koa', start: startKoa },
  { name: 'nest', start: startNest },
  { name: 'node', start: startNode },
  { name: 'fetch', start: startFetch },
]

async function startExpress(t: Closing, guard: Guard, requirement: [] | [Requirement], thrown: unknown[]) {
  const app = express()
  app.use(before)
  app.all('/', protectExpress(guard, ...requirement), (_req, res) => {
    res.send(subjectOf(res.locals.auth))
  })
  const failed: ErrorRequestHandler = (error, _req, res, _next) => {
    thrown.push(error)
    res.status(500).end()
  }
  app.use(failed)
  return originOf(t, app.listen(0, '127.0.0.1'))
}

async function startFastify(t: Closing, guard: Guard, requirement: [] | [Requirement], thrown: unknown[]) {
  const app = fastify()
  app.addHook('onRequest', (_request, reply, done) => before(undefined, reply.raw, done))
  app.all('/', { onRequest: protectFastify(guard, ...requirement) }, (request) => subjectOf(request.auth))
  app.setErrorHandler((error, _request, reply) => {
    thrown.push(error)
    return reply.code(500).send()
  })
  t.after(() => app.close())
  return app.listen({ port: 0, host: '127.0.0.1' })
}

async function startHono(t: Closing, guard: Guard, requirement: [] | [Requirement], thrown: unknown[]) {
  const app = new Hono()
  app.use(async (c, next) => {
    c.header('X-Before', 'kept')
    await next()
  })
  app.all('/', protectHono(guard, ...requirement), (c) => c.text(subjectOf(c.var.auth)))
  app.onError((error, c) => {
    thrown.push(error)
    return c.body(null, 500)
  })
  return originOf(t, serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server)
}

async function startKoa(t: Closing, guard: Guard, requirement: [] | [Requirement], thrown: unknown[]) {
  const app = new Koa()
  app.on('error', (error) => thrown.push(error))
  app.use((ctx, next) => before(undefined, ctx.res, next))
  app.use(protectKoa(guard, ...requirement)).use((ctx) => {
    ctx.body = subjectOf(ctx.state.auth)
  })
  return originOf(t, app.listen(0, '127.0.0.1'))
}

/** Decorators are functions; the compiler of a Nest project calls them like this. */
async function startNest(t: Closing, guard: Guard, requirement: [] | [Requirement], thrown: unknown[]) {
  class SubjectController {
    subject(request: ProtectedRequest<IncomingMessage, Auth | undefined>) {
      return subjectOf(request.auth)
    }
  }
  const method = Object.getOwnPropertyDescriptor(SubjectController.prototype, 'subject') as PropertyDescriptor
  All('/')(SubjectController.prototype, 'subject', method)
  UseGuards(protectNest(guard, ...requirement))(SubjectController.prototype, 'subject', method)
  Req()(SubjectController.prototype, 'subject', 0)
  Controller()(SubjectController)
  class AppModule {}
  Module({ controllers: [SubjectController] })(AppModule)
  class Mistakes extends BaseExceptionFilter {
    override catch(error: unknown, host: ArgumentsHost) {
      if (error instanceof HttpException) return super.catch(error, host)
      thrown.push(error)
      host.switchToHttp().getResponse<ServerResponse>().writeHead(500).end()
    }
  }
  Catch()(Mistakes)
  const app = await NestFactory.create(AppModule, { logger: false })
  app.use(before)
  app.useGlobalFilters(new Mistakes(app.get(HttpAdapterHost).httpAdapter))
  await app.listen(0, '127.0.0.1')
  t.after(() => app.close())
  return (await app.getUrl()).replace('localhost', '127.0.0.1')
}

async function startNode(t: Closing, guard: Guard, requirement: [] | [Requirement], thrown: unknown[]) {
  const answer = (_req: IncomingMessage, res: ServerResponse, auth: Auth | undefined) => res.end(subjectOf(auth))
  const [own] = requirement
  const listener =
    requirement.length === 0 ? protectNode(guard, answer) : protectNode(guard, own as Requirement, answer)
  const outer: RequestListener = (req, res) => {
    const guarded = async () => before(req, res, () => listener(req, res))
    guarded().catch((error: unknown) => {
      thrown.push(error)
      res.statusCode = 500
      res.end()
    })
  }
  return originOf(t, createServer(outer).listen(0, '127.0.0.1'))
}

async function startFetch(t: Closing, guard: Guard, requirement: [] | [Requirement], thrown: unknown[]) {
  const answer = (_request: Request, auth: Auth | undefined) => new Response(subjectOf(auth))
  const [own] = requirement
  const handler =
    requirement.length === 0 ? protectFetch(guard, answer) : protectFetch(guard, own as Requirement, answer)
  const outer = async (request: Request) => {
    try {
      const response = await handler(request)
      response.headers.set('X-Before', 'kept')
      return response
    } catch (error) {
      thrown.push(error)
      return new Response(null, { status: 500 })
    }
  }
  return originOf(t, serve({ fetch: outer, port: 0, hostname: '127.0.0.1' }) as Server)
}
