import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import type { Store } from '../../src/core/unit-of-work.ts'
import { features } from '../../src/features.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { keepEpoch, sendOver } from '../../src/store/postgres/look.ts'
import { type PostgresServer, persist, startPostgres } from '../postgres.ts'
import { proxyTo } from '../proxy.ts'

const UNAVAILABLE = { code: 'temporarily_unavailable' }

describe('connections to Postgres', () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.remove())

  /** The URL of a new database for a role with this connection limit. */
  async function limitedTo(connections: number): Promise<string> {
    const url = new URL(await server.createDatabase())
    const admin = postgres(url.href, { max: 1, onnotice: () => {} })
    const role = `limited_${url.pathname.slice(1)}`
    await admin.unsafe(`create role ${role} login connection limit ${connections};
      grant create on database ${url.pathname.slice(1)} to ${role}`)
    await admin.end()
    url.username = role
    return url.href
  }

  for (const [limit, servers] of [
    [1, 1],
    [6, 2],
  ] as const) {
    it(`connection limit of ${limit}, number of servers ${servers}: requests wait for a connection and none fails`, async () => {
      const url = await limitedTo(limit)
      const stores = Array.from({ length: servers }, () => postgresStore(url))
      for (const store of stores) await store.open({ features, migrate: 'auto' })
      const work = stores.flatMap((store, s) =>
        Array.from({ length: 15 }, (_, i) => [
          store.transaction((facts) => facts.metadata.set(`${s}-${i}`, 'x')),
          store.committed.metadata.get(`${s}-${i}`),
        ]).flat(),
      )
      await Promise.all(work)
      for (const store of stores) await store.close()
    })
  }

  it('continuous reads do not keep writes from the only connection', async () => {
    const store = postgresStore(await limitedTo(1))
    await store.open({ features, migrate: 'auto' })
    let reading = true
    const readers = Array.from({ length: 30 }, async () => {
      while (reading) await store.committed.metadata.get('x')
    })
    await delay(100)
    // A transaction that gets no connection within five seconds fails.
    for (let i = 0; i < 2; i += 1) await store.transaction((facts) => facts.metadata.set('x', String(i)))
    reading = false
    await Promise.all(readers)
    await store.close()
  })

  it('during an outage, requests fail immediately with few connection attempts, and work soon after it', async () => {
    const url = new URL(await server.createDatabase())
    await using proxy = await proxyTo(Number(url.port))
    const store = postgresStore(`postgres://sealwax@127.0.0.1:${proxy.port}${url.pathname}`)
    await store.open({ features, migrate: 'auto' })
    await Promise.all(Array.from({ length: 20 }, () => store.committed.metadata.get('x')))
    proxy.cut()
    await assert.rejects(store.committed.metadata.get('x'), UNAVAILABLE)
    const before = proxy.attempts
    const times: number[] = []
    const until = performance.now() + 1000
    const work = Array.from({ length: 50 }, async () => {
      while (performance.now() < until) {
        const started = performance.now()
        await assert.rejects(store.committed.metadata.get('x'), UNAVAILABLE)
        await assert.rejects(
          store.transaction((facts) => facts.metadata.set('x', '1')),
          UNAVAILABLE,
        )
        times.push(performance.now() - started)
        await delay(5)
      }
    })
    await Promise.all(work)
    const attempts = proxy.attempts - before
    const slow = times.filter((time) => time > 500).length
    assert.ok(attempts <= 10, `${attempts} attempts for ${times.length * 2} requests in a second`)
    assert.ok(slow * 10 < times.length, `${slow} of ${times.length} took longer than half a second`)
    proxy.mend()
    await persist(() => store.committed.metadata.get('x'))
    await store.close()
  })

  it('open connections to a server that became read-only are closed', async () => {
    const url = await server.createDatabase()
    const admin = postgres(url, { max: 1, onnotice: () => {} })
    const name = new URL(url).pathname.slice(1)
    const store = postgresStore(url)
    await store.open({ features, migrate: 'auto' })
    const write = (value: string) => store.transaction((facts) => facts.metadata.set('x', value))
    await Promise.all(Array.from({ length: 10 }, (_, i) => write(String(i))))
    await admin.unsafe(`alter database ${name} set default_transaction_read_only to on`)
    // With a timeout, the function waits until the backend has ended.
    await admin`select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'sealwax'`
    await delay(300)
    await assert.rejects(write('refused'), UNAVAILABLE)
    // Reads still work.
    assert.notEqual(await store.committed.metadata.get('x'), 'refused')
    await assert.rejects(write('refused'), UNAVAILABLE)
    assert.notEqual(await store.committed.metadata.get('x'), 'refused')
    await admin.unsafe(`begin read write; alter database ${name} reset default_transaction_read_only; commit`)
    await persist(() => write('again'))
    assert.equal(await store.committed.metadata.get('x'), 'again')
    await store.close()
    await admin.end()
  })

  it('a host that accepts connections but never responds causes no long delay while another host works', async () => {
    const silent = createServer((socket) => socket.on('error', () => {}))
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening))
    const url = new URL(await server.createDatabase())
    const hosts = `127.0.0.1:${(silent.address() as AddressInfo).port},127.0.0.1:${url.port}`
    const store = postgresStore(`postgres://sealwax@${hosts}${url.pathname}?target_session_attrs=primary`)
    const started = performance.now()
    await store.open({ features, migrate: 'auto' })
    await Promise.all(Array.from({ length: 10 }, () => store.committed.metadata.get('x')))
    assert.ok(performance.now() - started < 4500)
    await store.close()
    silent.close()
  })

  it('a statement that waits for a lock while no new connection can be opened does not affect other connections', async () => {
    const url = new URL(await server.createDatabase())
    await using proxy = await proxyTo(Number(url.port))
    const store = postgresStore(`postgres://sealwax@127.0.0.1:${proxy.port}${url.pathname}`, { connections: 5 })
    await store.open({ features, migrate: 'auto' })
    const write = (name: string) => store.transaction((facts) => facts.metadata.set(name, 'x'))
    await Promise.all([write('locked'), write('other')])
    // Behaves like a pooler whose connections are all in use.
    proxy.hold()
    const admin = postgres(url.href, { max: 1, onnotice: () => {} })
    const waiting = await admin.begin(async (locking) => {
      await locking`select from sealwax.metadata where name = 'locked' for update`
      const waits = write('locked')
      waits.catch(() => {})
      for (const until = performance.now() + 6500; performance.now() < until; await delay(50)) {
        await store.committed.metadata.get('other')
        await write('other')
      }
      return [waits] as const
    })
    await waiting[0]
    await Promise.all([store.close(), admin.end()])
  })

  it('a connection that failed to replace the epoch is left without an open transaction', async () => {
    const url = await server.createDatabase()
    const store = postgresStore(url)
    await store.open({ features, migrate: 'auto' })
    const [one, other] = [postgres(url, { max: 1, onnotice: () => {} }), postgres(url, { max: 1, onnotice: () => {} })]
    await one`insert into sealwax.metadata values ('feed_epoch', 'first'), ('feed_timeline', '00000009')
      on conflict (name) do update set value = excluded.value`
    await one`set lock_timeout = '100ms'`
    const seen = {
      instance: '1',
      standby: false,
      readOnly: false,
      timeline: '00000010',
      storedTimeline: '00000009',
      hasEpoch: true,
    }
    await other.begin(async (locking) => {
      await locking`select from sealwax.metadata for update`
      await assert.rejects(keepEpoch(sendOver(one), seen), { code: '55P03' })
    })
    assert.equal((await one`select 1 as one`)[0]?.one, 1)
    assert.equal(await keepEpoch(sendOver(one), seen), true)
    await Promise.all([one.end(), other.end(), store.close()])
  })

  /** Simulates a failover by storing that the epoch was created on another timeline. */
  async function pretendFailover(store: Store): Promise<void> {
    await store.transaction(async ({ metadata }) => {
      await metadata.set('feed_epoch', 'old')
      await metadata.set('feed_timeline', '000000FF')
    })
  }

  it('if several servers see a new primary, one replaces the epoch and all use the new one', async () => {
    const url = await server.createDatabase()
    const first = postgresStore(url)
    await first.open({ features, migrate: 'auto' })
    await pretendFailover(first)
    const stores = Array.from({ length: 8 }, () => postgresStore(url, { connections: 3 }))
    await Promise.all(stores.map((store) => store.open({ features, migrate: 'off' })))
    const epochs = await Promise.all([first, ...stores].map((store) => store.committed.metadata.get('feed_epoch')))
    assert.equal(new Set(epochs).size, 1)
    assert.notEqual(epochs[0], 'old')
    for (const store of [first, ...stores]) await store.close()
  })

  it('a server that follows the feed detects a failover even if its connections survive, as behind a pooler', async () => {
    const store = postgresStore(await server.createDatabase())
    await store.open({ features, migrate: 'auto' })
    await pretendFailover(store)
    const stop = store.follow(() => {})
    while ((await store.committed.metadata.get('feed_epoch')) === 'old') await delay(50)
    await stop()
    await store.close()
  })

  it('a database that does not report its timeline causes a warning at the start, and the epoch is kept', async () => {
    const url = new URL(await server.createDatabase())
    const admin = postgres(url.href, { max: 1, onnotice: () => {} })
    await admin.unsafe(`create role plain login; grant create on database ${url.pathname.slice(1)} to plain;
      revoke execute on function pg_walfile_name(pg_lsn) from public`)
    url.username = 'plain'
    const store = postgresStore(url.href)
    const warnings: string[] = []
    await store.open({ features, migrate: 'auto', warn: (sentence) => warnings.push(sentence) })
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /sealwax db new-epoch/)
    await pretendFailover(store)
    await store.close()
    await store.open({ features, migrate: 'auto' })
    assert.equal(await store.committed.metadata.get('feed_epoch'), 'old')
    await store.close()
    await admin.unsafe(`grant execute on function pg_walfile_name(pg_lsn) to public`)
    await admin.end()
  })

  it('an invalid number of connections is refused', () => {
    for (const connections of [0, 2, 2.5, 1001, Number.NaN]) {
      assert.throws(() => postgresStore('postgres://u@h/d', { connections }), {
        code: 'config_invalid',
        message: 'connections must be a number from 3 to 1000',
      })
    }
  })
})
