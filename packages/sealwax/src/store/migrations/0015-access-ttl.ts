import type { Kysely } from 'kysely'
import type { Dialect } from './dialect.ts'

/** A life of the access tokens of one session. Older servers can run with it. */
export async function up(db: Kysely<unknown>, { int64 }: Dialect): Promise<void> {
  await db.schema.alterTable('sessions').addColumn('access_ttl', int64).execute()
}
