import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { PostgresJSDialect, type PostgresJSReservedSql } from 'kysely-postgres-js'

/** A database that runs no queries, to test only Kysely itself. */
function createDatabase(): Kysely<{ item: { id: string } }> {
  return new Kysely({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
}

// This behaviour of Kysely is not documented, so a new version may change it.
describe('kysely: behaviour that `prepared` and the Postgres dialect rely on', () => {
  it('a transaction and withSchema keep the adapter of their database, and each database has its own', async () => {
    const [db, other] = [createDatabase(), createDatabase()]
    const { adapter } = db.getExecutor()
    await db.transaction().execute(async (transaction) => {
      assert.equal(transaction.getExecutor().adapter, adapter)
      assert.equal(transaction.withSchema('sealwax').getExecutor().adapter, adapter)
    })
    assert.equal(db.withSchema('sealwax').getExecutor().adapter, adapter)
    assert.notEqual(other.getExecutor().adapter, adapter)
  })

  it('a compiled query has its parameters unchanged and in order, regardless of their type', () => {
    const [first, second] = [{}, {}] as unknown as [string, string]
    const { parameters } = createDatabase()
      .updateTable('item')
      .set({ id: first })
      .where('id', '=', second)
      .where('id', '=', 'constant')
      .compile()
    assert.equal(parameters[0], first)
    assert.equal(parameters[1], second)
    assert.deepEqual(parameters.slice(2), ['constant'])
  })

  it('a compiled query that is executed with other parameters sends those', async () => {
    const { db, sent } = recordPostgres()
    const compiled = db.selectFrom('item').selectAll().where('id', '=', 'compiled').compile()
    await db.executeQuery({ ...compiled, parameters: ['bound'] })
    assert.deepEqual(sent, [['select * from "item" where "id" = $1', ['bound']]])
  })

  it('a Postgres transaction starts with the statement `begin`, which the dialect replaces', async () => {
    const { db, sent } = recordPostgres()
    await db.transaction().execute(async () => {})
    assert.deepEqual(
      sent.map(([statement]) => statement),
      ['begin', 'commit'],
    )
  })
})

function recordPostgres() {
  const sent: [statement: string, parameters: unknown][] = []
  const unsafe = (async (statement: string, parameters: unknown) => {
    sent.push([statement, parameters])
    return Object.assign([], { count: 0, command: '' })
  }) as unknown as PostgresJSReservedSql['unsafe']
  const postgres = () => ({ options: {}, end: async () => {}, reserve: async () => ({ release() {}, unsafe }) })
  const db = new Kysely<{ item: { id: string } }>({ dialect: new PostgresJSDialect({ postgres }) })
  return { db, sent }
}
