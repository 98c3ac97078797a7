import type { Kysely } from 'kysely'
import type { Dialect } from './dialect.ts'

/** Rows that count events of one bucket, and an index for the purge. */
export async function up(db: Kysely<unknown>, { int64 }: Dialect): Promise<void> {
  const table = () => db.schema.alterTable('audit_events')
  await table().addColumn('bucket', 'text').execute()
  await table()
    .addColumn('count', int64, (column) => column.notNull().defaultTo(1))
    .execute()
  await table().addColumn('repeats', 'text').execute()
  await db.schema
    .createIndex('audit_events_bucket')
    .unique()
    .on('audit_events')
    .column('bucket')
    .where('bucket' as never, 'is not', null)
    .execute()
  await db.schema.createIndex('audit_events_time').on('audit_events').column('time').execute()
}
