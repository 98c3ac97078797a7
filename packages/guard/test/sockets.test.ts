import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { generateKey } from '@sealwax/jwt'
import { WebSocket, WebSocketServer } from 'ws'
import {
  type Auth,
  createGuard,
  createRevocationList,
  type Guard,
  type GuardOptions,
  type Revocation,
  subjectKey,
} from '../src/index.ts'
import { authenticateSocket, type GuardedSocket, type SocketOptions } from '../src/sockets.ts'
import { audience, issuer, key, tokenFor } from './tokens.ts'

/**
 * A server with real sockets and real time; the result of `authenticateSocket` for each connection
 * is collected.
 */
async function serve(t: TestContext, options: Partial<GuardOptions> = {}, socketOptions: SocketOptions = {}) {
  const guard = createGuard({ issuer, audience, keys: key, revocation: null, clockTolerance: 0, ...options })
  const results: Promise<Auth | undefined>[] = []
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', (socket) => {
    const result = authenticateSocket(guard, socket, socketOptions)
    results.push(result)
    result.then(
      (auth) => auth !== undefined && socket.send(`hello ${auth.subject}`),
      () => {},
    )
  })
  await once(server, 'listening')
  t.after(() => server.close())
  t.after(() => {
    for (const client of server.clients) client.terminate()
  })
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, results, guard }
}

/**
 * Connects, sends messages, and returns what was received; `closed` settles with code and reason.
 */
async function connect(url: string, ...messages: (string | Buffer)[]) {
  const socket = new WebSocket(url)
  const received: string[] = []
  const { promise: greeting, resolve } = Promise.withResolvers<string>()
  socket.on('message', (data) => {
    received.push(String(data))
    resolve(String(data))
  })
  const closed = once(socket, 'close').then(([code, reason]) => [code, String(reason)] as const)
  await once(socket, 'open')
  for (const message of messages) socket.send(message)
  return { socket, received, closed, greeted: () => greeting }
}

const fresh = (options: Parameters<typeof tokenFor>[1] = {}, claims: Parameters<typeof tokenFor>[0] = {}) =>
  tokenFor(claims, { currentDate: new Date(), ...options })
const authenticate = (token: unknown) => JSON.stringify({ type: 'authenticate', token })

test('sockets: the first message authenticates and resolves with the Auth', async (t) => {
  const { url, results } = await serve(t)
  const client = await connect(url, authenticate(fresh()))
  assert.equal(await client.greeted(), 'hello user-123')
  assert.equal((await results[0])?.subject, 'user-123')
  assert.equal(client.socket.readyState, WebSocket.OPEN)
})

const refused: readonly [name: string, message: () => string | Buffer, code: number, reason: string][] = [
  ['another message', () => 'hello', 4401, 'token_missing'],
  ['JSON of another type', () => JSON.stringify({ type: 'subscribe', token: fresh() }), 4401, 'token_missing'],
  ['a bare token', () => fresh(), 4401, 'token_missing'],
  ['JSON that is null', () => 'null', 4401, 'token_missing'],
  ['truncated JSON', () => authenticate(fresh()).slice(0, -1), 4401, 'token_missing'],
  ['octets', () => Buffer.from(authenticate(fresh())), 4401, 'token_missing'],
  ['a message of 1 MB', () => authenticate('a'.repeat(1_000_000)), 4401, 'token_missing'],
  ['no token', () => JSON.stringify({ type: 'authenticate' }), 4401, 'token_missing'],
  ['a token that is a number', () => authenticate(7), 4401, 'token_missing'],
  ['rubbish', () => authenticate('abc'), 4401, 'token_malformed'],
  ['a token and more', () => authenticate(`${fresh()} x`), 4401, 'invalid_request'],
  ['two tokens', () => authenticate(`${fresh()}, Bearer ${fresh()}`), 4401, 'invalid_request'],
  [
    'an expired token',
    () => authenticate(fresh({ currentDate: new Date(Date.now() - 3_600_000) })),
    4401,
    'token_expired',
  ],
  ['a token for another API', () => authenticate(fresh({ audience: 'billing-api' })), 4401, 'token_audience_invalid'],
  ['too little scope', () => authenticate(fresh({}, { scope: 'b' })), 4403, 'insufficient_scope'],
]

