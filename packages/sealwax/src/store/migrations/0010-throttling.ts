import type { Kysely } from 'kysely'
import type { Dialect } from './dialect.ts'

/** The counters of attempts, such as log-ins. Older servers can run with the table. */
export async function up(db: Kysely<unknown>, { int64, end }: Dialect): Promise<void> {
  await db.schema
    .createTable('throttle_counters')
    .addColumn('key', 'text', (column) => column.primaryKey().notNull())
    .addColumn('account', 'text')
    .addColumn('count', int64, (column) => column.notNull())
    .addColumn('at', int64, (column) => column.notNull())
    .addColumn('booked', int64, (column) => column.notNull())
    .addColumn('expires_at', int64, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
  const index = (name: string) => db.schema.createIndex(name).on('throttle_counters')
  await index('throttle_counters_account')
    .column('account')
    .where('account' as never, 'is not', null)
    .execute()
  await index('throttle_counters_expires').column('expires_at').execute()
}
