import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import { features } from '../../src/features.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { type PostgresServer, startPostgres } from '../postgres.ts'

const UNAVAILABLE = { code: 'temporarily_unavailable' }

describe('a Postgres server with few connections', {
  skip: (process.env.PG_TEST_URL ?? '') !== '' && 'PG_TEST_URL names a server that may not be stopped',
}, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres({ max_connections: '5', superuser_reserved_connections: '0' })
  })
  after(() => server.remove())

  it('after an outage with all connections taken by others, a request waits and succeeds when one is free', async () => {
    const url = await server.createDatabase()
    const told: string[] = []
    const store = postgresStore(url, { connections: 3 })
    await store.open({ features, migrate: 'auto', warn: (sentence) => told.push(sentence) })
    const write = () => store.transaction((facts) => facts.metadata.set('x', '1'))
    const others = Array.from({ length: 5 }, () => postgres(url, { max: 1, onnotice: () => {} }))
    try {
      await write()
      await server.stop()
      await assert.rejects(write(), UNAVAILABLE)
      await server.start()
      for (const other of others) await other`select 1`
      // The recent failure is reported immediately while the store tries to connect again.
      await delay(300)
      await assert.rejects(write(), UNAVAILABLE)
      await delay(300)
      const waiting = write()
      waiting.catch(() => {})
      await delay(400)
      await Promise.all(others.map((other) => other.end()))
      const freed = performance.now()
      await waiting
      assert.ok(performance.now() - freed < 2000)
      const again = told.filter((sentence) => sentence.startsWith('the database answers again'))
      assert.equal(again.length, 1, told.join('\n'))
    } finally {
      await Promise.all(others.map((other) => other.end()))
      await store.close()
    }
  })
})
