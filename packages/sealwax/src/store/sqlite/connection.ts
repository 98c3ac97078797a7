import { chmodSync, closeSync, existsSync, lstatSync, openSync, readSync, realpathSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Kysely, SqliteDialect, type SqliteStatement } from 'kysely'
import type { Tables } from '../../core/tables.ts'
import { Conflict } from '../../core/unit-of-work.ts'
import { AuthError, nulRefused, storeUnavailable } from '../../errors.ts'
import { runDirectly } from '../prepared.ts'

/** One connection to the file, and Kysely over it. */
export interface Connection {
  readonly db: Kysely<Tables>
  /** Runs a statement without parameters, such as BEGIN IMMEDIATE. */
  exec(sql: string): void
  /**
   * Also false after an error that rolled back the transaction
   * (https://sqlite.org/lang_transaction.html).
   */
  inTransaction(): boolean
  /** Changes when another connection commits; for a database in memory, when this one writes. */
  dataVersion(): number
  close(): void
}

/** The path of a database without a file. */
export const IN_MEMORY = ':memory:'

/** Result codes (https://sqlite.org/rescode.html) of temporary failures. */
const UNAVAILABLE: Readonly<Record<number, string>> = {
  5: 'The database is busy',
  6: 'The database is locked',
  8: 'The database is read-only',
  10: 'The disk failed',
  13: 'The disk is full',
  14: 'The database file cannot be opened',
}
const BUSY = 5

/** Opens the file with mode 0600, WAL and `synchronous=FULL`: commits survive a power cut. */
export function connect(path: string, { readOnly }: { readOnly: boolean }): Connection {
  try {
    if (!readOnly && path !== IN_MEMORY) {
      if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
      restrict(path)
    }
    // SQLite's busy wait would block the event loop; the group commit retries asynchronously
    // instead.
    const database = configure(new DatabaseSync(path, { readOnly, timeout: 0 }), { readOnly })
    const statements = new Map<string, SqliteStatement>()
    const prepare = (sql: string): SqliteStatement => {
      const known = statements.get(sql)
      if (known !== undefined) return known
      const statement = translated(() => adapt(database.prepare(sql)))
      statements.set(sql, statement)
      return statement
    }
    const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: { prepare, close() {} } }) })
    runDirectly(db, (sql, parameters) => {
      const statement = prepare(sql)
      if (statement.reader) return { rows: statement.all(parameters), changed: 0 }
      return { rows: [], changed: Number(statement.run(parameters).changes) }
    })
    // A database in memory has no other connections, so its own changes are counted.
    const version = database.prepare(path === IN_MEMORY ? 'select total_changes()' : 'pragma data_version')
    version.setReturnArrays(true)
    return {
      db,
      exec: (sql) => void prepare(sql).run([]),
      inTransaction: () => database.isTransaction,
      dataVersion: () => translated(() => Number((version.get() as unknown as unknown[])[0])),
      close: () => database.close(),
    }
  } catch (error) {
    throw translate(error)
  }
}

/** Closes the database on failure: switching to WAL needs an exclusive lock and may be retried. */
function configure(database: DatabaseSync, { readOnly }: { readOnly: boolean }): DatabaseSync {
  try {
    if (!readOnly) {
      database.exec('pragma journal_mode = wal')
      database.exec('pragma synchronous = full')
    }
    database.exec('pragma cache_size = -32768')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Whether another process holds the write lock. */
export function isBusy(error: unknown): boolean {
  return error instanceof AuthError && errcode(error.cause) % 256 === BUSY
}

/**
 * SQLite creates the other files with the mode of the first, but keeps the mode of existing files.
 */
const SUFFIXES = ['', '-wal', '-shm', '-journal']
const OTHERS = 0o077

/**
 * Removes access for group and others before the first write: a process that has the file open can
 * still read it.
 */
function restrict(path: string): void {
  const file = realpathSync(path)
  for (const suffix of SUFFIXES) {
    const status = lstatSync(file + suffix, { throwIfNoEntry: false })
    if (status?.isFile() !== true || (status.mode & OTHERS) === 0) continue
    try {
      // The path may be a typo and name any file.
      if (suffix === '' && !isDatabase(file, status.size)) return
      chmodSync(file + suffix, status.mode & 0o600)
    } catch (error) {
      const mode = (status.mode & 0o777).toString(8).padStart(4, '0')
      throw storeUnavailable(
        `Other users can read the database ${file} (mode ${mode}), and its mode cannot be changed`,
        error,
      )
    }
  }
}

/**
 * Whether the file is empty or has the header of SQLite
 * (https://sqlite.org/fileformat2.html#the_database_header). Closing a file drops all locks of this
 * process on it, so this only runs before the first connection.
 */
function isDatabase(file: string, size: number): boolean {
  if (size === 0) return true
  const header = Buffer.alloc(16)
  const opened = openSync(file, 'r')
  try {
    readSync(opened, header)
  } finally {
    closeSync(opened)
  }
  return header.toString('latin1') === 'SQLite format 3\0'
}

/**
 * Caches the column names of a statement, which the driver would otherwise create for each row. Not
 * for `*`, whose columns change if another process migrates the file.
 */
function adapt(statement: StatementSync): SqliteStatement {
  const names = statement.columns().map(({ name }) => name)
  const isNamed = !statement.sourceSQL.includes('*')
  statement.setReturnArrays(isNamed)
  const toRow = (values: unknown) => {
    const row: Record<string, unknown> = {}
    for (let i = 0; i < names.length; i += 1) row[names[i] as string] = (values as unknown[])[i]
    return row
  }
  const all = (parameters: readonly unknown[]) => translated(() => statement.all(...bindable(parameters)))
  return {
    reader: names.length > 0,
    all: isNamed ? (parameters) => all(parameters).map(toRow) : all,
    run: (parameters) => translated(() => statement.run(...bindable(parameters))),
    *iterate(parameters) {
      for (const row of statement.iterate(...bindable(parameters))) yield isNamed ? toRow(row) : row
    },
  }
}

/**
 * Postgres cannot store a NUL character, so such rows could not be copied; SQLite's functions
 * truncate at it.
 */
function bindable(parameters: readonly unknown[]): SQLInputValue[] {
  if (parameters.some((value) => typeof value === 'string' && value.includes('\0'))) throw nulRefused()
  return parameters as SQLInputValue[]
}

function translated<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw translate(error)
  }
}

function translate(error: unknown): unknown {
  const code = errcode(error)
  if (code === 2067 || code === 1555) {
    const field = /failed: \w+\.(\w+)/.exec(error instanceof Error ? error.message : '')?.[1] ?? 'value'
    return new Conflict(field, error)
  }
  const reason = UNAVAILABLE[code % 256]
  return reason === undefined ? error : storeUnavailable(reason, error)
}

function errcode(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0
}
