import { sql } from 'kysely'
import { AuthError, storeUnavailable } from '../../errors.ts'
import type { Facts, Store } from '../contract/store.ts'
import type { CopyEnd } from '../copy.ts'
import { sqliteDialect } from '../migrations/dialect.ts'
import { migrate, requireMigrated } from '../migrations/index.ts'
import { facts } from '../queries/facts.ts'
import { type Connection, connect, IN_MEMORY } from './connection.ts'
import { begin, type GroupCommit, groupCommit, untilFree } from './group-commit.ts'
import { readInTurn } from './memory.ts'
import { translateAtOpening } from './opening.ts'

/**
 * Keeps everything in one SQLite file: WAL, `synchronous=FULL`, one fsync for whatever comes in a turn of the event loop, or in up to three when more
 * keep coming.
 * Reads see committed facts only, through a connection of their own.
 *
 * @param path the file, made with mode 0600 when absent. Several processes on one machine may share it; a network file system may not hold it.
 * For tests `:memory:` keeps everything in memory: each store has a database of its own, which is gone when it is closed.
 */
export function sqliteStore(path: string): Store {
  if (typeof path !== 'string' || path === '') {
    throw new TypeError("sqliteStore needs the path of a file such as './sealwax.db', or ':memory:' in tests")
  }
  let opened: { writer: Connection; reader: Connection; commits: GroupCommit; committed: Facts } | undefined
  const use = () => {
    if (opened === undefined) throw storeUnavailable('The store is not open')
    return opened
  }
  const explained = (error: unknown): never => {
    throw translateAtOpening(error, path)
  }
  return {
    get committed() {
      return use().committed
    },
    transaction: async (unit) => use().commits.transaction(unit),
    async open(options) {
      if (opened !== undefined) return
      const writer = await untilFree(() => connect(path, { readOnly: false }), OPENING_LIMIT_MS).catch(explained)
      try {
        if (options.migrate === 'off') await requireMigrated(writer.db, sqliteDialect)
        else await migrateLocked(writer)
        // What a batch keeps to go back to would else be a file, made and removed each time (https://sqlite.org/tempfiles.html, "Statement Journal Files").
        // Not before: a migration may sort more than fits into memory.
        writer.exec('pragma temp_store = memory')
        const written = facts(writer.db, TRAITS)
        const commits = groupCommit(writer, written)
        // A second connection would have another database.
        if (path === IN_MEMORY) opened = { writer, reader: writer, commits, committed: readInTurn(written, commits) }
        else {
          const reader = await untilFree(() => connect(path, { readOnly: true }), OPENING_LIMIT_MS)
          opened = { writer, reader, commits, committed: facts(reader.db, TRAITS) }
        }
      } catch (error) {
        writer.close()
        throw translateAtOpening(error, path)
      }
    },
    async ping() {
      await sql`select 1 from metadata limit 1`.execute(use().reader.db)
    },
    follow(changed) {
      const { reader } = use()
      let seen = reader.dataVersion()
      let looks = 0
      const timer = setInterval(() => {
        const version = look(reader)
        looks += 1
        if (version === seen && looks % LOOKS_PER_CALL !== 0) return
        seen = version
        changed()
      }, LOOK_EVERY_MS).unref()
      return async () => clearInterval(timer)
    },
    async close() {
      if (opened === undefined) return
      const { commits, writer, reader } = opened
      await commits.close()
      opened = undefined
      if (reader !== writer) reader.close()
      writer.close()
    },
  }
}

/** Asking whether the file has changed costs microseconds and reads no table. */
const LOOK_EVERY_MS = 25
/** Once a second also for nothing, so that a reader knows the store still answers. */
const LOOKS_PER_CALL = 40

const TRAITS = { lockRows: false, positions: 'sequence' } as const

/** A look that fails counts as a change: the read that follows tells why. */
function look(reader: Connection): number {
  try {
    return reader.dataVersion()
  } catch {
    return Number.NaN
  }
}

/** How long a start waits while another turns the file to WAL mode, migrates it or closes it. */
const OPENING_LIMIT_MS = 10_000

/** Two processes that start at once queue here; the second finds nothing left to do. */
async function migrateLocked(writer: Connection): Promise<void> {
  await begin(writer, OPENING_LIMIT_MS)
  try {
    await migrate(writer.db, sqliteDialect)
    writer.exec('commit')
  } catch (error) {
    writer.exec('rollback')
    throw error
  }
}

/** The file as a copy reads it. The schema must be up to date. */
export function sqliteCopyEnd(path: string): CopyEnd & { close(): Promise<void> } {
  const connection = connect(path, { readOnly: false })
  connection.exec('pragma busy_timeout = 10000')
  return {
    db: connection.db,
    transaction: () => Promise.reject(new AuthError('config_invalid', 'SQLite is what is copied from, not to')),
    close: async () => connection.close(),
  }
}
