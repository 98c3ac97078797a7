import type postgres from 'postgres'
import { FEED_EPOCH, FEED_TIMELINE } from '../../core/metadata-contract.ts'

/** The state of the server that a connection leads to. */
export interface Seen {
  /** Identifies this start of this database server. */
  readonly instance: string
  /**
   * Whether the server is a standby. It refuses writes, as does a primary that was made read-only.
   */
  readonly standby: boolean
  readonly readOnly: boolean
  /**
   * Eight hexadecimal digits; undefined if the server does not report it or was not queried for it.
   */
  readonly timeline: string | undefined
  /**
   * The timeline stored with the feed's epoch; undefined if none is stored or the tables were not
   * queried.
   */
  readonly storedTimeline: string | undefined
  readonly hasEpoch: boolean
}

export interface LookOptions {
  /** Whether to query the tables, which do not exist before the first migration. */
  readonly tables: boolean
  /** Whether to query the timeline, which not every server reports. */
  readonly timeline: boolean
}

/**
 * Sends a statement in one round trip, with the simple protocol: it prepares nothing, so it also
 * works behind a pooler.
 */
type Send = (statement: string) => PromiseLike<Iterable<unknown>>

const STATE = `pg_catalog.pg_is_in_recovery() as standby, pg_catalog.current_setting('transaction_read_only') = 'on' as read_only,
  extract(epoch from pg_catalog.pg_postmaster_start_time())::text as instance`
/** Null on a standby, where these functions throw. */
const TIMELINE = `case when pg_catalog.pg_is_in_recovery() then null else pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8) end as timeline`
const METADATA = `(select value from sealwax.metadata where name = '${FEED_TIMELINE}') as stored_timeline,
  exists (select from sealwax.metadata where name = '${FEED_EPOCH}') as has_epoch`

export async function look(send: Send, { tables, timeline }: LookOptions): Promise<Seen> {
  const fields = [STATE, ...(timeline ? [TIMELINE] : []), ...(tables ? [METADATA] : [])]
  const [row] = (await send(`select ${fields.join(', ')}`)) as unknown as [Record<string, unknown>]
  const text = (name: string) => (typeof row[name] === 'string' ? row[name] : undefined)
  return {
    instance: text('instance') ?? '',
    standby: row.standby === true,
    readOnly: row.read_only === true,
    timeline: /^[0-9A-F]{8}$/.exec(text('timeline') ?? '')?.[0],
    storedTimeline: text('stored_timeline'),
    hasEpoch: row.has_epoch === true,
  }
}

/**
 * After a failover the new primary may lack commits of the old one, and assigns the same positions
 * and transaction numbers again: a cursor from before the failover would skip new rows. So the
 * epoch is replaced as soon as a connection sees another timeline; if several see it at the same
 * time, one of them replaces the epoch. If no timeline is stored yet, it is stored.
 */
export async function keepEpoch(send: Send, { timeline, storedTimeline, hasEpoch }: Seen): Promise<boolean> {
  if (timeline === undefined || timeline === storedTimeline || !hasEpoch) return false
  // Both values contain only hexadecimal digits.
  const stored = /^[0-9A-F]{8}$/.exec(storedTimeline ?? '')?.[0]
  const change =
    stored === undefined
      ? `insert into sealwax.metadata (name, value) values ('${FEED_TIMELINE}', '${timeline}') on conflict do nothing`
      : `with moved as (
          update sealwax.metadata set value = '${timeline}' where name = '${FEED_TIMELINE}' and value = '${stored}' returning name)
        update sealwax.metadata set value = pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', '')
          where name = '${FEED_EPOCH}' and exists (select from moved)`
  try {
    await send(`begin isolation level read committed read write; ${change}; commit`)
  } catch (error) {
    // The connection may go back to a pool, and its next user would be in a failed transaction.
    await Promise.resolve(send('rollback')).catch(() => {})
    throw error
  }
  return stored !== undefined
}

/** Whether the server refuses to report its timeline, as some hosted ones do. */
export function refusesTimeline(error: unknown): boolean {
  return TIMELINE_REFUSED.has(codeOf(error))
}

/** insufficient_privilege, undefined_function, feature_not_supported */
const TIMELINE_REFUSED = new Set(['42501', '42883', '0A000'])

/** Whether the server, or a pooler before it, is reachable but has no free connection. */
export function isFull(error: unknown): boolean {
  return codeOf(error) === '53300' || (error instanceof Error && /no more connections allowed/i.test(error.message))
}

/** Whether an error came from a running server, and not from the connection to it. */
export function isAnswer(error: unknown): boolean {
  return /^[0-9FHPX][0-9A-Z]{4}$/.test(codeOf(error)) && !/^57P0/.test(codeOf(error))
}

/**
 * Whether the connection cannot be used after this error: it is broken, its server accepts no
 * writes or is shutting down, or its transaction has failed.
 */
export function isUseless(error: unknown): boolean {
  return /^(25006|25P02|57P0.|08...)$/.test(codeOf(error))
}

export function connectionError(code: string): Error {
  return Object.assign(new Error(`No connection to the database: ${code}`), { code })
}

/** Throws what a write would cause: 25006, read_only_sql_transaction. */
export function refuseReadOnly({ standby, readOnly }: Seen, { writes }: { writes: boolean }): void {
  if (standby) throw Object.assign(new Error('The database is a standby'), { code: '25006' })
  if (writes && readOnly) throw new TakesNoWrites('The database takes no writes')
}

/**
 * A primary that was made read-only, as hosting providers do when its disk is full. Reads still
 * work.
 */
export class TakesNoWrites extends Error {
  readonly code = '25006'
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** Sends statements over a client with one connection. */
export function sendOver(client: postgres.Sql): Send {
  return (statement) => client.unsafe(statement)
}
