import type { AuditRepeats, NewAuditRow } from './audit-contract.ts'
import { findBucket, summarise } from './audit-counts.ts'
import { type Context, perContext } from './context.ts'
import type { AuditEvent } from './events.ts'
import type { RequestOrigin } from './request-origin.ts'
import type { Unit } from './unit-of-work.ts'
import { commit } from './unit-of-work.ts'

/** Adds an event to a unit: it is stored with it and passed to `onEvent` after the commit. */
export async function audit(unit: Unit, { by, ...happened }: AuditEvent & Pick<RequestOrigin, 'by'>): Promise<void> {
  const event = by === undefined ? happened : { ...happened, data: { ...happened.data, by } }
  const bucket = findBucket(event)
  if (bucket === undefined) await unit.audit.append(toRow(event))
  else await count(unit, bucket, [event])
  unit.events.push(event)
}

/** `audit`, and then what other features do about the event. */
export async function auditObserved(context: Context, unit: Unit, event: AuditEvent): Promise<void> {
  await audit(unit, event)
  for (const { observes } of context.features) await observes?.[event.type]?.(context, unit, event)
}

/** Events of one bucket that share a commit. */
interface Batch {
  readonly events: AuditEvent[]
  begun: boolean
  committed: Promise<void>
}

/** The latest batch of each bucket, until it is stored. */
const pendingBatches = perContext(() => new Map<string, Batch>())

/**
 * Stores an event that belongs to no other change. Events that arrive while the row of their bucket
 * is being written share the next commit: otherwise, in a flood, all connections to the database
 * would wait for that row.
 */
export async function auditAlone(context: Context, event: AuditEvent): Promise<void> {
  const bucket = findBucket(event)
  if (bucket === undefined) return commit(context, (unit) => audit(unit, event))
  const latest = pendingBatches(context).get(bucket)
  if (latest !== undefined && !latest.begun) {
    latest.events.push(event)
    return latest.committed
  }
  const batch: Batch = { events: [event], begun: false, committed: Promise.resolve() }
  pendingBatches(context).set(bucket, batch)
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
    if (pendingBatches(context).get(bucket) === batch) pendingBatches(context).delete(bucket)
  }
}

async function count(unit: Unit, bucket: string, events: readonly AuditEvent[]): Promise<void> {
  const [first, ...others] = events
  if (first === undefined) return
  const row = await unit.audit.count(bucket, toRow(first), events.length)
  const further = row.count === events.length ? others : events
  if (further.length > 0) await unit.audit.summarise(row.id, summarise(row, further))
}

function toRow(event: AuditEvent): NewAuditRow {
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

/** A row of the audit log: one event, or the first of several that share the row. */
export interface AuditRecord extends AuditEvent {
  /** Rises with each row. */
  readonly id: number
  /** How many events share the row. The row of the current minute still grows. */
  readonly count: number
  /**
   * The later events of a shared row, whose `subject` is the most frequent one; otherwise
   * undefined.
   */
  readonly repeats: AuditRepeats | undefined
}

/** A page of the audit log, newest first. */
export interface AuditPage {
  /** The rows. */
  readonly data: readonly AuditRecord[]
  /** The value of `before` for the next page; undefined on the last page. */
  readonly next: number | undefined
}

/** Returns a page of the audit log, newest first. */
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
