import { PostgresAdapter } from 'kysely'
import { PostgresJSDialect, type PostgresJSReservedSql, type PostgresJSSql } from 'kysely-postgres-js'
import { settled } from './pending.ts'
import type { Pool } from './pool.ts'

/**
 * What a transaction needs is said when it begins, in the same round trip: settings of the session
 * are refused by poolers, belong to whoever gets the connection next, and may be set otherwise for
 * the role or the database. Durable when the commit returns; and each statement sees what was
 * committed before it, which the conditional updates count on.
 */
const BEGIN = 'begin isolation level read committed; set local synchronous_commit to on'

/**
 * Postgres for Kysely, over connections that may change between two transactions. Without
 * `prepares` no statement is left behind on the server.
 */
export function dialectOf(pool: Pool, { prepares }: { prepares: boolean }): PostgresJSDialect {
  return new StatelessDialect({ postgres: () => withTransactions(pool, prepares) })
}

class StatelessDialect extends PostgresJSDialect {
  override createAdapter() {
    return new Adapter()
  }
}

/**
 * Kysely would lock migrations with a lock of the session. Whoever migrates here holds one of the
 * transaction.
 */
class Adapter extends PostgresAdapter {
  override async acquireMigrationLock() {}
  override async releaseMigrationLock() {}
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
 * The first of the two statements may have begun a transaction when the other fails: whoever gets
 * the connection next would be in it.
 */
async function begin(connection: PostgresJSReservedSql) {
  try {
    return await connection.unsafe(BEGIN, [], { simple: true })
  } catch (error) {
    await connection.unsafe('rollback', [], { simple: true })
    throw error
  }
}
