import assert from 'node:assert/strict'
import { test } from 'node:test'
import express, { type RequestHandler } from 'express'
import type { Hono } from 'hono'
import { z } from 'zod'
import { protect as protectExpress } from '../src/adapters/express.ts'
import { protect as protectHono } from '../src/adapters/hono.ts'
import { protect as protectNode } from '../src/adapters/node.ts'
import '@sealwax/guard/express/global'
import { type Auth, createGuard, type GuardRequest, type Requirement } from '../src/index.ts'
import { entra, githubActions, google } from '../src/issuers/index.ts'
import { guardWith, key } from './tokens.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Does not compile unless the value has exactly the type. */
function hasType<Expected>() {
  return <Actual>(_value: Actual, ..._proof: Same<Actual, Expected> extends true ? [] : [never]): void => {}
}

// The compiler checks these functions; they are never called.

async function authenticate(request: GuardRequest, wide: Requirement, maybe: boolean) {
  const guard = guardWith()
  hasType<Auth | Promise<Auth>>()(guard.authenticate(request))
  hasType<Auth>()(await guard.authenticate(request))
  hasType<Auth>()(await guard.authenticate(request, {}))
  hasType<Auth>()(await guard.authenticate(request, { scope: 'a', fresh: '5m' }))
  hasType<Auth>()(await guard.authenticate(request, { scope: ['a'], optional: false }))
  hasType<Auth | undefined>()(await guard.authenticate(request, { optional: true }))
  hasType<Auth | undefined>()(await guard.authenticate(request, { scope: 'a', optional: true }))
  hasType<Auth | undefined>()(await guard.authenticate(request, { optional: maybe }))
  hasType<Auth | undefined>()(await guard.authenticate(request, wide))
  hasType<Auth>()(await guard.authenticate(new Request('http://localhost/'), { check: (_auth, req) => req.bodyUsed }))
  // @ts-expect-error: not a member
  void guard.authenticate(request, { scopes: ['a'] })
  // @ts-expect-error: undefined would turn the check off
  void guard.authenticate(request, { scope: undefined })
  // @ts-expect-error: an unknown requirement would be ignored
  void guard.authenticate(request, undefined)
  // @ts-expect-error: not a duration
  void guard.authenticate(request, { fresh: '5 minutes' })
  hasType<Auth>()(await guard.authenticate(request, { check: async () => false, scope: { any: ['a', 'b'] } }))
  // @ts-expect-error: a promise of something else
  void guard.authenticate(request, { check: async () => 'no' })
  const auth = await guard.authenticate(request)
  // @ts-expect-error: frozen
  auth.subject = 'root'
  // @ts-expect-error: frozen
  auth.roles.push('admin')
}

function guards() {
  const whole = { issuer: 'https://auth.example.com', audience: 'orders-api', keys: key, revocation: null }
  createGuard(whole)
  createGuard({ issuer: 'https://auth.example.com', audience: 'orders-api', revocation: null })
  // the guard finds the keys and the revocations of a remote issuer
  createGuard({ issuer: 'https://auth.example.com', audience: 'orders-api' })
  createGuard(entra({ tenants: ['a', 'b'], audience: 'orders-api' }))
  // @ts-expect-error: the tenant must be given, or any company is accepted
  entra({ audience: 'orders-api' })
  // @ts-expect-error: a list of no tenants accepts none
  entra({ tenants: [], audience: 'orders-api' })
  // @ts-expect-error: one or several
  entra({ tenant: 'a', tenants: ['b'], audience: 'orders-api' })
  // @ts-expect-error: the client must be given, or tokens of every application are accepted
  google({ hostedDomain: 'example.com' })
  // @ts-expect-error: the repository must be given, or any workflow is accepted
  githubActions({ audience: 'orders-api' })
  // @ts-expect-error: audience must be given
  createGuard({ issuer: 'https://auth.example.com', keys: key, revocation: null })
  // @ts-expect-error: an unset variable is not a default
  createGuard({ ...whole, realm: undefined })
  // @ts-expect-error: no such algorithm
  createGuard({ ...whole, algorithms: ['none'] })
}

