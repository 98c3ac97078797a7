import { type Kysely, sql } from 'kysely'
import type { RevocationPage, Revocations } from '../contract/revocations.ts'
import type { Tables } from '../tables.ts'

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
    async purge(now) {
      const result = await db.deleteFrom('revocations').where('until', '<=', now).executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
}

/** Where processes tell one another, on Postgres, that there is something to read. */
export const REVOKED_CHANNEL = 'sealwax_revoked'

const FIELDS = ['kind', 'key', 'ver', 'until'] as const

/** One writer at a time: what commits later has a higher position. */
async function bySequence(db: Kysely<Tables>, cursor = '0', now: number): Promise<RevocationPage> {
  const rows = await db
    .selectFrom('revocations')
    .select([...FIELDS, 'position'])
    .where('position', '>', Number(cursor))
    .where('until', '>', now)
    .orderBy('position')
    .execute()
  const entries = rows.map(({ position: _, ...entry }) => entry)
  return { entries, cursor: String(rows.at(-1)?.position ?? cursor) }
}

/**
 * Transactions overlap: one that began earlier may commit later. So an entry stands at its transaction's number, and the cursor is the
 * oldest transaction that was still open when the page was read: all that commits later has that number or a higher one.
 */
async function byTransaction(db: Kysely<Tables>, cursor = '0', now: number): Promise<RevocationPage> {
  const xmin = sql<string>`pg_snapshot_xmin(pg_current_snapshot())::text`
  // One statement, hence one snapshot, for the cursor and the entries.
  const rows = await db
    .selectFrom(sql<{ xmin: string }>`(select ${xmin} as xmin)`.as('snapshot'))
    .leftJoin('revocations', (join) =>
      join.on(sql<boolean>`revocations.txid >= ${cursor}::text::xid8`).on('until', '>', now),
    )
    .select(['snapshot.xmin', ...FIELDS])
    .orderBy('revocations.position')
    .execute()
  const entries = rows.flatMap(({ kind, key, ver, until }) =>
    kind === null || key === null || until === null ? [] : [{ kind, key, ver, until }],
  )
  return { entries, cursor: rows[0]?.xmin ?? cursor }
}
