import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { unsafeDecode } from '@sealwax/jwt'
import postgres from 'postgres'
import { features } from '../../src/features.ts'
import { createAuth } from '../../src/index.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { type PostgresServer, startPostgres } from '../postgres.ts'
import { PASSWORD, SECRET, standing, tempDir } from '../server.ts'

let server: PostgresServer
before(async () => {
  server = await startPostgres()
})
after(() => server.remove())

/** Waits up to 1.5 s for the result: another process needs a moment on a busy machine. */
async function eventually(expected: string, ask: () => Promise<string>): Promise<void> {
  for (let waited = 0; waited < 1500; waited += 10) {
    if ((await ask()) === expected) return
    await delay(10)
  }
  assert.equal(await ask(), expected)
}

const STORES = {
  sqlite: async (directory: string) => () => sqliteStore(join(directory, 'auth.db')),
  postgres: async () => {
    const url = await server.createDatabase()
    return () => postgresStore(url, { connections: 3 })
  },
}

for (const [name, stores] of Object.entries(STORES)) {
  describe(`two processes on one ${name}`, () => {
    async function pair() {
      const directory = tempDir()
      const open = await stores(directory.path)
      const options = { issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET }
      // Both on an empty database: they race for the migrations and the first key.
      const [one, two] = await Promise.all([
        createAuth({ ...options, store: open() }),
        createAuth({ ...options, store: open() }),
      ])
      const close = async () => {
        await Promise.all([one.close(), two.close()])
        directory[Symbol.dispose]()
      }
      return { one, two, [Symbol.asyncDispose]: close }
    }

    test('they start at the same time on an empty database and share one signing key', async () => {
      await using both = await pair()
      const { access_token } = await both.one.sessions.create({ subject: 'u' })
      assert.equal(await standing(both.two, access_token), 'accepted')
    })

    test('a token revoked by its jti is refused here at once and soon by the other; its session goes on', async () => {
      await using both = await pair()
      const { access_token, refresh_token } = await both.one.sessions.create({ subject: 'u' })
      const { jti = '' } = unsafeDecode(access_token).payload
      await both.one.tokens.revoke(jti)
      assert.equal(await standing(both.one, access_token), 'token_stale')
      await eventually('token_stale', () => standing(both.two, access_token))
      const renewed = await both.two.sessions.refresh(refresh_token)
      assert.equal(await standing(both.one, renewed.access_token), 'accepted')
      const { data } = await both.one.audit.list({ type: 'token.revoked' })
      assert.deepEqual(
        data.map((event) => event.data),
        [{ jti }],
      )
      for (const wrong of ['', 'a b', 'x'.repeat(257)]) {
        await assert.rejects(both.one.tokens.revoke(wrong), {
          code: 'validation_failed',
          message: /jti must be 1 to 256/,
        })
      }
    })

    test('a session ended by one is soon refused by the other, and its refresh immediately', async () => {
      await using both = await pair()
      const tokens = await both.one.sessions.create({ subject: 'u' })
      assert.equal(await standing(both.two, tokens.access_token), 'accepted')
      await both.one.sessions.revoke(tokens.session.id)
      await assert.rejects(both.two.sessions.refresh(tokens.refresh_token), { reason: 'session_revoked' })
      await eventually('token_revoked', () => standing(both.two, tokens.access_token))
    })

    test('after a role change on one, the other responds token_stale, and a refresh there brings the new roles', async () => {
      await using both = await pair()
      await both.one.users.create({ id: 'u1', email: 'alex@example.com', password: PASSWORD })
      const tokens = await both.two.sessions.create({ subject: 'u1' })
      await both.one.users.setRoles('u1', ['teacher'])
      await eventually('token_stale', () => standing(both.two, tokens.access_token))
      const fresh = await both.two.sessions.refresh(tokens.refresh_token)
      const auth = await both.two.guard.authenticate({ headers: { authorization: `Bearer ${fresh.access_token}` } })
      assert.deepEqual(auth.roles, ['teacher'])
    })

    test('fifty concurrent refreshes of one token on both give one successor', async () => {
      await using both = await pair()
      const { refresh_token } = await both.one.sessions.create({ subject: 'u' })
      const replies = await Promise.all(
        Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? both.one : both.two).sessions.refresh(refresh_token)),
      )
      assert.equal(new Set(replies.map((reply) => reply.refresh_token)).size, 1)
    })

    test('a waiting request of the feed gets a reply as soon as the other process revokes', async () => {
      await using both = await pair()
      const read = async (cursor?: string, wait?: number) => {
        const query = cursor === undefined ? '' : `?after=${cursor}`
        const headers = wait === undefined ? {} : { Prefer: `wait=${wait}` }
        const url = `http://127.0.0.1:5000/.well-known/revocations${query}`
        const response = await both.two.fetch(new Request(url, { headers }))
        assert.equal(response.status, 200)
        return response.json() as Promise<{
          cursor: string
          as_of: number
          snapshot: boolean
          entries: { sid?: string }[]
        }>
      }
      const first = await read()
      assert.deepEqual([first.snapshot, first.entries], [true, []])
      const { session } = await both.one.sessions.create({ subject: 'u' })
      const waiting = read(first.cursor, 20)
      const started = performance.now()
      await delay(50)
      await both.one.sessions.revoke(session.id)
      const answer = await waiting
      assert.deepEqual(
        answer.entries.map(({ sid }) => sid),
        [session.id],
      )
      assert.equal(answer.snapshot, false)
      assert.ok(performance.now() - started < 5000, 'the reply came with the revocation, not at the end of the wait')
      const foreign = await read('another-epoch.1')
      assert.equal(foreign.snapshot, true)
      assert.equal(foreign.entries.length, 1)
    })
  })
}

