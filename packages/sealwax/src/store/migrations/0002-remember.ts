import type { Kysely } from 'kysely'
import type { Dialect } from './dialect.ts'

/** Whether a session outlives the browser that began it. */
export async function up(db: Kysely<unknown>, { int64 }: Dialect): Promise<void> {
  await db.schema
    .alterTable('sessions')
    .addColumn('remember', int64, (column) => column.notNull().defaultTo(1))
    .execute()
}
