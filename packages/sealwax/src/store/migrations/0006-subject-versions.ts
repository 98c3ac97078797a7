import { type Kysely, sql } from 'kysely'
import type { Dialect } from './dialect.ts'

/** One revocation for all sessions of a subject, and an index of its live sessions. */
export async function up(db: Kysely<unknown>, { int64, end }: Dialect): Promise<void> {
  await db.schema
    .createTable('subject_versions')
    .modifyEnd(end)
    .addColumn('subject', 'text', (column) => column.primaryKey().notNull())
    .addColumn('ver', int64, (column) => column.notNull())
    .addColumn('until', int64, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('subject_versions_until').on('subject_versions').column('until').execute()
  await db.schema.alterTable('sessions').addColumn('ver', int64).execute()
  await db.schema.alterTable('revocations').addColumn('except_sid', 'text').execute()
  // Postgres keeps statistics of an indexed expression. Without them it estimates many live
  // sessions for a subject with many ended ones, and scans the whole table.
  await db.schema
    .createIndex('sessions_live')
    .on('sessions')
    .expression(sql`(case when ended_at is null then subject end)`)
    .column('created_at')
    .where('ended_at' as never, 'is', null)
    .execute()
  await db.schema.dropIndex('sessions_subject').execute()
}
