import { Kysely, sql } from 'kysely'
import { storeUnavailable } from '../../errors.ts'
import type { Facts, Store } from '../contract/store.ts'
import type { CopyEnd } from '../copy.ts'
import { facts } from '../queries/facts.ts'
import { REVOKED_CHANNEL } from '../queries/revocations.ts'
import { SCHEMA, type Tables } from '../tables.ts'
import { clientOf } from './client.ts'
import { dialectOf } from './dialect.ts'
import { isRetryable, translate, translateAtOpening, translated } from './errors.ts'
import { listenOn } from './listener.ts'
import { createPool, type Pool, type PoolLimits } from './pool.ts'
import { isPooled } from './pooler.ts'
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
  let opened: { writer: Connections; reader: Connections; committed: Facts; pooled: boolean } | undefined
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
        throw translateAtOpening(error)
      })
      if (pooled) warn?.(POOLED)
      const prepares = address.prepares ?? !pooled
      const [writer, reader] = [
        connect(address, { max: connections }, prepares),
        connect(address, { max: connections }, prepares),
      ]
      const committed = translated(facts(reader.db.withPlugin(readOnly), TRAITS), tracked)
      opened = { writer, reader, committed, pooled }
    },
    async ping() {
      await sql`select 1`.execute(use().reader.db).catch((error) => {
        throw translate(error)
      })
    },
    follow(changed) {
      const { pooled } = use()
      const timer = setInterval(changed, LOOK_EVERY_MS).unref()
      const unlisten = pooled
        ? async () => {}
        : listenOn(REVOKED_CHANNEL, (hearing) => clientOf(address, hearing), changed)
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

/** @param prepares whether statements are prepared, to be run again; only where a session is one's own. */
function connect(address: PostgresAddress, limits: PoolLimits, prepares = false): Connections {
  const pool = createPool((onclose) => clientOf(address, { onclose }), limits)
  // Every name is written with its schema, whatever search_path is set for the role or the database.
  return { pool, db: new Kysely<Tables>({ dialect: dialectOf(pool, { prepares }) }).withSchema(SCHEMA) }
}

/** Brings the schema up to date over one connection; answers whether a pooler stands in between. */
async function prepare(address: PostgresAddress, mode: 'auto' | 'off'): Promise<boolean> {
  const { pool, db } = connect(address, { max: 1, ...UNHURRIED })
  try {
    const pooled = address.pooled ?? (await isPooled(pool))
    await prepareSchema(db, mode)
    return pooled
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
