import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { features } from '../../src/features.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { PASSWORD, type Started, standing, startAuth, tempDir } from '../server.ts'

const CREDENTIALS = { email: 'alex@example.com', password: PASSWORD }

async function start(): Promise<Started> {
  const started = await startAuth()
  await started.auth.users.create({ id: 'user-123', ...CREDENTIALS })
  return started
}

test('attack: two hundred unfinished log-in requests do not block other clients', async () => {
  await using started = await start()
  const sockets: Socket[] = []
  for (let i = 0; i < 200; i += 1) {
    const socket = connect(started.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write('POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{')
    sockets.push(socket)
  }
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal((await started.call('/login', { json: CREDENTIALS })).status, 200)
  for (const socket of sockets) socket.destroy()
})

test('attack: a log-out with a spent refresh token ends no other session', async () => {
  await using started = await start()
  const spent = (await started.call('/login', { json: CREDENTIALS })).body
  const second = (await started.call('/refresh', { json: { refresh_token: spent.refresh_token } })).body
  started.clock.advance(60_000)
  await started.call('/refresh', { json: { refresh_token: second.refresh_token } })
  const other = (await started.call('/login', { json: CREDENTIALS })).body
  for (const scope of ['others', 'all']) {
    const reply = await started.call('/logout', { json: { refresh_token: spent.refresh_token, scope } })
    assert.equal(reply.status, 204)
    assert.equal(await standing(started.auth, other.access_token), 'accepted', scope)
  }
})

test('attack: a log-out with a Bearer token does not end a cookie session or clear its cookie', async () => {
  await using started = await start()
  const byCookie = await started.call('/login', { json: { ...CREDENTIALS, mode: 'cookie' } })
  const Cookie = byCookie.headers.getSetCookie()[0]?.split(';')[0] as string
  const { access_token } = (await started.call('/login', { json: CREDENTIALS })).body
  const out = await started.call('/logout', { method: 'POST', token: access_token, headers: { Cookie } })
  assert.equal(out.status, 204)
  assert.deepEqual(out.headers.getSetCookie(), [])
  assert.equal(await standing(started.auth, byCookie.body.access_token), 'accepted')
})

test('log-out: with an expired access token, the cookie ends the session', async () => {
  await using started = await start()
  const reply = await started.call('/login', { json: { ...CREDENTIALS, mode: 'cookie' } })
  const Cookie = reply.headers.getSetCookie()[0]?.split(';')[0] as string
  started.clock.advance(20 * 60_000)
  const headers = { Cookie, 'Sec-Fetch-Site': 'same-origin' }
  const out = await started.call('/logout', { method: 'POST', token: reply.body.access_token, headers })
  assert.equal(out.status, 204)
  assert.match(out.headers.getSetCookie()[0] as string, /Max-Age=0/)
  const again = await started.call('/refresh', { method: 'POST', headers })
  assert.equal(again.body.reason, 'session_revoked')
  const forged = await started.call('/logout', {
    method: 'POST',
    token: 'x',
    headers: { Cookie, 'Sec-Fetch-Site': 'cross-site' },
  })
  assert.equal(forged.status, 403)
})

test('users: tokens of a new user with the id of a deleted user are accepted', async () => {
  await using started = await start()
  await started.auth.users.setRoles('user-123', ['x'])
  await started.auth.users.delete('user-123')
  started.clock.advance(1000)
  await started.auth.users.create({ id: 'user-123', ...CREDENTIALS })
  const { body } = await started.call('/login', { json: CREDENTIALS })
  assert.equal(await standing(started.auth, body.access_token), 'accepted')
})

test('sqlite: a cursor from before a backup was restored reads everything again', async () => {
  using directory = tempDir()
  const store = sqliteStore(`${directory.path}/auth.db`)
  await store.open({ features, migrate: 'auto' })
  const entry = { kind: 'sid', key: 'a', ver: null, until: 4_000_000_000 } as const
  await store.transaction((facts) => facts.revocations.append(entry))
  const page = await store.committed.revocations.since('.6', { now: 0, limit: 1000 })
  assert.deepEqual([page.entries.map(({ key }) => key), page.cursor], [['a'], '.1'])
  await store.close()
})
