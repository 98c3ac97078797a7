import { Kysely, sql } from 'kysely'
import { PostgresJSDialect } from 'kysely-postgres-js'
import { storeUnavailable } from '../../errors.ts'
import type { Facts, Store } from '../contract/store.ts'
import type { CopyEnd } from '../copy.ts'
import { postgresDialect } from '../migrations/dialect.ts'
import { migrate, requireMigrated } from '../migrations/index.ts'
import { facts } from '../queries/facts.ts'
import { REVOKED_CHANNEL } from '../queries/revocations.ts'
import type { Tables } from '../tables.ts'
import { clientOf } from './client.ts'
import { isRetryable, translate, translated } from './errors.ts'
import { listenOn } from './listener.ts'
import { translateAtOpening } from './opening.ts'
import { createPool, type Pool, type PoolLimits } from './pool.ts'
import { type PostgresAddress, parsePostgresUrl } from './url.ts'

/** Everything stands in a schema of its own, beside whatever else the database holds. */
const SCHEMA = 'sealwax'
const TRAITS = { lockRows: true, positions: 'transaction' } as const
const MOST_ATTEMPTS = 5
/** A lost notification is made up for by a look every second. */
const LOOK_EVERY_MS = 1000

export interface PostgresStoreOptions {
  /** Connections for reading and for writing, each. Default 8. */
  readonly connections?: number
}

/**
 * Keeps everything in a Postgres database (15 or newer), in the schema `sealwax`. Any number of server processes may share it.
 *
 * @param url `postgres://user:password@host:port/database`, user and password percent-encoded. One that cannot be parsed throws `config_invalid`
 * with a sentence that does not repeat it.
 */
export function postgresStore(url: string, { connections = 8 }: PostgresStoreOptions = {}): Store {
  const address = parsePostgresUrl(url)
  let opened: { writer: Connections; reader: Connections; committed: Facts } | undefined
  const underWay = new Set<Promise<unknown>>()
  const tracked = <T>(work: Promise<T>): Promise<T> => {
    const done = work.finally(() => underWay.delete(done))
    underWay.add(done)
    return done
  }
  const use = () => {
    if (opened === undefined) throw storeUnavailable('The store is not open')
    return opened
  }
  return {
    get committed() {
      return use().committed
    },
    transaction: async (unit) => tracked(transact(use().writer.db, unit)),
    async open({ migrate: mode }) {
      if (opened !== undefined) return
      await prepareSchema(address, mode).catch((error) => {
        throw translateAtOpening(error, address)
      })
      const writer = connect(address, { max: connections }, { synchronous_commit: 'on' })
      const reader = connect(address, { max: connections }, { default_transaction_read_only: 'on' })
      opened = { writer, reader, committed: translated(facts(reader.db, TRAITS), tracked) }
    },
    async ping() {
      await sql`select 1`.execute(use().reader.db).catch((error) => {
        throw translate(error)
      })
    },
    follow(changed) {
      use()
      const timer = setInterval(changed, LOOK_EVERY_MS).unref()
      const unlisten = listenOn(
        REVOKED_CHANNEL,
        (hearing) => clientOf(address, { search_path: SCHEMA }, hearing),
        changed,
      )
      return async () => {
        clearInterval(timer)
        await unlisten()
      }
    },
    async close() {
      if (opened === undefined) return
      const { writer, reader } = opened
      opened = undefined
      // The library would wait for nobody, and let those who still hope for a connection wait for ever.
      await Promise.allSettled(underWay)
      await Promise.all([writer.pool.end(), reader.pool.end()])
    },
  }
}

/** Runs a unit, again when Postgres asks for that. */
async function transact<T>(db: Kysely<Tables>, unit: (facts: Facts) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.transaction().execute((trx) => unit(translated(facts(trx, TRAITS))))
    } catch (error) {
      if (attempt >= MOST_ATTEMPTS || !isRetryable(error)) throw translate(error)
    }
  }
}

interface Connections {
  readonly pool: Pool
  readonly db: Kysely<Tables>
}

/** Migrations and copies take their time. */
const UNHURRIED = { statementMs: Infinity }

function connect(address: PostgresAddress, limits: PoolLimits, settings: Record<string, string> = {}): Connections {
  const pool = createPool((onclose) => clientOf(address, { search_path: SCHEMA, ...settings }, { onclose }), limits)
  return { pool, db: new Kysely<Tables>({ dialect: new PostgresJSDialect({ postgres: () => pool }) }) }
}

/** One connection, one transaction, one lock: servers that start at once queue here, and the second finds nothing left to do. */
async function prepareSchema(address: PostgresAddress, mode: 'auto' | 'off'): Promise<void> {
  const { pool, db } = connect(address, { max: 1, ...UNHURRIED })
  try {
    if (mode === 'off') return await requireMigrated(db, postgresDialect, SCHEMA)
    await sql`begin`.execute(db)
    await sql`select pg_advisory_xact_lock(hashtext('sealwax migrations'))`.execute(db)
    await sql`create schema if not exists ${sql.id(SCHEMA)}`.execute(db)
    await migrate(db, postgresDialect, SCHEMA)
    await sql`commit`.execute(db)
  } finally {
    // Ending the connection undoes what was not committed.
    await pool.end()
  }
}

/** The database as a copy writes it. The schema must be up to date. */
export function postgresCopyEnd(url: string): CopyEnd & { close(): Promise<void> } {
  const { pool, db } = connect(parsePostgresUrl(url), { max: 2, ...UNHURRIED })
  return {
    db,
    transaction: (unit) => db.transaction().execute(unit),
    close: () => pool.end(),
  }
}
