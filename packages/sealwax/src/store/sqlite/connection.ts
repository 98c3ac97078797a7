import { chmodSync, closeSync, existsSync, lstatSync, openSync, readSync, realpathSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Kysely, SqliteDialect, type SqliteStatement } from 'kysely'
import { AuthError, nulRefused, storeUnavailable } from '../../errors.ts'
import { Conflict } from '../contract/store.ts'
import { runDirectly } from '../queries/prepared.ts'
import type { Tables } from '../tables.ts'

/** One connection to the file, and Kysely over it. */
export interface Connection {
  readonly db: Kysely<Tables>
  /** Runs a statement without parameters, such as BEGIN IMMEDIATE. */
  exec(sql: string): void
  /** False also after an error with which SQLite has rolled everything back (https://sqlite.org/lang_transaction.html). */
  inTransaction(): boolean
  /** A number that changes when another connection has committed; for a database in memory, when its own has written. */
  dataVersion(): number
  close(): void
}

/** The path of a database without a file. */
export const IN_MEMORY = ':memory:'

/** Extended result codes (https://sqlite.org/rescode.html) that mean: not now, nothing was decided. */
const UNAVAILABLE: Readonly<Record<number, string>> = {
  5: 'The database is busy',
  6: 'The database is locked',
  8: 'The database is read-only',
  10: 'The disk failed',
  13: 'The disk is full',
  14: 'The database file cannot be opened',
}
const BUSY = 5

/** Opens the file (its mode is, or becomes, 0600) in WAL mode with `synchronous=FULL`: a committed unit survives a power cut. */
export function connect(path: string, { readOnly }: { readOnly: boolean }): Connection {
  try {
    if (!readOnly && path !== IN_MEMORY) {
      if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
      restrict(path)
    }
    // A busy wait would freeze the event loop, so SQLite's own is off; the group commit retries asynchronously.
    const database = prepared(new DatabaseSync(path, { readOnly, timeout: 0 }), { readOnly })
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
    // No other connection can commit to what is in memory, so its own changes are counted.
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

/** Turning a file to WAL mode needs it for oneself; what fails here may be tried again, so nothing stays open. */
function prepared(database: DatabaseSync, { readOnly }: { readOnly: boolean }): DatabaseSync {
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

/** Whether another process holds the write lock at this moment. */
export function isBusy(error: unknown): boolean {
  return error instanceof AuthError && errcode(error.cause) % 256 === BUSY
}

/** SQLite makes the others with the mode of the first, unless it finds them. */
const SUFFIXES = ['', '-wal', '-shm', '-journal']
const OTHERS = 0o077

/** Takes the rights of group and others away, before anything is written: whoever has opened a file keeps reading what comes later. */
function restrict(path: string): void {
  const file = realpathSync(path)
  for (const suffix of SUFFIXES) {
    const status = lstatSync(file + suffix, { throwIfNoEntry: false })
    if (status?.isFile() !== true || (status.mode & OTHERS) === 0) continue
    try {
      // A mistyped path may name any file of this machine.
      if (suffix === '' && !isDatabase(file, status.size)) return
      chmodSync(file + suffix, status.mode & 0o600)
    } catch (error) {
      const mode = (status.mode & 0o777).toString(8).padStart(4, '0')
      throw storeUnavailable(
        `Others may read the database ${file} (mode ${mode}), and its mode cannot be changed`,
        error,
      )
    }
  }
}

/**
 * Whether the file is empty or begins as SQLite files do (https://sqlite.org/fileformat2.html#the_database_header). Closing a file drops the locks that
 * this process holds on it, so it is looked into only while its mode is wrong, which is before its first connection.
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
 * Where a statement names its columns, their names are kept: else each row would have them made, hashed and looked up again. What `*` stands for
 * is asked each time, since another process may migrate the file meanwhile.
 */
function adapt(statement: StatementSync): SqliteStatement {
  const names = statement.columns().map(({ name }) => name)
  const isNamed = !statement.sourceSQL.includes('*')
  statement.setReturnArrays(isNamed)
  const rowOf = (values: unknown) => {
    const row: Record<string, unknown> = {}
    for (let i = 0; i < names.length; i += 1) row[names[i] as string] = (values as unknown[])[i]
    return row
  }
  const all = (parameters: readonly unknown[]) => translated(() => statement.all(...bindable(parameters)))
  return {
    reader: names.length > 0,
    all: isNamed ? (parameters) => all(parameters).map(rowOf) : all,
    run: (parameters) => translated(() => statement.run(...bindable(parameters))),
    *iterate(parameters) {
      for (const row of statement.iterate(...bindable(parameters))) yield isNamed ? rowOf(row) : row
    },
  }
}

/** Postgres keeps no text with a NUL character. What SQLite kept could not be moved there, and its functions would cut it short. */
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
