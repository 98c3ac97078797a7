import { type Kysely, sql } from 'kysely'
import { WRAPPER_BYTES } from '../tables.ts'
import type { Dialect } from './dialect.ts'

/** What happens to a signing key after its making; and by which secret a session's key is wrapped, so that those of an old one are found without reading all. */
export async function up(db: Kysely<unknown>, { int64 }: Dialect): Promise<void> {
  await db.schema.alterTable('signing_keys').addColumn('revoked_at', int64).execute()
  // Of the keys there are nobody knows for how long their tokens were made: a day is the most.
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
