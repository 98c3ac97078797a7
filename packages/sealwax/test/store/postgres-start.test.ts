import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import postgres from 'postgres'
import { features } from '../../src/features.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { type PostgresServer, startPostgres } from '../postgres.ts'

describe('servers that start on Postgres', () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.remove())

  /** Opens one store for each server, all at once. */
  async function start(url: string, servers: number): Promise<void> {
    const stores = Array.from({ length: servers }, () => postgresStore(url))
    const outcomes = await Promise.allSettled(stores.map((store) => store.open({ features, migrate: 'auto' })))
    await Promise.all(stores.map((store) => store.close()))
    const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
    assert.deepEqual(errors, [])
  }

  it('six at once on an empty database all start', async () => {
    for (let round = 0; round < 5; round += 1) await start(await server.createDatabase(), 6)
  })

  it('they start while another application creates and drops its tables', async () => {
    const url = await server.createDatabase()
    const sql = postgres(url, { max: 1, onnotice: () => {} })
    let running = true
    const churn = (async () => {
      const names = Array.from({ length: 100 }, (_, n) => `other.t${n}`)
      const create = names.map((name) => `create table ${name} (id serial)`).join(';')
      for (; running; await sql.unsafe('drop schema other cascade')) await sql.unsafe(`create schema other; ${create}`)
    })()
    try {
      for (let round = 0; round < 20; round += 1) await start(url, 1)
    } finally {
      running = false
      await churn
      await sql.end()
    }
  })
})
