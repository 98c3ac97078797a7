import { type Kysely, sql } from 'kysely'
import { WRAPPER_BYTES } from '../../core/tables.ts'
import type { Dialect } from './dialect.ts'

/** The tokens and codes of mails. Older servers can run with it. */
export async function up(db: Kysely<unknown>, { int64, bytes, end }: Dialect): Promise<void> {
  await db.schema
    .createTable('one_time_tokens')
    .modifyEnd(end)
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('purpose', 'text', (column) => column.notNull())
    .addColumn('holder', 'text', (column) => column.notNull())
    .addColumn('email', 'text', (column) => column.notNull())
    .addColumn('data', 'text', (column) => column.notNull())
    .addColumn('code', bytes)
    .addColumn('code_tries', int64, (column) => column.notNull())
    .addColumn('created_at', int64, (column) => column.notNull())
    .addColumn('expires_at', int64, (column) => column.notNull())
    .addPrimaryKeyConstraint('one_time_tokens_pkey', ['purpose', 'holder'])
    .execute()
  const index = (name: string) => db.schema.createIndex(`one_time_tokens_${name}`).on('one_time_tokens')
  await index('hash').unique().column('hash').execute()
  await index('email').columns(['email', 'purpose']).execute()
  // Finds what a server secret encrypts.
  await index('wrapper')
    .expression(sql`substr(code, 1, ${sql.lit(WRAPPER_BYTES)})`)
    .execute()
  await index('expiry').column('expires_at').execute()
}
