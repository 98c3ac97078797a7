import { type CreateTableBuilder, type RawBuilder, sql } from 'kysely'

type Table = CreateTableBuilder<string, never>

/** The few words in which the two databases differ when tables are made. */
export interface Dialect {
  readonly int64: 'integer' | 'bigint'
  readonly bytes: 'blob' | 'bytea'
  /** What stands after the closing bracket of a table. */
  readonly end: RawBuilder<unknown>
  /** Adds a primary key that only grows and is never given twice. */
  sequence(table: Table, name: string): Table
  /** What the feed is read in order of, where that is not the primary key. */
  readonly feedIndex: string | undefined
  /** Adds what tells in which order revocations were committed. */
  feedPosition(table: Table): Table
}

export const sqliteDialect: Dialect = {
  int64: 'integer',
  bytes: 'blob',
  end: sql`strict`,
  feedIndex: undefined,
  sequence: (table, name) => table.addColumn(name as never, 'integer', (column) => column.primaryKey().autoIncrement()),
  feedPosition: (table) => sqliteDialect.sequence(table, 'position'),
}

export const postgresDialect: Dialect = {
  int64: 'bigint',
  bytes: 'bytea',
  end: sql``,
  feedIndex: 'txid',
  sequence: (table, name) => table.addColumn(name as never, 'bigserial', (column) => column.primaryKey()),
  feedPosition: (table) =>
    postgresDialect
      .sequence(table, 'position')
      .addColumn('txid' as never, sql`xid8`, (column) => column.notNull().defaultTo(sql`pg_current_xact_id()`)),
}
