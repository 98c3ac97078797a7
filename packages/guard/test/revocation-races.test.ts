import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { importKey } from '@sealwax/jwt'
import WebSocket, { WebSocketServer } from 'ws'
import { createGuard, createRevocationList, type GuardOptions, subjectKey } from '../src/index.ts'
import { authenticateSocket } from '../src/sockets.ts'
import { audience, bearing, guardWith, issuer, key, refusalOf, secret, tokenFor } from './tokens.ts'

// A revocation and a look-up that overlap must not let a revoked token be used.

async function open(t: TestContext, options: Partial<GuardOptions>, token: string) {
  const guard = createGuard({ issuer, audience, keys: key, revocation: null, clockTolerance: 0, ...options })
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', (socket) => {
    authenticateSocket(guard, socket).then(
      (auth) => auth !== undefined && socket.send('hello'),
      () => {},
    )
  })
  await once(server, 'listening')
  t.after(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as { port: number }).port}`)
  const closed = once(client, 'close').then(([code, reason]) => [code, String(reason)])
  await once(client, 'open')
  client.send(JSON.stringify({ type: 'authenticate', token }))
  await once(client, 'message')
  return { client, closed }
}

const fresh = (options: Parameters<typeof tokenFor>[1] = {}) =>
  tokenFor({ sid: 's1' }, { currentDate: new Date(), ...options })

/** A check with a slow look-up, and a function that reports a revocation. */
function slowCheck(milliseconds: number) {
  const listeners = new Set<() => void>()
  let revoked = false
  return {
    revoke() {
      revoked = true
      for (const listener of listeners) listener()
    },
    async check() {
      const verdict = revoked
      await delay(milliseconds)
      return verdict
    },
    subscribe(listener: () => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

test('attack: a token that is revoked during a look-up closes its socket', async (t) => {
  const { revoke, check, subscribe } = slowCheck(100)
  const { closed } = await open(t, { revocation: { check, subscribe } as never }, fresh())
  // The look-up of the watch started with the greeting.
  revoke()
  assert.deepEqual(await closed, [4401, 'token_revoked'])
})

test('attack: a revoked token closes its socket although an earlier result is cached', async (t) => {
  const { revoke, check, subscribe } = slowCheck(1)
  const { closed } = await open(t, { revocation: { check, subscribe, cacheFor: '1h' } as never }, fresh())
  await delay(50)
  revoke()
  assert.deepEqual(await closed, [4401, 'token_revoked'])
})

test('attack: a socket of the guard itself is watched by the rules of the entry of the same issuer', async (t) => {
  const revocation = createRevocationList()
  const keys = importKey(secret(31, 32), { alg: 'HS256', kid: 'other' })
  const options = { revocation, cacheSize: 0, issuers: [{ issuer, keys, revocation: null }] }
  const { closed } = await open(t, options, fresh())
  revocation.add({ kind: 'sid', sid: 's1', until: Date.now() / 1000 + 900 })
  assert.deepEqual(await closed, [4401, 'token_revoked'])
})

test('attack: a socket is closed at the date until which its issuer is accepted', async (t) => {
  const old = 'https://old.example.com'
  const keys = importKey(secret(32, 32), { alg: 'HS256', kid: 'old' })
  const issuers = [{ issuer: old, keys, typ: 'at+jwt', until: new Date(Date.now() + 1500) }]
  const { closed } = await open(t, { issuers }, tokenFor({}, { issuer: old, currentDate: new Date() }, keys))
  assert.deepEqual(await closed, [4401, 'token_issuer_invalid'])
})

test('guard: a look-up of revocations that never returns causes 503 after 5 seconds, and is repeated', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let asked = 0
  const check = () => {
    asked += 1
    return asked === 1 ? new Promise<never>(() => {}) : Promise.resolve(false)
  }
  const guard = guardWith({ revocation: { check, cacheFor: '1m' } })
  const first = guard.authenticate(bearing(tokenFor()))
  t.mock.timers.tick(5000)
  await assert.rejects(async () => first, { code: 'revocation_unavailable' })
  assert.equal((await guard.authenticate(bearing(tokenFor()))).subject, 'user-123')
})

test('attack: a token that expires during the look-up of its revocation is refused', async () => {
  let now = Date.now()
  const check = async () => {
    now += 3_600_000
    return false
  }
  const guard = createGuard({ issuer, audience, keys: key, revocation: { check }, now: () => now })
  await assert.rejects(async () => guard.authenticate(bearing(fresh())), { code: 'token_expired' })
})

test('guard: a revoked user is refused also with tokens without iss', () => {
  const revocation = createRevocationList({ now: () => 1_800_000_000_000 })
  revocation.add({ kind: 'sub', subject: subjectKey('', 'user-123'), below: 9, until: 1_800_086_400 })
  const options = { issuer: null, revocation, typ: 'JWT', requiredClaims: ['sub', 'exp'] }
  assert.equal(refusalOf(tokenFor({}, { issuer: null, typ: 'JWT' }), options).code, 'token_revoked')
})

test('guard: rejections of onKeys and check do not end the process', async (t) => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  const fail = async () => {
    throw new Error('the log is down')
  }
  const away = createGuard({ issuer: 'http://127.0.0.1:9', audience, onKeys: fail as never })
  await assert.rejects(async () => away.authenticate(bearing(fresh({ issuer: 'http://127.0.0.1:9' }))), {
    code: 'keys_unavailable',
  })
  const refused = async () => guardWith({ check: fail as never }).authenticate(bearing(tokenFor()))
  await assert.rejects(refused, { message: 'the log is down' })
  await delay(20)
  assert.deepEqual(unhandled, [])
})

test('issuers: while the keys of the guard are not available, those of the entry of the same issuer are used', async () => {
  const other = importKey(secret(33, 32), { alg: 'HS256', kid: 'other' })
  const keys = {
    keysFor() {
      throw new Error('away')
    },
    close() {},
  }
  const guard = guardWith({ keys: keys as never, issuers: [{ issuer, keys: other, typ: 'at+jwt' }] })
  assert.equal((await guard.authenticate(bearing(tokenFor({}, {}, other)))).subject, 'user-123')
  await assert.rejects(async () => guard.authenticate(bearing(tokenFor())), { code: 'keys_unavailable' })
})

test('issuers: a date that does not exist and a list that is null are refused', () => {
  const entry = { issuer: 'old', keys: key, until: '2027-02-30' }
  assert.throws(() => guardWith({ issuers: [entry] }), { name: 'TypeError', message: /until must be a Date/ })
  assert.throws(() => guardWith({ issuers: null as never }), { name: 'TypeError', message: /issuers must be a list/ })
})
