import { Kysely, sql } from 'kysely'
import { PostgresJSDialect } from 'kysely-postgres-js'
import postgres from 'postgres'
import { storeUnavailable } from '../../errors.ts'
import type { Facts, Store } from '../contract/store.ts'
import type { CopyEnd } from '../copy.ts'
import { postgresDialect } from '../migrations/dialect.ts'
import { migrate, requireMigrated } from '../migrations/index.ts'
import { facts } from '../queries/facts.ts'
import { REVOKED_CHANNEL } from '../queries/revocations.ts'
import type { Tables } from '../tables.ts'
import { isRetryable, translate, translated } from './errors.ts'

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
 * @param url `postgres://user:password@host:port/database`
 */
export function postgresStore(url: string, { connections = 8 }: PostgresStoreOptions = {}): Store {
  let opened: { writer: Pool; reader: Pool; committed: Facts } | undefined
  const use = () => {
    if (opened === undefined) throw storeUnavailable('The store is not open')
    return opened
  }
  return {
    get committed() {
      return use().committed
    },
    async transaction(unit) {
      const { writer } = use()
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await writer.db.transaction().execute((trx) => unit(translated(facts(trx, TRAITS))))
        } catch (error) {
          if (attempt >= MOST_ATTEMPTS || !isRetryable(error)) throw translate(error)
        }
      }
    },
    async open({ migrate: mode }) {
      if (opened !== undefined) return
      await prepareSchema(url, mode).catch((error) => {
        throw translate(error)
      })
      const writer = connect(url, connections, { synchronous_commit: 'on' })
      const reader = connect(url, connections, { default_transaction_read_only: 'on' })
      opened = { writer, reader, committed: translated(facts(reader.db, TRAITS)) }
    },
    async ping() {
      await sql`select 1`.execute(use().reader.db).catch((error) => {
        throw translate(error)
      })
    },
    follow(changed) {
      const { sql: listening } = use().writer
      const timer = setInterval(changed, LOOK_EVERY_MS).unref()
      // The library listens again by itself after a lost connection, and says so: what was missed meanwhile is read then.
      const subscription = listening.listen(REVOKED_CHANNEL, changed, changed).catch(() => undefined)
      return async () => {
        clearInterval(timer)
        await (await subscription)?.unlisten().catch(() => undefined)
      }
    },
    async close() {
      if (opened === undefined) return
      const { writer, reader } = opened
      opened = undefined
      await Promise.all([writer.sql.end({ timeout: 5 }), reader.sql.end({ timeout: 5 })])
    },
  }
}

interface Pool {
  readonly sql: postgres.Sql<{ bigint: number }>
  readonly db: Kysely<Tables>
}

function connect(url: string, max: number, settings: Record<string, string> = {}): Pool {
  const client = postgres(url, {
    max,
    connect_timeout: 5,
    idle_timeout: 60,
    onnotice: () => {},
    connection: { application_name: 'sealwax', search_path: SCHEMA, ...settings },
    // Times and counters fit a double exactly; the library would give strings.
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
  })
  return { sql: client, db: new Kysely<Tables>({ dialect: new PostgresJSDialect({ postgres: client }) }) }
}

/** One connection, one transaction, one lock: servers that start at once queue here, and the second finds nothing left to do. */
async function prepareSchema(url: string, mode: 'auto' | 'off'): Promise<void> {
  const { sql: client, db } = connect(url, 1)
  try {
    if (mode === 'off') return await requireMigrated(db, postgresDialect, SCHEMA)
    await sql`begin`.execute(db)
    await sql`select pg_advisory_xact_lock(hashtext('sealwax migrations'))`.execute(db)
    await sql`create schema if not exists ${sql.id(SCHEMA)}`.execute(db)
    await migrate(db, postgresDialect, SCHEMA)
    await sql`commit`.execute(db)
  } finally {
    // Ending the connection undoes what was not committed.
    await client.end({ timeout: 5 })
  }
}

/** The database as a copy writes it. The schema must be up to date. */
export function postgresCopyEnd(url: string): CopyEnd & { close(): Promise<void> } {
  const { sql: client, db } = connect(url, 2)
  return {
    db,
    transaction: (unit) => db.transaction().execute(unit),
    close: () => client.end({ timeout: 5 }),
  }
}
