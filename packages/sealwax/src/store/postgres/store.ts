import { Kysely, sql } from 'kysely'
import { checkMembers } from '../../core/strict-options.ts'
import { REVOKED_CHANNEL, SCHEMA, type Tables } from '../../core/tables.ts'
import type { Facts, Store } from '../../core/unit-of-work.ts'
import { AuthError, storeUnavailable } from '../../errors.ts'
import type { CopyEnd } from '../copy.ts'
import { factsOver } from '../facts.ts'
import { clientOf } from './client.ts'
import {
  DEFAULT_CONNECTIONS,
  FEWEST_CONNECTIONS,
  isConnectionCount,
  MOST_CONNECTIONS,
  shareConnections,
} from './connections.ts'
import { dialectOf } from './dialect.ts'
import { isRetryable, translate, translated } from './errors.ts'
import { listenOn } from './listener.ts'
import { translateAtOpening } from './opening.ts'
import { Pool } from './pool.ts'
import type { PoolLimits } from './pool-limits.ts'
import { isPooled } from './pooler.ts'
import { type Kind, Reach } from './reach.ts'
import { readOnly } from './read-only.ts'
import { prepareSchema } from './schema.ts'
import { type PostgresAddress, parsePostgresUrl } from './url.ts'

const TRAITS = { lockRows: true, positions: 'transaction' } as const
const MOST_ATTEMPTS = 5
const POOLED =
  'There is a pooler before the database: revocations by other servers are polled once a second, and statements are prepared only if the URL says prepare=true'
/** Polling finds revocations whose notification was lost. */
const LOOK_EVERY_MS = 1000

/** Options of {@link postgresStore}. */
export interface PostgresStoreOptions {
  /**
   * The maximum number of connections, at least 3: one listens, the others read and write. The
   * store works with fewer if the server grants fewer. Default: 10.
   */
  readonly connections?: number
}

/**
 * A store in the schema `sealwax` of a Postgres database (15 or newer). Any number of server
 * processes may share it.
 *
 * @param url `postgres://user:password@host:port/database`, user and password percent-encoded.
 * @throws {AuthError} `config_invalid` if the URL cannot be parsed; the message does not contain
 *   the URL
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory, each part of it short
export function postgresStore(url: string, options: PostgresStoreOptions = {}): Store {
  if (typeof url !== 'string') {
    throw new AuthError('config_invalid', 'postgresStore needs a URL such as postgres://user@host/database')
  }
  const { connections = DEFAULT_CONNECTIONS } = checkMembers('postgresStore', options, ['connections'])
  if (!isConnectionCount(connections)) {
    throw new AuthError(
      'config_invalid',
      `connections must be a number from ${FEWEST_CONNECTIONS} to ${MOST_CONNECTIONS}`,
    )
  }
  const address = parsePostgresUrl(url)
  let opened:
    | {
        reach: Reach
        writer: Connections
        reader: Connections
        facts: ReturnType<typeof factsOver>
        committed: Facts
        pooled: boolean
      }
    | undefined
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
    transaction: async (unit) => tracked(transact(use(), unit)),
    async open({ migrate, features, warn }) {
      if (opened !== undefined) return
      const pooled = await prepare(address, migrate).catch((error) => {
        throw translateAtOpening(error, address)
      })
      if (pooled) warn?.(POOLED)
      const prepares = address.prepares ?? !pooled
      const reach = new Reach(address, { tables: true, tell: warn })
      const { readers, writers } = shareConnections(connections)
      const writer = connect(reach, WRITING, { max: writers }, prepares)
      const reader = connect(reach, READING, { max: readers }, prepares)
      Pool.share(writer.pool, reader.pool)
      const facts = factsOver(features)
      const committed = translated(facts(reader.db.withPlugin(readOnly), TRAITS), tracked)
      opened = { reach, writer, reader, facts, committed, pooled }
      // The first query also finds out whether the server reports its timeline.
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
      const { reach, reader, pooled } = use()
      const looking = onceAtATime(() => lookAgain(reach, reader.pool))
      const timer = setInterval(() => void looking().finally(changed), LOOK_EVERY_MS).unref()
      const unlisten = pooled
        ? async () => {}
        : listenOn(REVOKED_CHANNEL, (callbacks) => clientOf(reach.address, callbacks), changed)
      return async () => {
        clearInterval(timer)
        await unlisten()
      }
    },
    async close() {
      if (opened === undefined) return
      const { reach, writer, reader } = opened
      opened = undefined
      // Otherwise the pools would refuse waiting reservations, and close connections between two
      // statements of a transaction.
      await Promise.allSettled(underWay)
      await Promise.all([writer.pool.end(), reader.pool.end()])
      reach.close()
    },
  }
}

/**
 * Runs a transaction. Retries it after a serialization failure, a deadlock, or a statement that was
 * prepared before a table was changed.
 */
async function transact<T>(
  { writer, facts }: { writer: Connections; facts: ReturnType<typeof factsOver> },
  unit: (facts: Facts) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await writer.db.transaction().execute((trx) => unit(translated(facts(trx, TRAITS))))
    } catch (error) {
      if (attempt >= MOST_ATTEMPTS || !isRetryable(error)) throw translate(error)
    }
  }
}

interface Connections {
  readonly pool: Pool
  readonly db: Kysely<Tables>
}

/** No limit for migrations and copies. */
const UNLIMITED = { statementMs: Infinity }

const WRITING: Kind = { writes: true }
const READING: Kind = { writes: false }

const TIMELINE_UNKNOWN =
  'The database does not show its timeline (pg_walfile_name, pg_current_wal_lsn), so a failover is not detected: run `sealwax db new-epoch` after each failover'

/**
 * @param prepares Whether to prepare statements: behind a pooler only with `prepare=true` in the
 * URL.
 */
function connect(reach: Reach, kind: Kind, limits: PoolLimits, prepares = false): Connections {
  const pool = new Pool(reach, kind, limits)
  // Qualifies every name, so that the `search_path` of the role or the database does not matter.
  return { pool, db: new Kysely<Tables>({ dialect: dialectOf(pool, { prepares }) }).withSchema(SCHEMA) }
}

/** Checks the server again: behind a pooler a connection may lead to another one. */
async function lookAgain(reach: Reach, pool: Pool): Promise<void> {
  try {
    const reserved = await pool.reserve()
    try {
      await reach.lookAgain((statement) => reserved.unsafe(statement) as never, READING)
    } finally {
      reserved.release()
    }
  } catch {
    // The read that follows fails with the same error.
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

/** Migrates the schema over one connection. Returns whether there is a pooler. */
async function prepare(address: PostgresAddress, mode: 'auto' | 'off'): Promise<boolean> {
  // Without the check of tables, which may not exist yet.
  const reach = new Reach(address, { tables: false })
  const { pool, db } = connect(reach, READING, { max: 1, ...UNLIMITED })
  try {
    const pooled = address.pooled ?? (await isPooled(pool))
    await prepareSchema(db, mode)
    return pooled
  } finally {
    // Closing the connection rolls back an open transaction.
    await pool.end()
    reach.close()
  }
}

/** The database as the target of a copy. Its schema must be up to date. */
export function postgresCopyEnd(url: string): CopyEnd & { close(): Promise<void> } {
  const reach = new Reach(parsePostgresUrl(url), { tables: false })
  const { pool, db } = connect(reach, READING, { max: 2, ...UNLIMITED })
  return {
    db,
    transaction: (unit) => db.transaction().execute(unit),
    close: () => pool.end(),
  }
}
