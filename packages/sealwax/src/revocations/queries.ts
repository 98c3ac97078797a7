import { type Kysely, sql } from 'kysely'
import { FEED_EPOCH } from '../core/metadata-contract.ts'
import { REVOKED_CHANNEL, SCHEMA, type Tables } from '../core/tables.ts'
import { prepared, type Slots } from '../store/prepared.ts'
import type { ReadRevocations, RevocationPage, RevocationRow, Revocations } from './contract.ts'
import type {} from './tables.ts'
import {
  compare,
  least,
  PAST_ALL,
  readTransactionCursor,
  type TransactionCursor,
  writeTransactionCursor,
} from './transaction-cursor.ts'

type Positions = 'sequence' | 'transaction'

/** The queries of revocations. */
export function revocations(db: Kysely<Tables>, { positions }: { positions: Positions }): Revocations {
  return {
    async append(...entries) {
      if (entries.length === 0) return
      const [entry] = entries
      if (entry !== undefined && entries.length === 1) await db.insertInto('revocations').values(entry).execute()
      else await appendMany(db, entries, positions)
      // Delivered to the other processes when this transaction commits.
      if (positions === 'transaction') await sql`select pg_catalog.pg_notify(${REVOKED_CHANNEL}, '')`.execute(db)
    },
    since:
      positions === 'sequence'
        ? (cursor, options) => bySequence(db, readEpochCursor(cursor), options)
        : (cursor, options) => byTransaction(db, readEpochCursor(cursor), options),
    async purge(now, limit) {
      const past = db.selectFrom('revocations').select('position').where('until', '<=', now)
      const { numDeletedRows } = await db
        .deleteFrom('revocations')
        .where('position', 'in', past.orderBy('until').limit(limit))
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

/**
 * Passes all entries in one parameter, so that the database parses and plans one statement only.
 */
async function appendMany(db: Kysely<Tables>, entries: readonly RevocationRow[], positions: Positions): Promise<void> {
  const json = JSON.stringify(
    entries.map(({ kind, key, ver, until, except_sid = null }) => [kind, key, ver, until, except_sid]),
  )
  const [values, integer] =
    positions === 'sequence'
      ? [sql`json_each(${json})`, sql`integer`]
      : [
          sql`pg_catalog.jsonb_array_elements(${json}::pg_catalog.text::pg_catalog.jsonb) as entries(value)`,
          sql`bigint`,
        ]
  await sql`insert into ${positions === 'sequence' ? sql.table('revocations') : TABLE} (kind, key, ver, until, except_sid)
    select value ->> 0, value ->> 1, cast(value ->> 2 as ${integer}), cast(value ->> 3 as ${integer}), value ->> 4
    from ${values}`.execute(db)
}

/** The table in handwritten queries of Postgres. */
const TABLE = sql.table(`${SCHEMA}.revocations`)
const FIELDS = ['kind', 'key', 'ver', 'until', 'except_sid'] as const

/** A cursor in parts. */
interface EpochCursor {
  readonly epoch: string
  readonly position: string | undefined
}

/** Read in the same statement as the entries, so that a cursor always has the epoch of its rows. */
function epochIn(table: string) {
  return sql<string | null>`(select value from ${sql.table(table)} where name = ${sql.lit(FEED_EPOCH)})`
}

function readEpochCursor(cursor = ''): EpochCursor {
  const [, epoch = '', position] = /^([\w-]*)\.([\d-]{1,100})$/.exec(cursor) ?? []
  return { epoch, position }
}

/** With one writer at a time, what commits later has a higher position. */
async function bySequence(
  db: Kysely<Tables>,
  from: EpochCursor,
  { now, limit }: ReadRevocations,
): Promise<RevocationPage> {
  // A cursor beyond the last position: the file was replaced by an older copy, so everything is
  // sent again.
  const { rows: given } = await latestStatement(db, {})
  const epoch = given[0]?.epoch ?? ''
  const asked = epoch === from.epoch ? from.position : undefined
  const known = asked !== undefined && /^\d+$/.test(asked) && Number(asked) <= (given[0]?.seq ?? 0)
  const position = known ? Number(asked) : 0
  const { rows } = await laterStatement(db, { position, limit })
  const last = rows.at(-1)?.position ?? position
  return { entries: filterLive(rows, now), cursor: `${epoch}.${last}`, more: rows.length === limit, snapshot: !known }
}

const latestStatement = prepared((db) => {
  const latest = sql<{ seq: number | null; epoch: string | null }>`
    select (select seq from sqlite_sequence where name = 'revocations') as seq, ${epochIn('metadata')} as epoch`
  return { compile: () => latest.compile(db) }
})
const laterStatement = prepared((db, value: Slots<{ position: number; limit: number }>) =>
  db
    .selectFrom('revocations')
    .select([...FIELDS, 'position'])
    .where('position', '>', value('position'))
    .orderBy('position')
    .limit(value('limit')),
)

/**
 * Transactions overlap: one that began earlier may commit later. So entries are ordered by the
 * number of their transaction, and the cursor contains the oldest transaction that was open when
 * the page was read: everything that commits later has that number or a higher one.
 *
 * After a crash Postgres reuses the numbers of transactions that left no trace. So the cursor also
 * contains the last position: that row was on disk, and the sequence continues after it. Entries
 * beyond either of the two are new.
 *
 * New entries are read in pages: first, by transaction, those up to the last position; then, by
 * position, those after it (a snapshot has only the latter). Meanwhile the cursor keeps the oldest
 * transaction that was open at any of these pages, and the next read begins there, so that what
 * commits while the pages are read is not missed.
 *
 * Rows that were restored from a dump keep the numbers of the server they were made on, which may
 * be higher than any that this one has used. They are not new: what committed here has a number
 * below the end of the snapshot.
 */
async function byTransaction(
  db: Kysely<Tables>,
  asked: EpochCursor,
  { now, limit }: ReadRevocations,
): Promise<RevocationPage> {
  const from = readTransactionCursor(asked.position)
  const fields = sql`txid::pg_catalog.text as txid, position, kind, key, ver, until, except_sid`
  // One statement, so that the cursor and the entries come from one snapshot of the database.
  const { rows } = await sql<Partial<Row> & { xmin: string; latest: number | null; epoch: string | null }>`
    select snapshot.*, page.* from
      (select pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::pg_catalog.text as xmin,
        (select pg_catalog.max(position) from ${TABLE}) as latest, ${epochIn(`${SCHEMA}.metadata`)} as epoch) snapshot
      left join (
        (select true as late, ${fields} from ${TABLE} feed
          where (txid, position) > (${from.txid}::pg_catalog.text::pg_catalog.xid8, ${from.within}::bigint)
            and txid < pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())
          order by feed.txid, position limit ${limit})
        union all
        (select false as late, ${fields} from ${TABLE}
          where position > ${from.position}::bigint order by position limit ${limit})
      ) page on true`.execute(db)
  const { xmin = '0', latest, epoch } = rows[0] ?? {}
  // The cursor is of another history of this database: after a failover, or in a copy.
  if (asked.position !== undefined && asked.epoch !== (epoch ?? '')) return byTransaction(db, BEGINNING, { now, limit })
  // A restored database (or one that purged its last rows) reuses positions: everything is sent
  // again.
  if ((latest ?? 0) < from.position) return byTransaction(db, BEGINNING, { now, limit })
  const page = rows.filter((row): row is typeof row & Row => row.position !== undefined && row.position !== null)
  const next = toPage(page, from, { oldest: least(from.oldest, xmin), latest: latest ?? 0, limit })
  const snapshot = from.position === 0 && from.txid === PAST_ALL
  return {
    entries: filterLive(next.rows, now),
    cursor: `${epoch ?? ''}.${writeTransactionCursor(next.cursor)}`,
    more: next.more,
    snapshot,
  }
}

const BEGINNING: EpochCursor = { epoch: '', position: undefined }

interface Row extends RevocationRow {
  /** Whether it was found by its transaction, not by its position. */
  readonly late: boolean
  readonly txid: string
  readonly position: number
}

function toPage(
  rows: readonly Row[],
  from: TransactionCursor,
  { oldest, latest, limit }: { oldest: string; latest: number; limit: number },
): { rows: readonly Row[]; cursor: TransactionCursor; more: boolean } {
  const byNumber = (a: Row, b: Row) => compare(a.txid, b.txid) || a.position - b.position
  const lateRows = rows.filter((row) => row.late).sort(byNumber)
  // Those after the last position are read by position.
  const late = lateRows.filter(({ position }) => position <= from.position)
  if (lateRows.length === limit) {
    const { txid, position: within } = lateRows.at(-1) as Row
    return { rows: late, cursor: { ...from, txid, within, oldest }, more: true }
  }
  const later = rows.filter((row) => !row.late).sort((a, b) => a.position - b.position)
  const more = later.length === limit
  const position = more ? (later.at(-1) as Row).position : latest
  const cursor = more
    ? { txid: PAST_ALL, within: 0, position, oldest }
    : { txid: oldest, within: 0, position, oldest: undefined }
  return { rows: [...late, ...later], cursor, more }
}

function filterLive(rows: readonly RevocationRow[], now: number): RevocationRow[] {
  return rows
    .filter(({ until }) => until > now)
    .map(({ kind, key, ver, until, except_sid }) => ({ kind, key, ver, until, except_sid: except_sid ?? null }))
}
