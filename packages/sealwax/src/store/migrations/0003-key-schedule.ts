import { type Kysely, sql } from 'kysely'
import { WRAPPER_BYTES } from '../../core/tables.ts'
import type { Dialect } from './dialect.ts'

/** The life cycle of signing keys, and an index to find the sessions wrapped with an old secret. */
export async function up(db: Kysely<unknown>, { int64 }: Dialect): Promise<void> {
  await db.schema.alterTable('signing_keys').addColumn('revoked_at', int64).execute()
  // The lifetime of tokens by existing keys is unknown; one day is the maximum.
  await db.schema
    .alterTable('signing_keys')
    .addColumn('access_ttl', int64, (column) => column.notNull().defaultTo(86_400_000))
    .execute()
  await db.schema
    .alterTable('signing_keys')
    .addColumn('announced', 'text', (column) => column.notNull().defaultTo('published'))
    .execute()
  await db.schema
    .createIndex('sessions_wrapper')
    .on('sessions')
    .expression(sql`substr(hmac_key, 1, ${sql.lit(WRAPPER_BYTES)})`)
    .execute()
}
