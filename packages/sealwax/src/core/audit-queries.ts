import type { Kysely } from 'kysely'
import { prepared, type Slots } from '../store/prepared.ts'
import type { AuditLog, CountedRow, NewAuditRow } from './audit-contract.ts'
import type { Tables } from './tables.ts'

type Event = Omit<NewAuditRow, 'data'> & { data: string }

/** The queries of the audit log. */
export function audit(db: Kysely<Tables>): AuditLog {
  return {
    async append(event) {
      await appendStatement(db, { ...event, data: JSON.stringify(event.data) })
    },
    async count(bucket, event, times) {
      const { rows } = await countStatement(db, { ...event, data: JSON.stringify(event.data), bucket, count: times })
      const { repeats, ...row } = rows[0] as Omit<CountedRow, 'repeats'> & { repeats: string | null }
      return { ...row, repeats: parsed(repeats) }
    },
    async summarise(id, { subject, repeats }) {
      await summariseStatement(db, { id, subject, repeats: JSON.stringify(repeats) })
    },
    async list({ before, limit, subject, type }) {
      let query = db.selectFrom('audit_events').select(COLUMNS).orderBy('id', 'desc').limit(limit)
      if (before !== undefined) query = query.where('id', '<', before)
      if (subject !== undefined) query = query.where('subject', '=', subject)
      if (type !== undefined) query = query.where('type', '=', type)
      return (await query.execute()).map((found) => ({
        ...found,
        data: JSON.parse(found.data),
        repeats: parsed(found.repeats),
      }))
    },
    async purge(before, limit) {
      const past = db.selectFrom('audit_events').select('id').where('time', '<', before)
      const { numDeletedRows } = await db
        .deleteFrom('audit_events')
        .where('id', 'in', past.orderBy('time').limit(limit))
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

const COLUMNS = [
  ...(['id', 'time', 'type', 'subject', 'session_id', 'ip', 'user_agent', 'data'] as const),
  ...(['count', 'repeats'] as const),
]

function parsed(repeats: string | null): CountedRow['repeats'] {
  return repeats === null ? null : JSON.parse(repeats)
}

function columns(value: Slots<Event>) {
  return {
    time: value('time'),
    type: value('type'),
    subject: value('subject'),
    session_id: value('session_id'),
    ip: value('ip'),
    user_agent: value('user_agent'),
    data: value('data'),
  }
}

const appendStatement = prepared((db, value: Slots<Event>) => db.insertInto('audit_events').values(columns(value)))

/**
 * On Postgres, a concurrent transaction waits here for the row until the first one has committed.
 */
const countStatement = prepared((db, value: Slots<Event & { bucket: string; count: number }>) =>
  db
    .insertInto('audit_events')
    .values({ ...columns(value), bucket: value('bucket'), count: value('count') })
    .onConflict((on) =>
      on
        .column('bucket')
        .where('bucket', 'is not', null)
        .doUpdateSet((eb) => ({ count: eb('audit_events.count', '+', eb.ref('excluded.count')) })),
    )
    .returning(['id', 'subject', 'ip', 'count', 'repeats']),
)

const summariseStatement = prepared((db, value: Slots<{ id: number; subject: string | null; repeats: string }>) =>
  db
    .updateTable('audit_events')
    .set({ subject: value('subject'), repeats: value('repeats') })
    .where('id', '=', value('id')),
)
