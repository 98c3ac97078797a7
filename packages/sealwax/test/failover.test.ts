import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import type { Store } from '../src/store/contract/store.ts'
import { postgresStore } from '../src/store/postgres/index.ts'
import { type PostgresServer, startPostgres, withoutStandby } from './postgres.ts'

const PAGE = { now: 0, limit: 1000 }

function revoke(store: Store, key: string): Promise<void> {
  const entry = { kind: 'sid', key, ver: null, until: 4_000_000_000 } as const
  return store.transaction((facts) => facts.revocations.append(entry))
}

const keysAfter = async (store: Store, cursor: string) => {
  const page = await store.committed.revocations.since(cursor, PAGE)
  return { keys: page.entries.map(({ key }) => key), snapshot: page.snapshot }
}

/** Until it does not reject any more, for 5 s at most. */
async function persist<T>(run: () => Promise<T>): Promise<T> {
  for (const started = performance.now(); ; await delay(50)) {
    try {
      return await run()
    } catch (error) {
      assert.equal((error as { code: string }).code, 'temporarily_unavailable')
      if (performance.now() - started > 5000) throw error
    }
  }
}

describe('a standby that lacks the last log-outs is promoted', { skip: withoutStandby() }, () => {
  let primary: PostgresServer
  let standby: PostgresServer
  let url: string
  const stores: Store[] = []
  const open = async (parameters = '') => {
    const store = postgresStore(`${url}${parameters}`, { connections: 4 })
    stores.push(store)
    await store.open({ migrate: 'auto' })
    return store
  }

  before(async () => {
    primary = await startPostgres()
    const { pathname } = new URL(await primary.createDatabase())
    standby = await startPostgres({}, { standbyOf: primary })
    // The standby comes first: each connection has to pass it by.
    url = `postgres://sealwax@127.0.0.1:${standby.port},127.0.0.1:${primary.port}${pathname}`
  })
  after(async () => {
    for (const store of stores) await store.close()
    await standby.remove()
    await primary.remove()
  })

  it('no log-out on the new primary is missed by a guard or server that read on from the old one', async () => {
    const [one, other] = [await open('?target_session_attrs=read-write'), await open()]
    const epoch = await one.transaction((facts) => facts.metadata.getOrSet('feed_epoch', 'first'))
    assert.equal(epoch, 'first')
    // With an epoch there, the next connection stores the timeline; the one after it finds it.
    for (let i = 0; i < 2; i += 1) await (await open()).committed.metadata.get('feed_timeline')
    assert.equal(await one.committed.metadata.get('feed_timeline'), '00000001')
    assert.equal(await one.committed.metadata.get('feed_epoch'), 'first')
    await revoke(one, 'before')
    await arrived(standby, url)
    const admin = postgres(`postgres://sealwax@127.0.0.1:${standby.port}/postgres`, { max: 1, onnotice: () => {} })
    await admin`alter system set primary_conninfo = ''`
    await admin`select pg_reload_conf()`
    await admin.end()
    await delay(300)
    for (const key of ['lost 1', 'lost 2', 'lost 3']) await revoke(one, key)
    const { cursor } = await other.committed.revocations.since(undefined, PAGE)
    assert.deepEqual(await keysAfter(other, cursor), { keys: [], snapshot: false })

    await primary.stop('crash')
    const began = performance.now()
    await assert.rejects(revoke(one, 'x'), { code: 'temporarily_unavailable' })
    await assert.rejects(one.committed.metadata.get('x'), { code: 'temporarily_unavailable' })
    assert.ok(performance.now() - began < 2000, 'an outage is told at once')
    standby.promote()

    await persist(() => revoke(one, 'after 1'))
    await revoke(one, 'after 2')
    // Both have been given positions that the old primary gave, too: the cursor of the old epoch begins anew.
    const { keys, snapshot } = await persist(() => keysAfter(other, cursor))
    assert.deepEqual({ keys: keys.toSorted(), snapshot }, { keys: ['after 1', 'after 2', 'before'], snapshot: true })
    const replaced = await other.committed.metadata.get('feed_epoch')
    assert.match(replaced ?? '', /^[0-9a-f]{32}$/)
    assert.equal(await one.committed.metadata.get('feed_timeline'), '00000002')

    // A server that starts now, and more connections of the old ones, leave the new epoch as it is.
    const third = await open()
    await Promise.all([one, other, third].flatMap((store) => [revoke(store, 'y'), store.ping(), revoke(store, 'z')]))
    assert.equal(await third.committed.metadata.get('feed_epoch'), replaced)
  })
})

/** The standby has all that the primary has written so far. */
async function arrived(standby: PostgresServer, url: string): Promise<void> {
  const { pathname } = new URL(url.replace(/,[^/]*/, ''))
  const sql = postgres(`postgres://sealwax@127.0.0.1:${standby.port}${pathname}`, { max: 1, onnotice: () => {} })
  while ((await sql`select from sealwax.revocations where key = 'before'`).length === 0) await delay(20)
  await sql.end()
}

describe('many servers see the new primary at once', () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.remove())

  /** Stands for a failover: what is stored says that the epoch was made under another timeline. */
  async function pretendFailover(store: Store): Promise<void> {
    await store.transaction(async ({ metadata }) => {
      await metadata.set('feed_epoch', 'old')
      await metadata.set('feed_timeline', '000000FF')
    })
  }

  it('one of them replaces the epoch, and all go on with that one', async () => {
    const url = await server.createDatabase()
    const first = postgresStore(url)
    await first.open({ migrate: 'auto' })
    await pretendFailover(first)
    const stores = Array.from({ length: 8 }, () => postgresStore(url, { connections: 3 }))
    await Promise.all(stores.map((store) => store.open({ migrate: 'off' })))
    const epochs = await Promise.all([first, ...stores].map((store) => store.committed.metadata.get('feed_epoch')))
    assert.equal(new Set(epochs).size, 1)
    assert.notEqual(epochs[0], 'old')
    for (const store of [first, ...stores]) await store.close()
  })

  it('behind a pooler, where connections outlive a failover, a server that follows sees it within a second', async () => {
    const store = postgresStore(await server.createDatabase())
    await store.open({ migrate: 'auto' })
    await pretendFailover(store)
    const stop = store.follow(() => {})
    while ((await store.committed.metadata.get('feed_epoch')) === 'old') await delay(50)
    await stop()
    await store.close()
  })

  it('a database that does not tell its timeline: a warning at the start, and the epoch stays', async () => {
    const url = new URL(await server.createDatabase())
    const admin = postgres(url.href, { max: 1, onnotice: () => {} })
    await admin.unsafe(`create role plain login; grant create on database ${url.pathname.slice(1)} to plain;
      revoke execute on function pg_walfile_name(pg_lsn) from public`)
    url.username = 'plain'
    const store = postgresStore(url.href)
    const warnings: string[] = []
    await store.open({ migrate: 'auto', warn: (sentence) => warnings.push(sentence) })
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /sealwax db new-epoch/)
    await pretendFailover(store)
    await store.close()
    await store.open({ migrate: 'auto' })
    assert.equal(await store.committed.metadata.get('feed_epoch'), 'old')
    await store.close()
    await admin.unsafe(`grant execute on function pg_walfile_name(pg_lsn) to public`)
    await admin.end()
  })
})