test(`sockets: ${refused.length} invalid first messages are refused, each with its code, and onRefusal is called once for each`, async (t) => {
  const seen: string[] = []
  const onRefusal: NonNullable<GuardOptions['onRefusal']> = (error) => seen.push(error.code)
  const { url, results } = await serve(t, { onRefusal }, { requirement: { scope: 'a' } })
  for (const [name, message, code, reason] of refused) {
    const client = await connect(url, message())
    assert.deepEqual(await client.closed, [code, reason], name)
    assert.deepEqual(client.received, [], name)
  }
  assert.deepEqual(
    seen,
    refused.map(([, , , reason]) => reason),
  )
  assert.deepEqual(new Set(await Promise.all(results)), new Set([undefined]))
})

test('sockets: a token in the URL, the header or the subprotocol of the handshake is ignored', async (t) => {
  const { url } = await serve(t, {}, { timeout: 1 })
  const token = fresh()
  const sockets = [
    new WebSocket(`${url}/?access_token=${token}`),
    new WebSocket(url, { headers: { authorization: `Bearer ${token}` } }),
    new WebSocket(url, ['access_token', token]),
  ]
  for (const [code, reason] of await Promise.all(sockets.map((socket) => once(socket, 'close')))) {
    assert.deepEqual([code, String(reason)], [4401, 'token_missing'])
  }
})

test('sockets: a client that sends nothing is closed after the timeout, and one that leaves earlier causes nothing', async (t) => {
  const { url, results } = await serve(t, {}, { timeout: '1s' })
  const silent = await connect(url)
  const start = performance.now()
  assert.deepEqual(await silent.closed, [4401, 'token_missing'])
  assert.ok(performance.now() - start > 800)
  assert.equal(await results[0], undefined)
  const gone = await connect(url)
  gone.socket.close(1000)
  await gone.closed
  assert.equal(await results[1], undefined)
})

test('sockets: are closed when the token expires', async (t) => {
  const { url } = await serve(t)
  const client = await connect(url, authenticate(fresh({ expiresIn: 2 })))
  const start = performance.now()
  assert.equal(await client.greeted(), 'hello user-123')
  assert.deepEqual(await client.closed, [4401, 'token_expired'])
  const taken = performance.now() - start
  assert.ok(taken > 500 && taken < 3000, `${taken} ms`)
})

test('sockets: are closed immediately when the session, the user or the key is revoked, and no others are', async (t) => {
  const revocation = createRevocationList()
  const { url } = await serve(t, { revocation })
  const until = Date.now() / 1000 + 900
  const mine = await connect(url, authenticate(fresh({}, { sid: 's-1' })))
  const other = await connect(url, authenticate(fresh({}, { sid: 's-2' })))
  await Promise.all([mine.greeted(), other.greeted()])
  const start = performance.now()
  revocation.add({ kind: 'sid', sid: 's-1', until })
  assert.deepEqual(await mine.closed, [4401, 'token_revoked'])
  assert.ok(performance.now() - start < 500)
  assert.equal(other.socket.readyState, WebSocket.OPEN)
  assert.deepEqual(await (await connect(url, authenticate(fresh({}, { sid: 's-1' })))).closed, [4401, 'token_revoked'])
  revocation.add({ kind: 'kid', kid: 'key-1', until })
  assert.deepEqual(await other.closed, [4401, 'token_stale'])
})

