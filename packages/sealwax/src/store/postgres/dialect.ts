import { type Kysely, PostgresAdapter, PostgresIntrospector, sql, type TableMetadata } from 'kysely'
import { PostgresJSDialect, type PostgresJSReservedSql, type PostgresJSSql } from 'kysely-postgres-js'
import { SCHEMA } from '../../core/tables.ts'
import { settled } from './pending.ts'
import type { Pool } from './pool.ts'

/**
 * Sets what a transaction needs in the round trip that begins it. Settings of the session are no
 * alternative: poolers refuse them, the next user of the connection inherits them, and the role or
 * the database may set others.
 *
 * The commit is durable when it returns, and each statement sees what was committed before it,
 * which the conditional updates rely on.
 */
const BEGIN = 'begin isolation level read committed; set local synchronous_commit to on'

/**
 * Postgres for Kysely, over connections that may change between two transactions. Without
 * `prepares`, no prepared statement stays on the server.
 */
export function dialectOf(pool: Pool, { prepares }: { prepares: boolean }): PostgresJSDialect {
  return new StatelessDialect({ postgres: () => withTransactions(pool, prepares) })
}

class StatelessDialect extends PostgresJSDialect {
  override createAdapter() {
    return new Adapter()
  }

  override createIntrospector(db: Kysely<unknown>) {
    return new Introspector(db)
  }
}

/**
 * Kysely would take a session-level lock for migrations. Here the caller holds a transaction-level
 * one.
 */
class Adapter extends PostgresAdapter {
  override async acquireMigrationLock() {}
  override async releaseMigrationLock() {}
}

/**
 * Lists the tables of the schema by name, which is all that migrations need. Kysely would list
 * those of all schemas and look each up by its name, which fails if another server or application
 * creates or drops one meanwhile.
 */
class Introspector extends PostgresIntrospector {
  readonly #db: Kysely<unknown>

  constructor(db: Kysely<unknown>) {
    super(db)
    this.#db = db
  }

  override async getTables(): Promise<TableMetadata[]> {
    const { rows } = await sql<{ name: string }>`
      select c.relname as name from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = ${SCHEMA} and c.relkind in ('r', 'p')`.execute(this.#db)
    return rows.map(({ name }) => ({ name, schema: SCHEMA, isView: false, isForeign: false, columns: [] }))
  }
}

function withTransactions(pool: Pool, prepares: boolean): PostgresJSSql {
  return {
    options: {},
    end: (options) => pool.end(options),
    async reserve() {
      const connection = await pool.reserve()
      const unsafe: PostgresJSReservedSql['unsafe'] = (query, parameters, options) => {
        if (query === 'begin') return settled(begin(connection))
        return connection.unsafe(query, parameters, prepares ? options : { ...options, prepare: false })
      }
      return { release: () => connection.release(), unsafe }
    },
  }
}

/**
 * If the second statement of `BEGIN` fails, the first may have begun a transaction. It is then
 * rolled back, so that the next user of the connection is not in it.
 */
async function begin(connection: PostgresJSReservedSql) {
  try {
    return await connection.unsafe(BEGIN, [], { simple: true })
  } catch (error) {
    await connection.unsafe('rollback', [], { simple: true })
    throw error
  }
}
