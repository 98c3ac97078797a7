import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { createGuard, type FeedReport } from '@sealwax/guard'
import postgres from 'postgres'
import type { Store } from '../../src/core/unit-of-work.ts'
import { features } from '../../src/features.ts'
import { toNodeHandler } from '../../src/http/node.ts'
import { type AuthOptions, createAuth } from '../../src/index.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { startPostgres } from '../postgres.ts'
import { listen, SECRET, standing } from '../server.ts'
import { openFile } from '../stores.ts'

const PATH = '/.well-known/revocations'
const PAGE = 5000
/** Two full pages and a third page that is too long for a short reply. */
const MANY = 2 * PAGE + 1000

interface Page {
  cursor: string
  snapshot: boolean
  more: boolean
  entries: { kind: string; sid: string; until: number }[]
}

const soon = () => Math.floor(Date.now() / 1000) + 3600
const name = (i: number) => `session-${String(i).padStart(14, '0')}`

function revoke(store: Store, names: readonly string[], until = soon()): Promise<void> {
  return store.transaction(async ({ revocations }) => {
    for (const key of names) await revocations.append({ kind: 'sid', key, ver: null, until })
  })
}

it('one read of the store serves all waiting guards', async () => {
  const { store, [Symbol.asyncDispose]: dispose } = await openFile()
  let reads = 0
  const { committed } = store
  const since: typeof committed.revocations.since = (...given) => {
    reads += 1
    return committed.revocations.since(...given)
  }
  const counting: Store = { ...store, committed: { ...committed, revocations: { ...committed.revocations, since } } }
  const auth = await createAuth({ issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET, store: counting })
  await using app = await listen(toNodeHandler(auth))
  const ask = async (cursor: string, headers = {}) =>
    (await (await fetch(`${app.url}${PATH}?after=${cursor}`, { headers })).json()) as Page
  const { cursor } = await ask('')
  const waiting = Array.from({ length: 40 }, () => ask(cursor, { Prefer: 'wait=20' }))
  while (reads < 3) await delay(10)
  await delay(200)
  const before = reads
  await revoke(store, ['a'])
  const pages = await Promise.all(waiting)
  assert.ok(pages.every(({ entries }) => entries[0]?.sid === 'a'))
  assert.ok(reads - before <= 4, `${reads - before} reads`)
  await auth.close()
  await dispose()
})

/** A store, and its database for {@link fill} to write to directly. */
const STORES: Record<string, () => Promise<{ store: Store; fill(count: number): Promise<void> } & AsyncDisposable>> = {
  async sqlite() {
    const { store, file, [Symbol.asyncDispose]: dispose } = await openFile()
    const fill = async (count: number) => {
      const database = new DatabaseSync(file)
      const insert = database.prepare(`insert into revocations (kind, key, ver, until) values ('sid', ?, null, ?)`)
      database.exec('begin')
      for (let i = 0; i < count; i += 1) insert.run(name(i), soon())
      database.exec('commit')
      database.close()
    }
    return { store, fill, [Symbol.asyncDispose]: dispose }
  },
  async postgres() {
    const server = await startPostgres()
    const url = await server.createDatabase()
    const store = postgresStore(url, { connections: 4 })
    await store.open({ features, migrate: 'auto' })
    const fill = async (count: number) => {
      const sql = postgres(url, { max: 1, onnotice: () => {} })
      await sql`
        insert into sealwax.revocations (kind, key, ver, until)
        select 'sid', 'session-' || lpad((n - 1)::text, 14, '0'), null, ${soon()}::bigint from generate_series(1, ${count}::int) n`
      await sql.end()
    }
    const close = async () => {
      await store.close()
      await server.remove()
    }
    return { store, fill, [Symbol.asyncDispose]: close }
  },
}

/** A server on a real socket. */
async function start({ store, ...options }: Partial<AuthOptions> & { store: Store }) {
  const server = await listen(() => {})
  const auth = await createAuth({ issuer: server.url, audience: 'api', secret: SECRET, store, ...options })
  server.server.on('request', toNodeHandler(auth))
  const read = async (after?: string, headers: Record<string, string> = {}): Promise<Page> => {
    const response = await fetch(`${server.url}${PATH}${after === undefined ? '' : `?after=${after}`}`, { headers })
    assert.equal(response.status, 200)
    return response.json() as Promise<Page>
  }
  const close = async () => {
    await server[Symbol.asyncDispose]()
    await auth.close()
  }
  return { auth, store, url: server.url, port: server.port, server: server.server, read, [Symbol.asyncDispose]: close }
}