test('sockets: ending all sessions of a user closes their sockets immediately, but not the excepted one, newer ones and those of other users', async (t) => {
  const revocation = createRevocationList()
  const { url } = await serve(t, { revocation })
  const open = async (claims: Parameters<typeof fresh>[1]) => {
    const client = await connect(url, authenticate(fresh({}, claims)))
    await client.greeted()
    return client
  }
  const old = [await open({ sid: 's-1', ver: 6 }), await open({ sid: 's-2' })]
  const excepted = await open({ sid: 's-3', ver: 6 })
  const others = [await open({ sid: 's-4', ver: 7 }), await open({ sid: 's-5', sub: 'user-124', ver: 6 })]
  const until = Date.now() / 1000 + 900
  const start = performance.now()
  revocation.add({ kind: 'sub', subject: subjectKey(issuer, 'user-123'), below: 7, except: 's-3', until })
  for (const client of old) assert.deepEqual(await client.closed, [4401, 'token_revoked'])
  assert.ok(performance.now() - start < 500)
  await new Promise((resolve) => setTimeout(resolve, 50))
  for (const client of [excepted, ...others]) assert.equal(client.socket.readyState, WebSocket.OPEN)
  revocation.add({ kind: 'sub', subject: subjectKey(issuer, 'user-123'), below: 8, until })
  for (const client of [excepted, others[0]]) assert.deepEqual(await client?.closed, [4401, 'token_revoked'])
  assert.equal(others[1]?.socket.readyState, WebSocket.OPEN)
})

test('sockets: a check without subscribe is called every second', async (t) => {
  let revoked: 'token_revoked' | 'revocation_unavailable' | undefined
  const { url } = await serve(t, { revocation: { check: () => revoked } })
  const client = await connect(url, authenticate(fresh()))
  await client.greeted()
  revoked = 'revocation_unavailable'
  await new Promise((resolve) => setTimeout(resolve, 1300))
  assert.equal(client.socket.readyState, WebSocket.OPEN, 'unavailable revocations do not close the socket')
  assert.deepEqual(await (await connect(url, authenticate(fresh()))).closed, [1013, 'revocation_unavailable'])
  revoked = 'token_revoked'
  assert.deepEqual(await client.closed, [4401, 'token_revoked'])
})

test('sockets: a newer token of the same subject replaces the first; messages continue with the newer Auth', async (t) => {
  const heard: [unknown, readonly string[]][] = []
  const onMessage: NonNullable<SocketOptions['onMessage']> = (data, auth) => heard.push([data, auth.roles])
  const { url } = await serve(t, {}, { onMessage })
  const first = authenticate(fresh({ expiresIn: 2 }))
  const second = authenticate(fresh({}, { roles: ['admin'] }))
  const client = await connect(url, first, 'one', second, 'two', Buffer.from('three'))
  await client.greeted()
  await new Promise((resolve) => setTimeout(resolve, 2500))
  assert.equal(client.socket.readyState, WebSocket.OPEN, 'the first token has expired, the second has not')
  assert.deepEqual(heard.slice(0, 2), [
    ['one', []],
    ['two', ['admin']],
  ])
  assert.equal(String(heard[2]?.[0]), 'three')
  assert.equal(heard.length, 3)
})

test('sockets: a token of another subject, or an invalid one, ends an authenticated connection', async (t) => {
  const { url } = await serve(t)
  const messages: [string, string][] = [
    [authenticate(fresh({}, { sub: 'user-124' })), 'token_claim_invalid'],
    [authenticate('abc'), 'token_malformed'],
    [JSON.stringify({ type: 'authenticate' }), 'token_missing'],
  ]
  for (const [message, reason] of messages) {
    const client = await connect(url, authenticate(fresh()))
    await client.greeted()
    client.socket.send(message)
    assert.deepEqual(await client.closed, [4401, reason])
  }
})

test('sockets: keys are awaited if they must be fetched; messages that arrive meanwhile are refused', async (t) => {
  const { promise, resolve } = Promise.withResolvers<typeof key>()
  const keys = { keysFor: () => promise, close() {} } as unknown as NonNullable<GuardOptions['keys']>
  const { url } = await serve(t, { keys })
  const patient = await connect(url, authenticate(fresh()))
  const hasty = await connect(url, authenticate(fresh()), 'hello')
  assert.deepEqual(await hasty.closed, [4401, 'token_missing'])
  resolve(key)
  assert.equal(await patient.greeted(), 'hello user-123')
  const none = await serve(t, { keys: () => assert.fail('no keys yet') })
  assert.deepEqual(await (await connect(none.url, authenticate(fresh()))).closed, [1013, 'keys_unavailable'])
})

test('sockets: what a check throws rejects the promise, and closes the socket with 1011', async (t) => {
  const mistake = new Error('the database is gone')
  const check = () => {
    throw mistake
  }
  const { url, results } = await serve(t, {}, { requirement: { check } })
  const client = await connect(url, authenticate(fresh()))
  assert.deepEqual(await client.closed, [1011, ''])
  await assert.rejects(async () => results[0], mistake)
})

