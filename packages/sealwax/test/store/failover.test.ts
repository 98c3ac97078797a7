import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import type { Store } from '../../src/core/unit-of-work.ts'
import { features } from '../../src/features.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { type PostgresServer, persist, startPostgres, withoutStandby } from '../postgres.ts'

const PAGE = { now: 0, limit: 1000 }

function revoke(store: Store, key: string): Promise<void> {
  const entry = { kind: 'sid', key, ver: null, until: 4_000_000_000 } as const
  return store.transaction((facts) => facts.revocations.append(entry))
}

const keysAfter = async (store: Store, cursor: string) => {
  const page = await store.committed.revocations.since(cursor, PAGE)
  return { keys: page.entries.map(({ key }) => key), snapshot: page.snapshot }
}

describe('promotion of a standby that lacks the last log-outs', { skip: withoutStandby() }, () => {
  let primary: PostgresServer
  let standby: PostgresServer
  let url: string
  const stores: Store[] = []
  /** The warnings that a server would log. */
  const told: string[] = []
  const open = async (parameters = '') => {
    const store = postgresStore(`${url}${parameters}`, { connections: 4 })
    stores.push(store)
    await store.open({ features, migrate: 'auto', warn: (sentence) => told.push(sentence) })
    return store
  }

  before(async () => {
    primary = await startPostgres()
    const { pathname } = new URL(await primary.createDatabase())
    standby = await startPostgres({}, { standbyOf: primary })
    // The standby is listed first, so each connection has to skip it.
    url = `postgres://sealwax@127.0.0.1:${standby.port},127.0.0.1:${primary.port}${pathname}`
  })
  after(async () => {
    for (const store of stores) await store.close()
    await standby.remove()
    await primary.remove()
  })

  it('guards and servers that followed the old primary miss no log-out of the new primary', async () => {
    const [one, other] = [await open('?target_session_attrs=read-write'), await open()]
    const epoch = await one.transaction((facts) => facts.metadata.getOrSet('feed_epoch', 'first'))
    assert.equal(epoch, 'first')
    // Now that an epoch exists, the next connection stores the timeline and the one after it
    // reads it.
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
    // Postgres logs sequence values 32 ahead, so a promoted standby can skip up to 32 positions.
    // With 40 lost entries, the new primary reuses positions of the old one.
    for (let i = 0; i < 40; i += 1) await revoke(one, `lost ${i}`)
    const { cursor } = await other.committed.revocations.since(undefined, PAGE)
    assert.deepEqual(await keysAfter(other, cursor), { keys: [], snapshot: false })

    await primary.stop('crash')
    const began = performance.now()
    await assert.rejects(revoke(one, 'x'), { code: 'temporarily_unavailable' })
    await assert.rejects(one.committed.metadata.get('x'), { code: 'temporarily_unavailable' })
    assert.ok(performance.now() - began < 2000, 'an outage is reported immediately')
    // A lost connection is no outage yet; a failed attempt to connect is.
    for (let code = 'CONNECTION_CLOSED'; code === 'CONNECTION_CLOSED'; ) {
      code = await revoke(one, 'x').then(
        () => 'no error',
        (error) => error.cause?.code,
      )
    }
    standby.promote()

    await persist(() => revoke(one, 'after 1'))
    await revoke(one, 'after 2')
    // Both entries have positions that the old primary had already used, so a cursor of the old
    // epoch gets a snapshot.
    const { keys, snapshot } = await persist(() => keysAfter(other, cursor))
    assert.deepEqual({ keys: keys.toSorted(), snapshot }, { keys: ['after 1', 'after 2', 'before'], snapshot: true })
    const replaced = await other.committed.metadata.get('feed_epoch')
    assert.match(replaced ?? '', /^[0-9a-f]{32}$/)
    assert.equal(await one.committed.metadata.get('feed_timeline'), '00000002')

    assert.ok(told.includes(`the database answers again, at 127.0.0.1:${standby.port}`), told.join('\n'))
    assert.equal(told.filter((sentence) => sentence.startsWith('the database was failed over')).length, 1)

    // A server that starts now and further connections of the old servers keep the new epoch.
    const third = await open()
    await Promise.all([one, other, third].flatMap((store) => [revoke(store, 'y'), store.ping(), revoke(store, 'z')]))
    assert.equal(await third.committed.metadata.get('feed_epoch'), replaced)
  })
})

/** Waits until the standby has the entry `before`. */
async function arrived(standby: PostgresServer, url: string): Promise<void> {
  const { pathname } = new URL(url.replace(/,[^/]*/, ''))
  const sql = postgres(`postgres://sealwax@127.0.0.1:${standby.port}${pathname}`, { max: 1, onnotice: () => {} })
  while ((await sql`select from sealwax.revocations where key = 'before'`).length === 0) await delay(20)
  await sql.end()
}
