import type { Kysely } from 'kysely'
import type { Dialect } from './dialect.ts'

/** Persistent sessions, and indexes for the purge on columns that a refresh does not write. */
export async function up(db: Kysely<unknown>, { int64, feedIndex }: Dialect): Promise<void> {
  await db.schema
    .alterTable('sessions')
    .addColumn('remember', int64, (column) => column.notNull().defaultTo(1))
    .execute()
  await db.schema
    .createIndex('sessions_ended')
    .on('sessions')
    .column('ended_at')
    .where('ended_at' as never, 'is not', null)
    .execute()
  if (feedIndex !== undefined) {
    await db.schema.createIndex('revocations_feed').on('revocations').column(feedIndex).execute()
  }
  await db.schema.createIndex('sessions_absolute').on('sessions').column('absolute_expires_at').execute()
}
