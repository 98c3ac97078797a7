import { type Kysely, sql } from 'kysely'
import { FEED_EPOCH } from '../contract/metadata.ts'
import type { ReadRevocations, RevocationPage, RevocationRow, Revocations } from '../contract/revocations.ts'
import { SCHEMA, type Tables } from '../tables.ts'
import { prepared, type Slots } from './prepared.ts'
import {
  compare,
  least,
  PAST_ALL,
  readTransactionCursor,
  type TransactionCursor,
  writeTransactionCursor,
} from './transaction-cursor.ts'

type Positions = 'sequence' | 'transaction'

/** `positions`: how this database tells what is later than what. */
export function revocations(db: Kysely<Tables>, { positions }: { positions: Positions }): Revocations {
  return {
    async append(...entries) {
      if (entries.length === 0) return
      const [entry] = entries
      if (entry !== undefined && entries.length === 1) await db.insertInto('revocations').values(entry).execute()
      else await appendMany(db, entries, positions)
      // Heard by the others when this transaction commits.
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

/** All in one parameter: the text of the statement, and so the work to parse and to plan it, is the same for any number. */
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

/** Where processes tell one another, on Postgres, that there is something to read. */
export const REVOKED_CHANNEL = 'sealwax_revoked'

/** As the queries of Postgres name it that are written by hand. */
const TABLE = sql.table(`${SCHEMA}.revocations`)
const FIELDS = ['kind', 'key', 'ver', 'until', 'except_sid'] as const

/** A cursor, and the epoch that it belongs to. */
interface EpochCursor {
  readonly epoch: string
  readonly position: string | undefined
}

/** Read in one statement with the entries, so that a cursor always names the epoch of the rows it stands behind. */
function epochIn(table: string) {
  return sql<string | null>`(select value from ${sql.table(table)} where name = ${sql.lit(FEED_EPOCH)})`
}

function readEpochCursor(cursor = ''): EpochCursor {
  const [, epoch = '', position] = /^([\w-]*)\.([\d-]{1,100})$/.exec(cursor) ?? []
  return { epoch, position }
}

/** One writer at a time: what commits later has a higher position. */
async function bySequence(
  db: Kysely<Tables>,
  from: EpochCursor,
  { now, limit }: ReadRevocations,
): Promise<RevocationPage> {
  // A cursor beyond the last position ever given comes from a file that was since replaced by an older copy: then everything is news.
  const { rows: given } = await latestStatement(db, {})
  const epoch = given[0]?.epoch ?? ''
  const asked = epoch === from.epoch ? from.position : undefined
  const known = asked !== undefined && /^\d+$/.test(asked) && Number(asked) <= (given[0]?.seq ?? 0)
  const position = known ? Number(asked) : 0
  const { rows } = await laterStatement(db, { position, limit })
  const last = rows.at(-1)?.position ?? position
  return { entries: live(rows, now), cursor: `${epoch}.${last}`, more: rows.length === limit, snapshot: !known }
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
 * Transactions overlap: one that began earlier may commit later. So an entry stands at its transaction's number, and the cursor holds the oldest
 * transaction that was still open when the page was read: all that commits later has that number or a higher one. But after a crash Postgres gives
 * numbers again that were taken by transactions which left no trace. So the cursor also holds the last position there was: that row was on the
 * disk, and with it a sequence that goes on behind it. What is beyond the one or the other is news.
 *
 * Rows that were restored from a dump keep the numbers of the server they were made on, which may be higher than any that this one has given. They
 * are no news: what committed here has a number below the snapshot's end.
 *
 * News is read in pages: first by transaction what stands at or before the last position, then by position what stands behind it (a snapshot is only
 * that). Meanwhile the cursor keeps the oldest transaction that was open at any of these pages, and the next news begins there: so what commits late,
 * behind the back of the pages, is not skipped.
 */
async function byTransaction(
  db: Kysely<Tables>,
  asked: EpochCursor,
  { now, limit }: ReadRevocations,
): Promise<RevocationPage> {
  const from = readTransactionCursor(asked.position)
  const fields = sql`txid::pg_catalog.text as txid, position, kind, key, ver, until, except_sid`
  // One statement, hence one snapshot, for the cursor and the entries.
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
  // The position belongs to another history than this database has: after a failover, or in a copy.
  if (asked.position !== undefined && asked.epoch !== (epoch ?? '')) return byTransaction(db, BEGINNING, { now, limit })
  // A store that went back (or purged its last rows) gives positions again, too: then everything is news once.
  if ((latest ?? 0) < from.position) return byTransaction(db, BEGINNING, { now, limit })
  const page = rows.filter((row): row is typeof row & Row => row.position !== undefined && row.position !== null)
  const next = pageOf(page, from, { oldest: least(from.oldest, xmin), latest: latest ?? 0, limit })
  const snapshot = from.position === 0 && from.txid === PAST_ALL
  return {
    entries: live(next.rows, now),
    cursor: `${epoch ?? ''}.${writeTransactionCursor(next.cursor)}`,
    more: next.more,
    snapshot,
  }
}

const BEGINNING: EpochCursor = { epoch: '', position: undefined }

interface Row extends RevocationRow {
  /** Whether it was found by its transaction, rather than behind the last position. */
  readonly late: boolean
  readonly txid: string
  readonly position: number
}

function pageOf(
  rows: readonly Row[],
  from: TransactionCursor,
  { oldest, latest, limit }: { oldest: string; latest: number; limit: number },
): { rows: readonly Row[]; cursor: TransactionCursor; more: boolean } {
  const byNumber = (a: Row, b: Row) => compare(a.txid, b.txid) || a.position - b.position
  const lateRows = rows.filter((row) => row.late).sort(byNumber)
  // Those behind the last position come by position.
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

function live(rows: readonly RevocationRow[], now: number): RevocationRow[] {
  return rows
    .filter(({ until }) => until > now)
    .map(({ kind, key, ver, until, except_sid }) => ({ kind, key, ver, until, except_sid: except_sid ?? null }))
}
