import { type Kysely, type Selectable, sql } from 'kysely'
import type { Tables } from '../core/tables.ts'
import { prepared } from '../store/prepared.ts'
import type { MailCounts, Outbox, OutboxRow } from './contract.ts'
import type {} from './tables.ts'

/** The queries of the outbox. */
export function outbox(db: Kysely<Tables>, { lockRows }: { lockRows: boolean }): Outbox {
  return {
    async insert(row) {
      await db
        .insertInto('outbox')
        .values({ ...row, data: JSON.stringify(row.data) })
        .execute()
    },
    async nextDue() {
      return (await nextDueStatement(db, {})).rows[0]?.due_at
    },
    async claim({ now, until, by, limit }) {
      const due = db.selectFrom('outbox').select('id').where('due_at', '<=', now).orderBy('due_at').limit(limit)
      // Another server's rows are locked while it takes them: skipped rather than waited for.
      const taken = await db
        .updateTable('outbox')
        .set({ due_at: until, claimed_by: by, attempts: sql`attempts + 1` })
        .where('id', 'in', lockRows ? due.forUpdate().skipLocked() : due)
        .returningAll()
        .execute()
      return taken.map(toRow)
    },
    async postpone(id, by, due_at) {
      const result = await db
        .updateTable('outbox')
        .set({ due_at })
        .where('id', '=', id)
        .where('claimed_by', '=', by)
        .executeTakeFirst()
      return result.numUpdatedRows > 0n
    },
    async delete(id, by) {
      const result = await db.deleteFrom('outbox').where('id', '=', id).where('claimed_by', '=', by).executeTakeFirst()
      return result.numDeletedRows > 0n
    },
  }
}

const nextDueStatement = prepared((db) => db.selectFrom('outbox').select('due_at').orderBy('due_at').limit(1))

function toRow(found: Selectable<Tables['outbox']>): OutboxRow {
  return { ...found, data: JSON.parse(found.data) }
}

/** The queries of the counts. */
export function mailCounts(db: Kysely<Tables>): MailCounts {
  return {
    async raise(key, expires_at) {
      const { count } = await db
        .insertInto('mail_counts')
        .values({ key, count: 1, expires_at })
        .onConflict((on) => on.column('key').doUpdateSet({ count: sql`mail_counts.count + 1` }))
        .returning('count')
        .executeTakeFirstOrThrow()
      return count
    },
    async purge(before, limit) {
      const expired = db.selectFrom('mail_counts').select('key').where('expires_at', '<', before).limit(limit)
      const result = await db.deleteFrom('mail_counts').where('key', 'in', expired).executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
}
