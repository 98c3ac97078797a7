import assert from 'node:assert/strict'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { protect as protectExpress } from '../src/adapters/express.ts'
import { protect as protectFastify } from '../src/adapters/fastify.ts'
import { protect as protectHono } from '../src/adapters/hono.ts'
import { protect as protectNode } from '../src/adapters/node.ts'
import {
  type Auth,
  createGuard,
  createRevocationList,
  type Guard,
  GuardError,
  type GuardOptions,
  type RevocationAnswer,
} from '../src/index.ts'
import { watch } from '../src/watch.ts'
import { originOf } from './sites.ts'
import { audience, bearing, issuer, key, tokenFor } from './tokens.ts'

const fresh = (claims: object = {}, options: object = {}) =>
  tokenFor({ sid: 's-1', ...claims }, { currentDate: new Date(), ...options })

function guardOf(t: TestContext, options: Partial<GuardOptions> = {}): Guard {
  const guard = createGuard({ issuer, audience, keys: key, revocation: null, clockTolerance: 0, ...options })
  t.after(() => guard.close())
  return guard
}

const authOf = async (guard: Guard, token = fresh()) => guard.authenticate(bearing(token))
const fired = (signal: AbortSignal) =>
  new Promise<unknown>((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)))
const codeOf = (reason: unknown) => (reason instanceof GuardError ? reason.code : assert.fail(String(reason)))
const end = (sid: string) => ({ kind: 'sid', sid, until: Math.floor(Date.now() / 1000) + 900 }) as const

test('watch: the signal fires at once when the session is revoked, with the refusal as its reason', async (t) => {
  const list = createRevocationList()
  const guard = guardOf(t, { revocation: list })
  const signal = watch(guard, await authOf(guard))
  assert.equal(signal.aborted, false)
  list.add(end('another'))
  assert.equal(signal.aborted, false)
  list.add(end('s-1'))
  assert.equal(signal.aborted, true)
  assert.equal(codeOf(signal.reason), 'token_revoked')
  assert.equal(signal.reason.sessionId, 's-1')
})

test('watch: the signal fires within a second with a check that has no subscribe, also an asynchronous one', async (t) => {
  let ended = false
  for (const check of [(): RevocationAnswer => ended, async (): Promise<RevocationAnswer> => ended]) {
    ended = false
    const guard = guardOf(t, { revocation: { check } })
    const signal = watch(guard, await authOf(guard))
    const reason = fired(signal)
    ended = true
    const start = performance.now()
    assert.equal(codeOf(await reason), 'token_revoked')
    assert.ok(performance.now() - start < 3000, 'the interval is one second')
  }
})

test('watch: the signal fires when the token expires', async (t) => {
  const guard = guardOf(t)
  const signal = watch(guard, await authOf(guard, fresh({}, { expiresIn: 1 })))
  assert.equal(signal.aborted, false)
  assert.equal(codeOf(await fired(signal)), 'token_expired')
})

test('watch: it has fired already if the token is revoked or has expired since', async (t) => {
  const list = createRevocationList()
  let ahead = 0
  const guard = guardOf(t, { revocation: list, now: () => Date.now() + ahead })
  const auth = await authOf(guard)
  list.add(end('s-1'))
  assert.equal(codeOf(watch(guard, auth).reason), 'token_revoked')
  ahead = 3_600_000
  assert.equal(codeOf(watch(guard, auth).reason), 'token_expired')
})

test('watch: revocations that cannot be read end nothing', async (t) => {
  let answer: RevocationAnswer = false
  const guard = guardOf(t, { revocation: { check: () => answer } })
  const signal = watch(guard, await authOf(guard))
  answer = 'revocation_unavailable'
  await delay(1500)
  assert.equal(signal.aborted, false)
})

test('watch: a token of another issuer is watched by the rules of that issuer, until its date', async (t) => {
  const list = createRevocationList()
  let ahead = 0
  const guard = guardOf(t, {
    issuer: 'https://new.example.com',
    now: () => Date.now() + ahead,
    issuers: [{ issuer, typ: 'at+jwt', keys: key, revocation: list, until: new Date(Date.now() + 500_000) }],
  })
  const auth = await authOf(guard)
  const signal = watch(guard, auth)
  list.add(end('s-1'))
  assert.equal(codeOf(signal.reason), 'token_revoked')
  const other = await authOf(guard, fresh({ sid: 's-2' }))
  ahead = 600_000
  assert.equal(codeOf(watch(guard, other).reason), 'token_issuer_invalid')
})

