import { type Kysely, sql } from 'kysely'
import type { RevocationPage, Revocations } from '../contract/revocations.ts'
import type { Tables } from '../tables.ts'
import { prepared, type Slots } from './prepared.ts'

/** `positions`: how this database tells what is later than what. */
export function revocations(db: Kysely<Tables>, { positions }: { positions: 'sequence' | 'transaction' }): Revocations {
  return {
    async append(entry) {
      await db.insertInto('revocations').values(entry).execute()
      // Heard by the others when this transaction commits.
      if (positions === 'transaction') await sql`select pg_notify(${REVOKED_CHANNEL}, '')`.execute(db)
    },
    since:
      positions === 'sequence'
        ? (cursor, now) => bySequence(db, cursor, now)
        : (cursor, now) => byTransaction(db, cursor, now),
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

/** Where processes tell one another, on Postgres, that there is something to read. */
export const REVOKED_CHANNEL = 'sealwax_revoked'

const FIELDS = ['kind', 'key', 'ver', 'until', 'except_sid'] as const

/** One writer at a time: what commits later has a higher position. */
async function bySequence(db: Kysely<Tables>, cursor = '0', now: number): Promise<RevocationPage> {
  // A cursor beyond the last position ever given comes from a file that was since replaced by an older copy: then everything is news.
  const { rows: given } = await latestStatement(db, {})
  if (Number(cursor) > (given[0]?.seq ?? 0)) return bySequence(db, '0', now)
  const { rows } = await laterStatement(db, { position: Number(cursor), now })
  const entries = rows.map(({ position: _, ...entry }) => entry)
  return { entries, cursor: String(rows.at(-1)?.position ?? cursor) }
}

const latestStatement = prepared((db) => {
  const latest = sql<{ seq: number }>`select seq from sqlite_sequence where name = 'revocations'`
  return { compile: () => latest.compile(db) }
})
const laterStatement = prepared((db, value: Slots<{ position: number; now: number }>) =>
  db
    .selectFrom('revocations')
    .select([...FIELDS, 'position'])
    .where('position', '>', value('position'))
    .where('until', '>', value('now'))
    .orderBy('position'),
)

/**
 * Transactions overlap: one that began earlier may commit later. So an entry stands at its transaction's number, and the cursor holds the oldest
 * transaction that was still open when the page was read: all that commits later has that number or a higher one. But after a crash Postgres gives
 * numbers again that were taken by transactions which left no trace. So the cursor also holds the last position there was: that row was on the
 * disk, and with it a sequence that goes on behind it. What is beyond the one or the other is news.
 */
async function byTransaction(db: Kysely<Tables>, cursor: string | undefined, now: number): Promise<RevocationPage> {
  const after = readCursor(cursor)
  const snapshot = sql<{ xmin: string; latest: number | null }>`
    (select pg_snapshot_xmin(pg_current_snapshot())::text as xmin, (select max(position) from revocations) as latest)`
  const isNews = sql<boolean>`(revocations.txid >= ${after.xmin}::text::xid8 or revocations.position > ${after.position})`
  // One statement, hence one snapshot, for the cursor and the entries.
  const rows = await db
    .selectFrom(snapshot.as('snapshot'))
    .leftJoin('revocations', (join) => join.on(isNews).on('until', '>', now))
    .select(['snapshot.xmin', 'snapshot.latest', ...FIELDS])
    .orderBy('revocations.position')
    .execute()
  const entries = rows.flatMap(({ kind, key, ver, until, except_sid }) =>
    kind === null || key === null || until === null ? [] : [{ kind, key, ver, until, except_sid }],
  )
  const position = rows[0]?.latest ?? 0
  // A store that went back (or purged its last rows) gives positions again, too: then everything is news once.
  if (position < after.position) return byTransaction(db, undefined, now)
  return { entries, cursor: writeCursor({ xmin: rows[0]?.xmin ?? after.xmin, position }) }
}

const POSITION_DIGITS = 20

function writeCursor({ xmin, position }: { xmin: string; position: number }): string {
  return xmin + String(position).padStart(POSITION_DIGITS, '0')
}

/** What is no cursor of ours stands before everything. */
function readCursor(cursor = ''): { xmin: string; position: number } {
  if (cursor.length <= POSITION_DIGITS) return { xmin: '0', position: 0 }
  const position = Math.min(Number(cursor.slice(-POSITION_DIGITS)), Number.MAX_SAFE_INTEGER)
  return { xmin: cursor.slice(0, -POSITION_DIGITS), position }
}
