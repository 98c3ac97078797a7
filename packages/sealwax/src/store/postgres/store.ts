import { Kysely, sql } from 'kysely'
import { AuthError, storeUnavailable } from '../../errors.ts'
import { checkMembers } from '../../members.ts'
import type { Facts, Store } from '../contract/store.ts'
import type { CopyEnd } from '../copy.ts'
import { facts } from '../queries/facts.ts'
import { REVOKED_CHANNEL } from '../queries/revocations.ts'
import { SCHEMA, type Tables } from '../tables.ts'
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
import { Pool, type PoolLimits } from './pool.ts'
import { isPooled } from './pooler.ts'
import { type Kind, Reach } from './reach.ts'
import { readOnly } from './read-only.ts'
import { prepareSchema } from './schema.ts'
import { type PostgresAddress, parsePostgresUrl } from './url.ts'

const TRAITS = { lockRows: true, positions: 'transaction' } as const
const MOST_ATTEMPTS = 5
const POOLED =
  'a pooler stands between this server and the database: statements are not prepared, and what other servers revoke is looked for once a second'
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
  let opened: { reach: Reach; writer: Connections; reader: Connections; committed: Facts; pooled: boolean } | undefined
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
    async open({ migrate, warn }) {
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
      const committed = translated(facts(reader.db.withPlugin(readOnly), TRAITS), tracked)
      opened = { reach, writer, reader, committed, pooled }
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
      const { reach, reader, pooled } = use()
      const looking = onceAtATime(() => lookAgain(reach, reader.pool))
      const timer = setInterval(() => void looking().finally(changed), LOOK_EVERY_MS).unref()
      const unlisten = pooled
        ? async () => {}
        : listenOn(REVOKED_CHANNEL, (hearing) => clientOf(reach.address, hearing), changed)
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

const WRITING: Kind = { writes: true }
const READING: Kind = { writes: false }

const TIMELINE_UNKNOWN =
  'The database does not tell its timeline (pg_walfile_name, pg_current_wal_lsn), so a failover goes unnoticed: after each one run `sealwax db new-epoch`'

/** @param prepares whether statements are prepared, to be run again; only where a session is one's own. */
function connect(reach: Reach, kind: Kind, limits: PoolLimits, prepares = false): Connections {
  const pool = new Pool(reach, kind, limits)
  // Every name is written with its schema, whatever search_path is set for the role or the database.
  return { pool, db: new Kysely<Tables>({ dialect: dialectOf(pool, { prepares }) }).withSchema(SCHEMA) }
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

/** Brings the schema up to date over one connection; returns whether a pooler stands in between. */
async function prepare(address: PostgresAddress, mode: 'auto' | 'off'): Promise<boolean> {
  // Without a look at tables that are not there yet.
  const reach = new Reach(address, { tables: false })
  const { pool, db } = connect(reach, READING, { max: 1, ...UNHURRIED })
  try {
    const pooled = address.pooled ?? (await isPooled(pool))
    await prepareSchema(db, mode)
    return pooled
  } finally {
    // Ending the connection undoes what was not committed.
    await pool.end()
    reach.close()
  }
}

/** The database as a copy writes it. The schema must be up to date. */
export function postgresCopyEnd(url: string): CopyEnd & { close(): Promise<void> } {
  const reach = new Reach(parsePostgresUrl(url), { tables: false })
  const { pool, db } = connect(reach, READING, { max: 2, ...UNHURRIED })
  return {
    db,
    transaction: (unit) => db.transaction().execute(unit),
    close: () => pool.end(),
  }
}