test('postgres: a revocation is read while an earlier transaction is open, and the earlier one is not missed', async () => {
  const url = await server.createDatabase()
  const store = postgresStore(url, { connections: 5 })
  await store.open({ features, migrate: 'auto' })
  const sql = postgres(url, { max: 2, onnotice: () => {} })
  const entry = (key: string) => ({ kind: 'sid' as const, key, ver: null, until: 4_000_000_000 })
  const start = await store.committed.revocations.since(undefined, { now: 0, limit: 1000 })
  const held = await sql.reserve()
  await held`begin`
  await held`insert into sealwax.revocations ${held(entry('early'))}`
  await store.transaction((facts) => facts.revocations.append(entry('late')))
  const during = await store.committed.revocations.since(start.cursor, { now: 0, limit: 1000 })
  assert.deepEqual(
    during.entries.map(({ key }) => key),
    ['late'],
  )
  await held`commit`
  held.release()
  const afterwards = await store.committed.revocations.since(during.cursor, { now: 0, limit: 1000 })
  assert.ok(afterwards.entries.some(({ key }) => key === 'early'))
  await sql.end()
  await store.close()
})

test('postgres: a transaction that began before a snapshot in pages and commits during it is not missed', async () => {
  const url = await server.createDatabase()
  const store = postgresStore(url, { connections: 5 })
  await store.open({ features, migrate: 'auto' })
  const sql = postgres(url, { max: 2, onnotice: () => {} })
  const entry = (key: string) => ({ kind: 'sid' as const, key, ver: null, until: 4_000_000_000 })
  const revoke = (key: string) => store.transaction((facts) => facts.revocations.append(entry(key)))
  const since = (cursor?: string) => store.committed.revocations.since(cursor, { now: 0, limit: 3 })
  const keysOf = ({ entries }: { entries: readonly { key: string }[] }) => entries.map(({ key }) => key)
  await revoke('a')
  const held = await sql.reserve()
  await held`begin`
  await held`insert into sealwax.revocations ${held(entry('early'))}`
  for (const key of ['b', 'c', 'd', 'e']) await revoke(key)
  const first = await since()
  assert.deepEqual([keysOf(first), first.more, first.snapshot], [['a', 'b', 'c'], true, true])
  await held`commit`
  held.release()
  await revoke('late')
  const second = await since(first.cursor)
  assert.deepEqual([keysOf(second), second.more, second.snapshot], [['d', 'e', 'late'], true, false])
  const last = await since(second.cursor)
  assert.deepEqual([keysOf(last), last.more], [[], false])
  // What was committed since the first page may be sent again, in pages, with the early one.
  const news: string[] = []
  let page = await since(last.cursor)
  for (; page.more; page = await since(page.cursor)) news.push(...keysOf(page))
  news.push(...keysOf(page))
  assert.ok(news.includes('early'), news.join())
  assert.deepEqual(keysOf(await since(page.cursor)), [])
  await sql.end()
  await store.close()
})

