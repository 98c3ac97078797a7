import type { Kysely } from 'kysely'
import type { Dialect } from './dialect.ts'

/**
 * The key that a session is bound to, and the proofs that were used. Older servers can run with it,
 * but accept the refresh tokens of such a session without a proof.
 */
export async function up(db: Kysely<unknown>, { int64, end }: Dialect): Promise<void> {
  await db.schema.alterTable('sessions').addColumn('jkt', 'text').execute()
  await db.schema
    .createTable('used_proofs')
    .modifyEnd(end)
    .addColumn('hash', 'text', (column) => column.primaryKey().notNull())
    .addColumn('until', int64, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('used_proofs_until').on('used_proofs').column('until').execute()
}
