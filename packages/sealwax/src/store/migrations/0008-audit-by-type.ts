import type { Kysely } from 'kysely'

/**
 * An index for the audit log by type: finding a rare type would scan the table. Older servers can
 * run with it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.createIndex('audit_events_type').on('audit_events').columns(['type', 'id']).execute()
}
