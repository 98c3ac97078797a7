import type { AuditEvent, Client, Context, Unit } from './context.ts'
import { commit } from './context.ts'

/** Adds an event to a unit: stored with it, heard by `onEvent` after the commit. */
export async function audit(unit: Unit, { by, ...happened }: AuditEvent & Pick<Client, 'by'>): Promise<void> {
  const event = by === undefined ? happened : { ...happened, data: { ...happened.data, by } }
  await unit.audit.append({
    time: event.time,
    type: event.type,
    subject: event.subject ?? null,
    session_id: event.sessionId ?? null,
    ip: event.ip ?? null,
    user_agent: event.userAgent ?? null,
    data: event.data ?? {},
  })
  unit.events.push(event)
}

/** Stores an event that belongs to no other change. */
export async function auditAlone(context: Context, event: AuditEvent): Promise<void> {
  await commit(context, (unit) => audit(unit, event))
}

/** A page of the audit log, newest first. */
export interface AuditPage {
  readonly data: readonly (AuditEvent & { readonly id: number })[]
  /** Pass as `before` for the next page; undefined on the last. */
  readonly next: number | undefined
}

export async function listAudit(
  context: Context,
  query: { before?: number; limit?: number; subject?: string; type?: string } = {},
): Promise<AuditPage> {
  const limit = Math.min(Math.max(query.limit ?? 50, 1), 500)
  const rows = await context.store.committed.audit.list({ ...query, limit: limit + 1 })
  const data = rows.slice(0, limit).map((row) => ({
    id: row.id,
    type: row.type as AuditEvent['type'],
    time: row.time,
    subject: row.subject ?? undefined,
    sessionId: row.session_id ?? undefined,
    ip: row.ip ?? undefined,
    userAgent: row.user_agent ?? undefined,
    data: row.data,
  }))
  return { data, next: rows.length > limit ? data.at(-1)?.id : undefined }
}