test('postgres: invented cursors get a page without an error', async () => {
  const store = postgresStore(await server.createDatabase(), { connections: 5 })
  await store.open({ features, migrate: 'auto' })
  const entry = { kind: 'sid', ver: null, until: 4_000_000_000 } as const
  await store.transaction(async (facts) => {
    for (const key of ['a', 'b', 'c', 'd']) await facts.revocations.append({ ...entry, key })
  })
  for (const cursor of [
    ...['1-0-0-', '1-0-1-1', '18446744073709551615-0-0-', '99999999999999999999-0-0-', '-0-0-99999999999999999999'],
    ...['1-9999999999999999-1-', '-1-9999999999999999-', '0', '-', '1-1', '1-0-4-'],
  ]) {
    const { entries } = await store.committed.revocations.since(cursor, { now: 0, limit: 2 })
    assert.ok(entries.length <= 4, cursor)
  }
  await store.close()
})

test('postgres: rows restored from a server with higher transaction numbers are read once, and later ones are not missed', async () => {
  const url = await server.createDatabase()
  const store = postgresStore(url, { connections: 5 })
  await store.open({ features, migrate: 'auto' })
  const sql = postgres(url, { max: 2, onnotice: () => {} })
  const entry = (key: string) => ({ kind: 'sid' as const, key, ver: null, until: 4_000_000_000 })
  // As in a dump of pg_dump, with their transaction numbers.
  for (const [key, txid] of Object.entries({ a: '1000000', b: '1000001', c: '9000000000' })) {
    await sql`insert into sealwax.revocations ${sql({ ...entry(key), txid })}`
  }
  const since = async (cursor?: string) => {
    const page = await store.committed.revocations.since(cursor, { now: 0, limit: 3 })
    return { ...page, keys: page.entries.map(({ key }) => key) }
  }
  const first = await since()
  assert.deepEqual(first.keys, ['a', 'b', 'c'])
  const end = await since(first.cursor)
  assert.deepEqual([end.keys, end.more], [[], false])
  assert.deepEqual((await since(end.cursor)).keys, [])
  const held = await sql.reserve()
  await held`begin`
  await held`insert into sealwax.revocations ${held(entry('early'))}`
  await store.transaction((facts) => facts.revocations.append(entry('late')))
  const during = await since(end.cursor)
  assert.deepEqual(during.keys, ['late'])
  await held`commit`
  held.release()
  const afterwards = await since(during.cursor)
  assert.ok(afterwards.keys.includes('early'))
  assert.deepEqual((await since(afterwards.cursor)).keys, [])
  await sql.end()
  await store.close()
})

test('postgres: after a crash reuses transaction numbers, no revocation is missed', async () => {
  const store = postgresStore(await server.createDatabase(), { connections: 5 })
  await store.open({ features, migrate: 'auto' })
  const revoke = (key: string) =>
    store.transaction((facts) => facts.revocations.append({ kind: 'sid', key, ver: null, until: 4_000_000_000 }))
  await revoke('before')
  // Aborted transactions, whose numbers are used again after a crash.
  for (let i = 0; i < 5; i += 1) {
    const undone = store.transaction(async (facts) => {
      await facts.metadata.getOrSet(`name-${i}`, 'x')
      throw new Error('undone')
    })
    await assert.rejects(undone, /undone/)
  }
  const { cursor } = await store.committed.revocations.since(undefined, { now: 0, limit: 1000 })
  await server.stop('crash')
  await server.start()
  await revoke('after')
  const page = await store.committed.revocations.since(cursor, { now: 0, limit: 1000 })
  assert.deepEqual(
    page.entries.map(({ key }) => key),
    ['after'],
  )
  assert.deepEqual((await store.committed.revocations.since(page.cursor, { now: 0, limit: 1000 })).entries, [])
  await store.close()
})

test('postgres: after a crash of the database, changes are heard by notification again, not only by polling', async () => {
  const store = postgresStore(await server.createDatabase(), { connections: 5 })
  await store.open({ features, migrate: 'auto' })
  let heard = () => {}
  const stop = store.follow(() => heard())
  await server.stop('crash')
  await assert.rejects(store.ping(), { code: 'temporarily_unavailable' })
  await server.start()
  await delay(1500)
  let atOnce = 0
  for (const key of ['a', 'b', 'c', 'd', 'e']) {
    const news = new Promise<void>((resolve) => {
      heard = resolve
    })
    await store.transaction((facts) => facts.revocations.append({ kind: 'sid', key, ver: null, until: 4_000_000_000 }))
    const committed = performance.now()
    await news
    // With only a poll every second, this would happen once in five times.
    if (performance.now() - committed < 200) atOnce += 1
  }
  assert.ok(atOnce >= 4, `${atOnce} of 5 were heard immediately`)
  await stop()
  await store.close()
})
