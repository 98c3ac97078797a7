import type { Kysely } from 'kysely'
import type { Dialect } from './dialect.ts'

/**
 * Mails that wait to be sent, and how many were sent to an address or for a network. Older servers
 * can run with it.
 */
export async function up(db: Kysely<unknown>, { int64, end }: Dialect): Promise<void> {
  const table = (name: string) => db.schema.createTable(name).modifyEnd(end)
  await table('outbox')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('recipient', 'text', (column) => column.notNull())
    .addColumn('subject', 'text')
    .addColumn('data', 'text', (column) => column.notNull())
    .addColumn('attempts', int64, (column) => column.notNull())
    .addColumn('due_at', int64, (column) => column.notNull())
    .addColumn('claimed_by', 'text')
    .addColumn('created_at', int64, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('outbox_due').on('outbox').column('due_at').execute()
  await table('mail_counts')
    .addColumn('key', 'text', (column) => column.primaryKey().notNull())
    .addColumn('count', int64, (column) => column.notNull())
    .addColumn('expires_at', int64, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('mail_counts_expiry').on('mail_counts').column('expires_at').execute()
}
