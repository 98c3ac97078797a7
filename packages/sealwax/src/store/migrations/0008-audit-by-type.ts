import type { Kysely } from 'kysely'

/** An index for the audit log by type: a type that is rare would else be looked for in every row. Servers of before run beside it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.createIndex('audit_events_type').on('audit_events').columns(['type', 'id']).execute()
}
