import type { Kysely } from 'kysely'
import type { AuditLog, AuditRow } from '../contract/audit.ts'
import type { Tables } from '../tables.ts'
import { prepared, type Slots } from './prepared.ts'

type Event = Omit<AuditRow, 'id' | 'data'> & { data: string }

export function audit(db: Kysely<Tables>): AuditLog {
  return {
    async append(event) {
      await appendStatement(db, { ...event, data: JSON.stringify(event.data) })
    },
    async list({ before, limit, subject, type }) {
      let query = db.selectFrom('audit_events').selectAll().orderBy('id', 'desc').limit(limit)
      if (before !== undefined) query = query.where('id', '<', before)
      if (subject !== undefined) query = query.where('subject', '=', subject)
      if (type !== undefined) query = query.where('type', '=', type)
      return (await query.execute()).map((found) => ({ ...found, data: JSON.parse(found.data) }))
    },
  }
}

const appendStatement = prepared((db, value: Slots<Event>) =>
  db.insertInto('audit_events').values({
    time: value('time'),
    type: value('type'),
    subject: value('subject'),
    session_id: value('session_id'),
    ip: value('ip'),
    user_agent: value('user_agent'),
    data: value('data'),
  }),
)