test('watch: the signal of the response ends the watch, and fires the signal with its reason', async (t) => {
  let watchers = 0
  const list = createRevocationList()
  const counted = {
    check: list.check,
    subscribe(listener: Parameters<typeof list.subscribe>[0]) {
      watchers += 1
      const stop = list.subscribe(listener)
      return () => {
        watchers -= 1
        stop()
      }
    },
  }
  const guard = guardOf(t, { revocation: counted })
  const auth = await authOf(guard)
  const response = new AbortController()
  const signal = watch(guard, auth, { signal: response.signal })
  assert.equal(watchers, 1)
  const reason = new Error('the client is gone')
  response.abort(reason)
  assert.equal(signal.reason, reason)
  assert.equal(watchers, 0)
  assert.equal(watch(guard, auth, { signal: response.signal }).reason, reason)
  assert.equal(watchers, 0)
})

test('watch: an auth that no guard returned, and wrong options, are refused', async (t) => {
  const guard = guardOf(t)
  const auth = await authOf(guard)
  const call = watch as (...args: unknown[]) => unknown
  const message = 'watch: auth must be what guard.authenticate returned'
  for (const wrong of [undefined, { ...auth }, structuredClone({ subject: auth.subject })]) {
    assert.throws(() => call(guard, wrong), { name: 'TypeError', message })
  }
  assert.throws(() => call({}, auth), { message: 'expected a guard made by createGuard' })
  assert.throws(() => call(guard, auth, { signal: response }), {
    message: 'watch: signal must be an AbortSignal (got a function)',
  })
  assert.throws(() => call(guard, auth, { until: 5 }), { message: 'watch: there is no option "until"' })
})

function response() {}

/** Sends an event every 20 ms until the signal fires. */
function stream(response: ServerResponse, guard: Guard, auth: Auth): void {
  const closed = new AbortController()
  response.on('close', () => closed.abort())
  const signal = watch(guard, auth, { signal: closed.signal })
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })
  const timer = setInterval(() => response.write('data: tick\n\n'), 20)
  signal.addEventListener('abort', () => {
    clearInterval(timer)
    response.end()
  })
}

const servers: Readonly<Record<string, (t: TestContext, guard: Guard) => Promise<string>>> = {
  node: (t, guard) =>
    originOf(t, createServer(protectNode(guard, (_req, res, auth) => stream(res, guard, auth))).listen(0, '127.0.0.1')),
  express(t, guard) {
    const app = express()
    app.get('/', protectExpress(guard), (_req, res) => stream(res, guard, res.locals.auth))
    return originOf(t, app.listen(0, '127.0.0.1'))
  },
  fastify(t, guard) {
    const app = fastify({ forceCloseConnections: true })
    app.get('/', { onRequest: protectFastify(guard) }, (request, reply) => {
      reply.hijack()
      stream(reply.raw, guard, request.auth)
    })
    t.after(() => app.close())
    return app.listen({ port: 0, host: '127.0.0.1' })
  },
  hono(t, guard) {
    const app = new Hono()
    app.get('/', protectHono(guard), (c) => {
      const signal = watch(guard, c.var.auth, { signal: c.req.raw.signal })
      return streamSSE(c, async (events) => {
        while (!signal.aborted) {
          await events.writeSSE({ data: 'tick' })
          await events.sleep(20)
        }
      })
    })
    return originOf(t, serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server)
  },
}

for (const [name, start] of Object.entries(servers)) {
  test(`watch: in ${name}, a stream ends within a second of a log-out, and others go on`, async (t) => {
    const list = createRevocationList()
    const guard = guardOf(t, { revocation: list })
    const origin = await start(t, guard)
    const closing = new AbortController()
    t.after(() => closing.abort())
    const open = async (sid: string) => {
      const headers = { authorization: `Bearer ${fresh({ sid })}` }
      const { body } = await fetch(origin, { headers, signal: closing.signal })
      return (body ?? assert.fail('no body')).getReader()
    }
    const [ours, theirs] = await Promise.all([open('s-1'), open('s-2')])
    assert.equal((await ours.read()).done, false)
    const start0 = performance.now()
    list.add(end('s-1'))
    while (!(await ours.read()).done) assert.ok(performance.now() - start0 < 1000, 'the stream goes on')
    assert.equal((await theirs.read()).done, false)
    await delay(60)
    assert.equal((await theirs.read()).done, false)
  })
}