async function ownClaims(request: GuardRequest) {
  const whole = { issuer: 'https://auth.example.com', audience: 'orders-api', keys: key, revocation: null }
  const inferred = createGuard({ ...whole, claims: { schema: z.object({ plan: z.enum(['free', 'paid']) }) } })
  hasType<'free' | 'paid'>()((await inferred.authenticate(request)).payload.plan)
  hasType<string | undefined>()((await inferred.authenticate(request)).payload.iss)
  const promised = createGuard<{ tenant: string }>(whole)
  hasType<string>()((await promised.authenticate(request, { scope: 'a' })).payload.tenant)
  await promised.authenticate(request, { check: ({ payload }) => payload.tenant.startsWith('a') })
  createGuard<{ tenant: string }>({ ...whole, check: async ({ payload }) => payload.tenant.startsWith('a') })
  // @ts-expect-error: the schema has no such type
  createGuard<{ tenant: string }>({ ...whole, claims: { schema: z.object({ tenant: z.number() }) } })
  const app = express()
  app.get(
    '/',
    protectExpress(promised, { check: ({ payload }, req) => payload.tenant === req.params.tenant }),
    (_req, res) => {
      hasType<string>()(res.locals.auth.payload.tenant)
    },
  )
  protectNode(promised, (_req, _res, auth) => hasType<string>()(auth.payload.tenant))
  protectNode(
    promised,
    { scope: 'a' },
    { onRefused: (error, req, res) => res.end(`${error.code} ${req.url}`) },
    (_req, _res, auth) => hasType<string>()(auth.payload.tenant),
  )
  protectExpress(promised, {}, { onRefused: (error, req, res, next) => (req.ip ? next(error) : res.json(error.code)) })
  // @ts-expect-error: no such option
  protectExpress(promised, {}, { onRefuse() {} })
}

function expressRoutes(app: ReturnType<typeof express>) {
  const guard = guardWith()
  app.get('/profile', protectExpress(guard), (_req, res) => {
    hasType<Auth>()(res.locals.auth)
    res.json({ user_id: res.locals.auth.subject })
  })
  app.get('/orders/:id', express.json(), protectExpress(guard, { scope: ['a', 'b'] }), (req, res) => {
    hasType<Auth>()(res.locals.auth)
    hasType<string>()(req.params.id)
    hasType<Auth | undefined>()(req.auth)
  })
  app.get('/', protectExpress(guard, { optional: true }), (_req, res) => {
    hasType<Auth | undefined>()(res.locals.auth)
    // @ts-expect-error: auth may be undefined
    res.json(res.locals.auth.subject)
  })
  app.use(protectExpress(guard))
  app.use('/admin', protectExpress(guard, { role: 'admin' }), express.Router())
  express.Router().post('/', protectExpress(guard), (_req, res) => hasType<Auth>()(res.locals.auth))
  // together with middleware that has no type for res.locals
  const limiter: RequestHandler = (_req, _res, next) => next()
  app.get('/a', limiter, protectExpress(guard), (_req, res) => void res.json(res.locals.auth.subject))
  app.use('/b', protectExpress(guard), limiter)
  app.all('/c', [limiter, protectExpress(guard)], express.Router())
  hasType<RequestHandler[]>()([limiter, protectExpress(guard)])
  // @ts-expect-error: not a member
  protectExpress(guard, { scopes: 'a' })
  // @ts-expect-error: an unknown requirement would be ignored
  protectExpress(guard, undefined)
  protectExpress(guard, { check: (auth, req) => req.params.id === auth.subject })
}

function honoRoutes(app: Hono) {
  const guard = guardWith()
  app.get('/profile', protectHono(guard), (c) => {
    hasType<Auth>()(c.var.auth)
    hasType<Auth>()(c.get('auth'))
    return c.json({ user_id: c.var.auth.subject })
  })
  app.get('/orders/:id', protectHono(guard, { scope: 'a' }), (c) => c.text(c.req.param('id') + c.var.auth.subject))
  app.get('/', protectHono(guard, { optional: true }), (c) => {
    hasType<Auth | undefined>()(c.var.auth)
    // @ts-expect-error: auth may be undefined
    return c.text(c.var.auth.subject)
  })
  // @ts-expect-error: a promise of something else
  protectHono(guard, { check: async () => 'yes' })
}

function nodeHandlers() {
  const guard = guardWith()
  protectNode(guard, (_req, _res, auth) => hasType<Auth>()(auth))
  protectNode(guard, { scope: 'a' }, (_req, _res, auth) => hasType<Auth>()(auth))
  protectNode(guard, { optional: true }, (_req, _res, auth) => hasType<Auth | undefined>()(auth))
  protectNode(guard, { check: (_auth, req) => req.socket.remotePort !== undefined }, (_req, res) => res.end())
  // @ts-expect-error: no handler
  protectNode(guard, { scope: 'a' })
}

test('package: every entry point of package.json can be imported, and exports protect for each framework, sockets and metadata', async () => {
  assert.equal(typeof (await import('@sealwax/guard')).createGuard, 'function')
  assert.equal((await import('@sealwax/guard/express')).protect, protectExpress)
  assert.equal((await import('@sealwax/guard/hono')).protect, protectHono)
  assert.equal((await import('@sealwax/guard/node')).protect, protectNode)
  assert.deepEqual(Object.keys(await import('@sealwax/guard/express/global')), [])
  assert.deepEqual(Object.keys(await import('@sealwax/guard/sockets')), ['authenticateSocket'])
  assert.deepEqual(Object.keys(await import('@sealwax/guard/resource-metadata')), ['protectedResourceMetadata'])
})

test('types: tsc checks what must compile and what must not; the functions are only referenced here', () => {
  for (const proof of [authenticate, guards, ownClaims, expressRoutes, honoRoutes, nodeHandlers]) {
    assert.equal(typeof proof, 'function')
  }
})
