import { sql } from 'kysely'
import type { Facts, Store } from '../../core/unit-of-work.ts'
import { AuthError, storeUnavailable } from '../../errors.ts'
import type { CopyEnd } from '../copy.ts'
import { factsOver } from '../facts.ts'
import { sqliteDialect } from '../migrations/dialect.ts'
import { migrate, requireMigrated } from '../migrations/index.ts'
import { type Connection, connect, IN_MEMORY } from './connection.ts'
import { begin, type GroupCommit, groupCommit, untilFree } from './group-commit.ts'
import { readInTurn } from './memory.ts'
import { translateAtOpening } from './opening.ts'

/**
 * A store in one SQLite file, with WAL and `synchronous=FULL`. Transactions that arrive within one
 * to three turns of the event loop share one fsync. Reads use their own connection and see only
 * committed data.
 *
 * @param path The file, created with mode 0600. Several processes on one machine may share it; it
 *   must not be on a network file system. `:memory:` creates a database in memory for tests, which
 *   is lost when the store closes.
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
        // Otherwise savepoints use a temporary file (https://sqlite.org/tempfiles.html, "Statement
        // Journal Files"). Set after migrations, which may sort more than fits into memory.
        writer.exec('pragma temp_store = memory')
        const facts = factsOver(options.features)
        const written = facts(writer.db, TRAITS)
        const commits = groupCommit(writer, written)
        // A second connection would open another database.
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

/** Checking whether the file has changed takes microseconds and reads no table. */
const LOOK_EVERY_MS = 25
/** Once a second also without a change, so that a reader knows that the store works. */
const LOOKS_PER_CALL = 40

const TRAITS = { lockRows: false, positions: 'sequence' } as const

/** A failure counts as a change: the read that follows reports the error. */
function look(reader: Connection): number {
  try {
    return reader.dataVersion()
  } catch {
    return Number.NaN
  }
}

/** How long a start waits while another process switches the file to WAL, migrates or closes it. */
const OPENING_LIMIT_MS = 10_000

/** Concurrent starts wait for the lock; only the first migrates. */
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

/** The file as the source of a copy. Its schema must be up to date. */
export function sqliteCopyEnd(path: string): CopyEnd & { close(): Promise<void> } {
  const connection = connect(path, { readOnly: false })
  connection.exec('pragma busy_timeout = 10000')
  return {
    db: connection.db,
    transaction: () => Promise.reject(new AuthError('config_invalid', 'A copy from SQLite to SQLite is not supported')),
    close: async () => connection.close(),
  }
}
