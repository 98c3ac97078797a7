import type { Kysely } from 'kysely'
import type { Dialect } from './dialect.ts'

/** API clients and their secrets. */
export async function up(db: Kysely<unknown>, { int64, bytes, end }: Dialect): Promise<void> {
  const table = (name: string) => db.schema.createTable(name).modifyEnd(end)
  await table('clients')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('scopes', 'text', (column) => column.notNull())
    .addColumn('ver', int64, (column) => column.notNull())
    .addColumn('disabled_at', int64)
    .addColumn('created_at', int64, (column) => column.notNull())
    .addColumn('updated_at', int64, (column) => column.notNull())
    .execute()
  await table('client_secrets')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('client_id', 'text', (column) => column.notNull())
    .addColumn('hash', bytes, (column) => column.notNull())
    .addColumn('created_at', int64, (column) => column.notNull())
    .addColumn('expires_at', int64)
    .execute()
  await db.schema.createIndex('client_secrets_client').on('client_secrets').column('client_id').execute()
}
