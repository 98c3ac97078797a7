import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastifyJwt from '@fastify/jwt'
import { getRequestListener } from '@hono/node-server'
import { createGuard, createRevocationList } from '@sealwax/guard'
import { protect as protectExpress } from '@sealwax/guard/express'
import { protect as protectFastify } from '@sealwax/guard/fastify'
import { protect as protectHono } from '@sealwax/guard/hono'
import { protect as protectNode } from '@sealwax/guard/node'
import express from 'express'
import { expressjwt } from 'express-jwt'
import fastify from 'fastify'
import { Hono, type MiddlewareHandler } from 'hono'
import { jwt } from 'hono/jwt'
import { answer, processorTime } from './child.ts'
import { AUDIENCE, ISSUER, makeKey, TYPE, tokenOf } from './tokens.ts'

// Serves one framework in a separate process: the same route without middleware, behind a no-op
// (twice), behind our guard, and behind peers. All paths have the same length and all requests have
// the same header, so that only the middleware differs.

const key = makeKey('HS256')
const secret = key.secret as Buffer
const token = tokenOf(key.ours, 1)
const guard = createGuard({
  ...{ issuer: ISSUER, audience: AUDIENCE, keys: key.oursPublic, revocation: createRevocationList() },
})
const BODY = { id: 1, name: 'order' }

/** A server, and the paths of its routes by the middleware in front of them. */
interface Served {
  readonly listener: RequestListener
  readonly paths: Readonly<Record<string, string>>
}

const COMMON = { plain: '/r0', noop: '/r1', 'noop again': '/r2', sealwax: '/r3' } as const

function nodeServer(): Served {
  const body = JSON.stringify(BODY)
  const route = (_: IncomingMessage, response: ServerResponse) => {
    response.setHeader('Content-Type', 'application/json')
    response.end(body)
  }
  const noop =
    (next: RequestListener): RequestListener =>
    (request, response) =>
      next(request, response)
  const routes: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => unknown>> = {
    [COMMON.plain]: route,
    [COMMON.noop]: noop(route),
    [COMMON['noop again']]: noop(route),
    [COMMON.sealwax]: protectNode(guard, route),
  }
  return { listener: (request, response) => void routes[request.url ?? '']?.(request, response), paths: COMMON }
}

function expressServer(): Served {
  const app = express()
  const paths = { ...COMMON, 'express-jwt': '/r4' }
  const route: express.RequestHandler = (_, response) => void response.json(BODY)
  const noop = (): express.RequestHandler => (_request, _response, next) => next()
  app.get(paths.plain, route)
  app.get(paths.noop, noop(), route)
  app.get(paths['noop again'], noop(), route)
  app.get(paths.sealwax, protectExpress(guard), route)
  app.get(
    paths['express-jwt'],
    expressjwt({ secret, algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE }),
    route,
  )
  app.use(((_error, _request, response, _next) => void response.sendStatus(401)) satisfies express.ErrorRequestHandler)
  return { listener: app, paths }
}

async function fastifyServer(): Promise<Served> {
  const app = fastify()
  const paths = { ...COMMON, '@fastify/jwt': '/r4', '@fastify/jwt with its cache': '/r5' }
  const route = async () => BODY
  const noop = () => (_request: object, _reply: object, done: () => void) => done()
  const checks = { allowedIss: ISSUER, allowedAud: AUDIENCE, algorithms: ['HS256' as const] }
  await app.register(fastifyJwt, { secret, verify: checks, namespace: 'bare', decoratorName: 'userBare' })
  await app.register(fastifyJwt, {
    secret,
    verify: { ...checks, cache: true },
    namespace: 'kept',
    decoratorName: 'userKept',
  })
  const verifier = (name: string) => async (request: object) => {
    await (request as Record<string, () => Promise<unknown>>)[name]?.()
  }
  app.get(paths.plain, route)
  app.get(paths.noop, { onRequest: noop() }, route)
  app.get(paths['noop again'], { onRequest: noop() }, route)
  app.get(paths.sealwax, { onRequest: protectFastify(guard) }, route)
  app.get(paths['@fastify/jwt'], { onRequest: verifier('bareJwtVerify') }, route)
  app.get(paths['@fastify/jwt with its cache'], { onRequest: verifier('keptJwtVerify') }, route)
  await app.ready()
  return { listener: (request, response) => app.routing(request, response), paths }
}

function honoServer(): Served {
  const app = new Hono()
  const paths = { ...COMMON, 'hono/jwt': '/r4' }
  const noop = (): MiddlewareHandler => (_, next) => next()
  app.get(paths.plain, (c) => c.json(BODY))
  app.get(paths.noop, noop(), (c) => c.json(BODY))
  app.get(paths['noop again'], noop(), (c) => c.json(BODY))
  app.get(paths.sealwax, protectHono(guard), (c) => c.json(BODY))
  const checks = { iss: ISSUER, aud: AUDIENCE, typ: TYPE }
  app.get(paths['hono/jwt'], jwt({ secret: secret.toString(), alg: 'HS256', verification: checks }), (c) =>
    c.json(BODY),
  )
  return { listener: getRequestListener(app.fetch, { overrideGlobalObjects: false }), paths }
}

const FRAMEWORKS: Readonly<Record<string, () => Served | Promise<Served>>> = {
  'node:http': nodeServer,
  Express: expressServer,
  Fastify: fastifyServer,
  Hono: honoServer,
}

async function main(): Promise<void> {
  const make = FRAMEWORKS[process.argv[2] ?? '']
  if (make === undefined) throw new Error('The argument must be the name of a framework')
  const { listener, paths } = await make()
  const server = createServer(listener)
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address() as AddressInfo
  answer({ about: () => ({ port, paths, token }), time: processorTime })
}

main().catch((error: unknown) => {
  console.error(error)
  process.exit(1)
})