/** Counts how often revocations are read from the store. */
function counting(store: Store): { store: Store; reads: () => number } {
  let reads = 0
  const counted: Store = {
    ...store,
    get committed() {
      const facts = store.committed
      const since: typeof facts.revocations.since = (...given) => {
        reads += 1
        return facts.revocations.since(...given)
      }
      return { ...facts, revocations: { ...facts.revocations, since } }
    },
  }
  return { store: counted, reads: () => reads }
}

/** Connects from a local address and sends a request, without reading the response. */
async function send(port: number, localAddress: string, text: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  socket.on('error', () => {})
  await new Promise((done) => socket.once('connect', done))
  socket.write(text)
  return socket
}

const request = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`

for (const [kind, open] of Object.entries(STORES)) {
  describe(`the feed in pages: ${kind}`, () => {
    it('a snapshot comes in pages and misses nothing that is revoked or purged in between', async () => {
      await using opened = await open()
      await revoke(opened.store, ['past'], 1)
      await opened.fill(MANY)
      await using server = await start({ store: opened.store })
      const seen = new Set<string>()
      let page = await server.read()
      assert.deepEqual([page.snapshot, page.more, page.entries.length], [true, true, PAGE])
      const first = page.cursor
      for (let pages = 1; page.more; pages += 1) {
        for (const { sid } of page.entries) seen.add(sid)
        await revoke(opened.store, [`meanwhile-${pages}`])
        await opened.store.transaction(({ revocations }) => revocations.purge(2, 100))
        page = await server.read(page.cursor)
        assert.deepEqual([page.snapshot, pages < 10], [false, true])
      }
      for (const { sid } of page.entries) seen.add(sid)
      for (const { sid } of (await server.read(page.cursor)).entries) seen.add(sid)
      assert.equal(seen.size, MANY + 3 - 1)
      assert.ok(seen.has('meanwhile-1') && seen.has(name(0)) && seen.has(name(MANY - 1)) && !seen.has('past'))
      assert.equal((await server.read(`other.${first.split('.')[1]}`)).snapshot, true)
    })

    it('a remote guard accepts no token before the last page, and then refuses every ended session', async () => {
      await using opened = await open()
      await opened.fill(MANY)
      await using server = await start({ store: opened.store })
      const last = (await server.auth.sessions.create({ subject: 'u' })) as {
        access_token: string
        session: { id: string }
      }
      await server.auth.sessions.revoke(last.session.id)
      const good = await server.auth.sessions.create({ subject: 'u' })
      const guard = createGuard({ issuer: server.url, audience: 'api' })
      assert.equal(await standing({ guard }, last.access_token), 'token_revoked')
      assert.equal(await standing({ guard }, good.access_token), 'accepted')
      await guard.close()
    })

    it('a page is read, serialised and compressed once for all readers', async () => {
      await using opened = await open()
      const counted = counting(opened.store)
      await opened.fill(MANY)
      await using server = await start({ store: counted.store })
      const headers = { 'accept-encoding': 'gzip' }
      const first = await server.read(undefined, headers)
      await server.read(first.cursor, headers)
      const before = counted.reads()
      const pages = await Promise.all(Array.from({ length: 20 }, () => server.read(first.cursor, headers)))
      // Postgres is also polled once a second.
      assert.ok(counted.reads() - before < 15, `${counted.reads() - before} reads`)
      assert.equal(new Set(pages.map((page) => JSON.stringify(page))).size, 1)
    })
  })
}

describe('many readers of the feed', () => {
  const sqlite = STORES.sqlite as (typeof STORES)[string]

  it('readers that accept gzip get less than half of the bytes, others get plain JSON', async () => {
    await using opened = await sqlite()
    await opened.fill(MANY)
    await using server = await start({ store: opened.store })
    const get = async (encoding: string) => {
      const socket = await send(
        server.port,
        '127.0.0.1',
        request(PATH, `Connection: close\r\nAccept-Encoding: ${encoding}\r\n`),
      )
      const octets = Buffer.concat(await socket.toArray())
      const end = octets.indexOf('\r\n\r\n')
      return { head: octets.subarray(0, end).toString(), body: octets.subarray(end + 4) }
    }
    const plain = await get('identity')
    for (const encoding of ['gzip', 'br, gzip;q=0.5', '*']) {
      const zipped = await get(encoding)
      assert.match(zipped.head, /^content-encoding: gzip$/im)
      assert.match(zipped.head, /^vary: accept-encoding$/im)
      assert.deepEqual(gunzipSync(zipped.body), plain.body)
      assert.ok(zipped.body.length < plain.body.length / 2)
    }
    for (const encoding of ['gzip;q=0', 'br', '*;q=0', 'gzip;q=0, *']) {
      assert.doesNotMatch((await get(encoding)).head, /^content-encoding/im)
    }
  })

  it('60 clients that read the snapshot repeatedly do not make remote guards respond 503', async () => {
    await using opened = await sqlite()
    await opened.fill(MANY)
    await using server = await start({ store: opened.store })
    const tokens = await server.auth.sessions.create({ subject: 'u' })
    const ended = await server.auth.sessions.create({ subject: 'u' })
    const reports: FeedReport[] = []
    const guard = createGuard({
      issuer: server.url,
      audience: 'api',
      revocation: { onFeed: (one) => reports.push(one) },
    })
    assert.equal(await standing({ guard }, tokens.access_token), 'accepted')
    let over = false
    let replies = 0
    const sockets = new Set<Socket>()
    const again = async (): Promise<void> => {
      while (!over) {
        const socket = await send(server.port, '127.0.1.1', request(PATH, 'Connection: close\r\n'))
        sockets.add(socket)
        await socket.toArray().catch(() => {})
        sockets.delete(socket)
        replies += 1
      }
    }
    const strangers = Array.from({ length: 60 }, again)
    for (let i = 0; i < 10; i += 1) {
      assert.equal(await standing({ guard }, tokens.access_token), 'accepted')
      await delay(100)
    }
    await server.auth.sessions.revoke(ended.session.id)
    for (let i = 0; i < 100 && (await standing({ guard }, ended.access_token)) !== 'token_revoked'; i += 1)
      await delay(20)
    assert.equal(await standing({ guard }, ended.access_token), 'token_revoked')
    over = true
    for (const socket of sockets) socket.destroy()
    await Promise.all(strangers)
    await guard.close()
    assert.ok(replies > 20, `${replies} snapshots`)
    assert.deepEqual(
      reports.filter(({ error }) => error !== undefined),
      [],
    )
  })

  it('clients that do not read their responses use little memory and do not block other readers', async () => {
    await using opened = await sqlite()
    await opened.fill(MANY)
    await using server = await start({ store: opened.store })
    await server.read()
    const held = () => process.memoryUsage().arrayBuffers
    const before = held()
    const closed: number[] = []
    // More than the socket buffers can hold, on more connections than there are places.
    const readers = await Promise.all(
      Array.from({ length: 60 }, () => send(server.port, '127.0.1.1', request(PATH).repeat(25))),
    )
    for (const [i, reader] of readers.entries()) reader.once('close', () => closed.push(i))
    await delay(500)
    const most = held() - before
    assert.ok(most < 100e6, `${Math.round(most / 1e6)} MB in use`)
    const began = performance.now()
    assert.equal((await server.read()).entries.length, PAGE)
    assert.ok(performance.now() - began < 8000, `served after ${Math.round(performance.now() - began)} ms`)
    for (const reader of readers) reader.destroy()
  })

  it('a network that takes all waiting places makes room for a guard of another network', async () => {
    await using opened = await sqlite()
    await using server = await start({ store: opened.store })
    const { cursor } = await server.read()
    const path = `${PATH}?after=${cursor}`
    const sockets = await Promise.all(
      Array.from({ length: 210 }, () => send(server.port, '127.0.1.1', request(path, 'Prefer: wait=25\r\n'))),
    )
    await delay(300)
    const { session } = await server.auth.sessions.create({ subject: 'u' })
    const waiting = server.read(cursor, { prefer: 'wait=25' })
    await delay(100)
    await server.auth.sessions.revoke(session.id)
    assert.equal((await waiting).entries[0]?.sid, session.id)
    for (const socket of sockets) socket.destroy()
  })
})