test('sockets: no listener is left on a socket or a list after the end', async (t) => {
  let listeners = 0
  const revocation = createRevocationList()
  const counted = {
    check: revocation.check,
    subscribe(listener: (entry: Revocation) => void) {
      listeners++
      const leave = revocation.subscribe(listener)
      return () => {
        listeners--
        leave()
      }
    },
  }
  const { url } = await serve(t, { revocation: counted })
  const client = await connect(url, authenticate(fresh()), authenticate(fresh()))
  await client.greeted()
  assert.equal(listeners, 1)
  client.socket.close(1000)
  await client.closed
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(listeners, 0)
})

test('sockets: invalid options throw', async () => {
  const guard = createGuard({ issuer, audience, keys: key, revocation: null })
  const socket = Object.assign(new EventTarget(), { close() {} }) as unknown as GuardedSocket
  const wrong: unknown[] = [
    { requirement: undefined },
    { requirement: { optional: true } },
    { requirement: { scopes: 'a' } },
    { timeout: 0 },
    { timeout: '2h' },
    { timeout: '5 s' },
    { onMessage: 'log' },
    { timeOut: 5 },
  ]
  for (const options of wrong) {
    assert.throws(() => authenticateSocket(guard, socket, options as SocketOptions), Error, JSON.stringify(options))
  }
  assert.throws(() => authenticateSocket({ ...guard } as Guard, socket), TypeError)
})

test('sockets: the WebSocket of browsers, Deno and Workers works, too', async () => {
  const guard = createGuard({ issuer, audience, keys: key, revocation: null })
  const closes: unknown[] = []
  const socket = Object.assign(new EventTarget(), { close: (...how: unknown[]) => closes.push(how) })
  const typed: (socket: globalThis.WebSocket) => unknown = (standard) => authenticateSocket(guard, standard)
  assert.equal(typeof typed, 'function')
  const result = authenticateSocket(guard, socket as unknown as GuardedSocket)
  socket.dispatchEvent(new MessageEvent('message', { data: authenticate(fresh()) }))
  assert.equal((await result)?.subject, 'user-123')
  socket.dispatchEvent(new MessageEvent('message', { data: 'an ordinary message' }))
  assert.deepEqual(closes, [])
  socket.dispatchEvent(new Event('close'))
})

test('sockets: a socket of another issuer is closed when that issuer revokes its token', async (t) => {
  const partner = 'https://partner.example.com'
  const other = await generateKey('ES256', { kid: 'es-1' })
  const revocation = createRevocationList()
  const { url } = await serve(t, { issuers: [{ issuer: partner, keys: other.publicKey, revocation }] })
  const claims = { sid: 's-1' }
  const theirs = tokenFor(claims, { currentDate: new Date(), issuer: partner }, other)
  const [closing, staying] = [
    await connect(url, authenticate(theirs)),
    await connect(url, authenticate(fresh({}, claims))),
  ]
  assert.equal(await closing.greeted(), 'hello user-123')
  assert.equal(await staying.greeted(), 'hello user-123')
  revocation.add({ kind: 'sid', sid: 's-1', until: Date.now() / 1000 + 900 })
  assert.deepEqual(await closing.closed, [4401, 'token_revoked'])
  assert.equal(staying.socket.readyState, WebSocket.OPEN)
})

test("sockets: the token of another issuer is watched by that issuer's revocations, not by the guard's", async (t) => {
  const revocation = createRevocationList()
  const other = createRevocationList()
  const b = 'https://b.example.com'
  const { url } = await serve(t, { revocation, issuers: [{ issuer: b, keys: key, revocation: other }] })
  const client = await connect(url, authenticate(fresh({ issuer: b }, { sid: 's1' })))
  await client.greeted()
  const until = Date.now() / 1000 + 900
  revocation.add({ kind: 'sid', sid: 's1', until })
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(client.socket.readyState, WebSocket.OPEN)
  other.add({ kind: 'sid', sid: 's1', until })
  assert.deepEqual(await client.closed, [4401, 'token_revoked'])
})
