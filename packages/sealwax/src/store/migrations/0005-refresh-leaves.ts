import { type Kysely, sql } from 'kysely'
import type { Dialect } from './dialect.ts'

interface Before {
  sessions: { presented: number; presented_at: number | null }
}

/** Several successors of a refresh token, and the last use of a session, shown to its owner. */
export async function up(db: Kysely<unknown>, { int64 }: Dialect): Promise<void> {
  const sessions = () => db.schema.alterTable('sessions')
  await sessions().addColumn('presented_at', int64).execute()
  await sessions().addColumn('forks', 'text').execute()
  await sessions().addColumn('device', 'text').execute()
  await sessions().addColumn('earlier_use', 'text').execute()
  // `presented_at` replaces `presented`: it is null if the token was never presented.
  await (db as Kysely<Before>)
    .updateTable('sessions')
    .set({ presented_at: sql`rotated_at` })
    .where('presented', '=', 1)
    .execute()
  await sessions().dropColumn('presented').execute()
}
