import { Kysely, sql } from 'kysely'
import { PostgresJSDialect } from 'kysely-postgres-js'
import { AuthError, storeUnavailable } from '../../errors.ts'
import type { Facts, Store } from '../contract/store.ts'
import type { CopyEnd } from '../copy.ts'
import { postgresDialect } from '../migrations/dialect.ts'
import { migrate, requireMigrated } from '../migrations/index.ts'
import { facts } from '../queries/facts.ts'
import { REVOKED_CHANNEL } from '../queries/revocations.ts'
import type { Tables } from '../tables.ts'
import { clientOf } from './client.ts'
import {
  DEFAULT_CONNECTIONS,
  FEWEST_CONNECTIONS,
  isConnectionCount,
  MOST_CONNECTIONS,
  shareConnections,
} from './connections.ts'
import { isRetryable, translate, translateAtOpening, translated } from './errors.ts'
import { listenOn } from './listener.ts'
import { Pool, type PoolLimits } from './pool.ts'
import { type Kind, Reach } from './reach.ts'
import { type PostgresAddress, parsePostgresUrl } from './url.ts'

/** Everything stands in a schema of its own, beside whatever else the database holds. */
const SCHEMA = 'sealwax'
const TRAITS = { lockRows: true, positions: 'transaction' } as const
const MOST_ATTEMPTS = 5
/** A lost notification is made up for by a look every second. */
const LOOK_EVERY_MS = 1000

export interface PostgresStoreOptions {
  /** Connections at once, at least 3: one listens, the others read and write. When the server grants fewer, these are made do with. Default 10. */
  readonly connections?: number
}

/**
 * Keeps everything in a Postgres database (15 or newer), in the schema `sealwax`. Any number of server processes may share it.
 *
 * @param url `postgres://user:password@host:port/database`, user and password percent-encoded. One that cannot be parsed throws `config_invalid`
 * with a sentence that does not repeat it.
 */
export function postgresStore(url: string, { connections = DEFAULT_CONNECTIONS }: PostgresStoreOptions = {}): Store {
  if (!isConnectionCount(connections)) {
    throw new AuthError(
      'config_invalid',
      `connections must be a number from ${FEWEST_CONNECTIONS} to ${MOST_CONNECTIONS}`,
    )
  }
  const address = parsePostgresUrl(url)
  let opened: { reach: Reach; writer: Connections; reader: Connections; committed: Facts } | undefined
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
    async open({ migrate: mode, warn }) {
      if (opened !== undefined) return
      await prepareSchema(address, mode).catch((error) => {
        throw translateAtOpening(error)
      })
      const reach = new Reach(address, { tables: true })
      const { readers, writers } = shareConnections(connections)
      const writer = connect(reach, WRITING, { max: writers })
      const reader = connect(reach, READING, { max: readers })
      Pool.share(writer.pool, reader.pool)
      opened = { reach, writer, reader, committed: translated(facts(reader.db, TRAITS), tracked) }
      // The first look, which also finds out whether the server tells its timeline.
      await this.ping().catch(async (error) => {
        await this.close()
        throw error
      })
      if (!reach.tellsTimeline) warn?.(TIMELINE_UNKNOWN)
    },
    async ping() {
      await sql`select 1`.execute(use().reader.db).catch((error) => {
        throw translate(error)
      })
    },
    follow(changed) {
      const { reach, reader } = use()
      const looking = onceAtATime(() => lookAgain(reach, reader.pool))
      const timer = setInterval(() => void looking().finally(changed), LOOK_EVERY_MS).unref()
      const unlisten = listenOn(
        REVOKED_CHANNEL,
        (hearing) => clientOf(reach.address, { search_path: SCHEMA }, hearing),
        changed,
      )
      return async () => {
        clearInterval(timer)
        await unlisten()
      }
    },
    async close() {
      if (opened === undefined) return
      const { reach, writer, reader } = opened
      opened = undefined
      // The library would wait for nobody, and let those who still hope for a connection wait for ever.
      await Promise.allSettled(underWay)
      await Promise.all([writer.pool.end(), reader.pool.end()])
      reach.close()
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

/** Without a look at tables that are not there yet. */
const OTHER: Kind = { writes: false, settings: { search_path: SCHEMA } }
const WRITING: Kind = { writes: true, settings: { search_path: SCHEMA, synchronous_commit: 'on' } }
const READING: Kind = { writes: false, settings: { search_path: SCHEMA, default_transaction_read_only: 'on' } }

const TIMELINE_UNKNOWN =
  'The database does not tell its timeline (pg_walfile_name, pg_current_wal_lsn), so a failover goes unnoticed: after each one run `sealwax db new-epoch`'

function connect(reach: Reach, kind: Kind, limits: PoolLimits): Connections {
  const pool = new Pool(reach, kind, limits)
  return { pool, db: new Kysely<Tables>({ dialect: new PostgresJSDialect({ postgres: () => pool }) }) }
}

/** Behind a pooler a connection may lead to another server by now. What is found out is told by the reads that go on meanwhile. */
async function lookAgain(reach: Reach, pool: Pool): Promise<void> {
  try {
    const reserved = await pool.reserve()
    try {
      await reach.lookAgain((statement) => reserved.unsafe(statement) as never, READING)
    } finally {
      reserved.release()
    }
  } catch {
    // The read that follows meets the same.
  }
}

function onceAtATime(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => {
    running ??= run().finally(() => {
      running = undefined
    })
    return running
  }
}

/** One connection, one transaction, one lock: servers that start at once queue here, and the second finds nothing left to do. */
async function prepareSchema(address: PostgresAddress, mode: 'auto' | 'off'): Promise<void> {
  const reach = new Reach(address, { tables: false })
  const { pool, db } = connect(reach, OTHER, { max: 1, ...UNHURRIED })
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
    reach.close()
  }
}

/** The database as a copy writes it. The schema must be up to date. */
export function postgresCopyEnd(url: string): CopyEnd & { close(): Promise<void> } {
  const reach = new Reach(parsePostgresUrl(url), { tables: false })
  const { pool, db } = connect(reach, OTHER, { max: 2, ...UNHURRIED })
  return {
    db,
    transaction: (unit) => db.transaction().execute(unit),
    close: () => pool.end(),
  }
}
