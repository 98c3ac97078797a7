import { type CreateTableBuilder, type RawBuilder, sql } from 'kysely'

type Table = CreateTableBuilder<string, never>

/** How the two databases differ in `create table`. */
export interface Dialect {
  readonly int64: 'integer' | 'bigint'
  readonly bytes: 'blob' | 'bytea'
  /** The collation that compares bytes, in which a prefix is a range. */
  readonly bytewise: RawBuilder<unknown>
  /** SQL after the closing parenthesis of a table. */
  readonly end: RawBuilder<unknown>
  /** Adds a primary key that only grows and is never reused. */
  sequence(table: Table, name: string): Table
  /** The column that orders the feed, if it is not the primary key. */
  readonly feedIndex: string | undefined
  /** Adds the columns that order revocations by commit. */
  feedPosition(table: Table): Table
}

export const sqliteDialect: Dialect = {
  int64: 'integer',
  bytes: 'blob',
  bytewise: sql`binary`,
  end: sql`strict`,
  feedIndex: undefined,
  sequence: (table, name) => table.addColumn(name as never, 'integer', (column) => column.primaryKey().autoIncrement()),
  feedPosition: (table) => sqliteDialect.sequence(table, 'position'),
}

export const postgresDialect: Dialect = {
  int64: 'bigint',
  bytes: 'bytea',
  bytewise: sql`"C"`,
  end: sql``,
  feedIndex: 'txid',
  sequence: (table, name) => table.addColumn(name as never, 'bigserial', (column) => column.primaryKey()),
  feedPosition: (table) =>
    postgresDialect
      .sequence(table, 'position')
      .addColumn('txid' as never, sql`xid8`, (column) => column.notNull().defaultTo(sql`pg_current_xact_id()`)),
}
