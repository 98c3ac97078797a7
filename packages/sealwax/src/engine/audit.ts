import type { AuditRepeats, NewAuditRow } from '../store/contract/audit.ts'
import { bucketOf, summaryOf } from './audit-counts.ts'
import type { AuditEvent, Client, Context, Unit } from './context.ts'
import { commit } from './context.ts'

/** Adds an event to a unit: stored with it, heard by `onEvent` after the commit. What `audit-counts.ts` names is counted in one row a minute. */
export async function audit(unit: Unit, { by, ...happened }: AuditEvent & Pick<Client, 'by'>): Promise<void> {
  const event = by === undefined ? happened : { ...happened, data: { ...happened.data, by } }
  const bucket = bucketOf(event)
  if (bucket === undefined) await unit.audit.append(rowOf(event))
  else await count(unit, bucket, [event])
  unit.events.push(event)
}

/** Events of one bucket that are stored by one commit. */
interface Batch {
  readonly events: AuditEvent[]
  begun: boolean
  committed: Promise<void>
}

/** The latest batch of each bucket, while it waits or is being stored. */
export type AuditBatches = Map<string, Batch>

/**
 * Stores an event that is counted and belongs to no other change. In a flood each connection to the database would wait for the same row, and everybody
 * else for a connection. So what comes while a bucket's row is being written shares the next commit.
 */
export async function auditAlone(context: Context, event: AuditEvent): Promise<void> {
  const bucket = bucketOf(event)
  if (bucket === undefined) return commit(context, (unit) => audit(unit, event))
  const latest = context.auditBatches.get(bucket)
  if (latest !== undefined && !latest.begun) {
    latest.events.push(event)
    return latest.committed
  }
  const batch: Batch = { events: [event], begun: false, committed: Promise.resolve() }
  context.auditBatches.set(bucket, batch)
  batch.committed = store(context, bucket, batch, latest?.committed)
  return batch.committed
}

async function store(context: Context, bucket: string, batch: Batch, before: Promise<void> | undefined): Promise<void> {
  await before?.catch(() => {})
  batch.begun = true
  try {
    await commit(context, async (unit) => {
      await count(unit, bucket, batch.events)
      unit.events.push(...batch.events)
    })
  } finally {
    if (context.auditBatches.get(bucket) === batch) context.auditBatches.delete(bucket)
  }
}

async function count(unit: Unit, bucket: string, events: readonly AuditEvent[]): Promise<void> {
  const [first, ...others] = events
  if (first === undefined) return
  const row = await unit.audit.count(bucket, rowOf(first), events.length)
  const further = row.count === events.length ? others : events
  if (further.length > 0) await unit.audit.summarise(row.id, summaryOf(row, further))
}

function rowOf(event: AuditEvent): NewAuditRow {
  return {
    time: event.time,
    type: event.type,
    subject: event.subject ?? null,
    session_id: event.sessionId ?? null,
    ip: event.ip ?? null,
    user_agent: event.userAgent ?? null,
    data: event.data ?? {},
  }
}

/** A row of the audit log: an event, or the first of several that are counted in it. */
export interface AuditRecord extends AuditEvent {
  readonly id: number
  /** How many events the row stands for. The row of the current minute still grows. */
  readonly count: number
  /** What the events after the first add; undefined for a row of one event. `subject` is then the most frequent one. */
  readonly repeats: AuditRepeats | undefined
}

/** A page of the audit log, newest first. */
export interface AuditPage {
  readonly data: readonly AuditRecord[]
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
    count: row.count,
    repeats: row.repeats ?? undefined,
  }))
  return { data, next: rows.length > limit ? data.at(-1)?.id : undefined }
}
