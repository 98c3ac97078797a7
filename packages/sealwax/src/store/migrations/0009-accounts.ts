import type { Kysely } from 'kysely'
import type { Dialect } from './dialect.ts'

/**
 * The name and attributes of users, and when they verified their address. Older servers can run
 * with it.
 */
export async function up(db: Kysely<unknown>, { int64 }: Dialect): Promise<void> {
  const table = () => db.schema.alterTable('users')
  await table().addColumn('email_verified_at', int64).execute()
  await table().addColumn('last_login_at', int64).execute()
  await table().addColumn('name', 'text').execute()
  await table().addColumn('attributes', 'text').execute()
}
