import type { Kysely } from 'kysely'
import type { Dialect } from './dialect.ts'

/** The sessions of an older system that were exchanged. Older servers can run with it. */
export async function up(db: Kysely<unknown>, { int64, end }: Dialect): Promise<void> {
  await db.schema
    .createTable('exchanged_sessions')
    .modifyEnd(end)
    .addColumn('hash', 'text', (column) => column.primaryKey().notNull())
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('exchanged_at', int64, (column) => column.notNull())
    .addColumn('until', int64, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('exchanged_sessions_until').on('exchanged_sessions').column('until').execute()
}
