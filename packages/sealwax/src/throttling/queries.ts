import type { Kysely, Selectable } from 'kysely'
import type { Tables } from '../core/tables.ts'
import { prepared, type Slots } from '../store/prepared.ts'
import type { CounterName, CounterRow, Throttle } from './contract.ts'
import type {} from './tables.ts'

/** The queries of counters. */
export function throttle(db: Kysely<Tables>): Throttle {
  return {
    async lock(counters) {
      if (counters.length === 0) return []
      // In the same order everywhere, so that two transactions cannot deadlock.
      const sorted = counters.toSorted((one, other) => (one.key < other.key ? -1 : 1))
      const { rows } = await statementFor(LOCKS, counters.length)(db, numbered(sorted))
      return rows.map(toRow)
    },
    async write(rows) {
      if (rows.length === 0) return
      const sorted = rows.toSorted((one, other) => (one.key < other.key ? -1 : 1))
      await statementFor(WRITES, rows.length)(
        db,
        numbered(sorted.map((row) => ({ ...row, booked: Number(row.booked) }))),
      )
    },
    async ofAccount(account) {
      const rows = await db.selectFrom('throttle_counters').selectAll().where('account', '=', account).execute()
      return rows.map(toRow)
    },
    async clear(account) {
      const { numDeletedRows } = await db
        .deleteFrom('throttle_counters')
        .where('account', '=', account)
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
    async purge(now, limit) {
      const past = db.selectFrom('throttle_counters').select('key').where('expires_at', '<=', now)
      const { numDeletedRows } = await db
        .deleteFrom('throttle_counters')
        .where('key', 'in', past.orderBy('expires_at').limit(limit))
        // A counter may have been used since the subquery has read it.
        .where('expires_at', '<=', now)
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

/** The values of several rows: `key0`, `key1` and so on. */
type Numbered = Record<string, string | number | null>

/** An attempt has at most this many counters. */
const MOST_COUNTERS = 4

const SIZES = Array.from({ length: MOST_COUNTERS }, (_, i) => i + 1)

/** Inserts missing counters. The update changes nothing, but locks the row. */
const LOCKS = SIZES.map((size) =>
  prepared((db, value: Slots<Numbered>) =>
    db
      .insertInto('throttle_counters')
      .values(
        indexes(size).map((i) => ({
          key: value(`key${i}`) as string,
          account: value(`account${i}`) as string | null,
          ...{ count: 0, at: 0, booked: 0, expires_at: 0 },
        })),
      )
      .onConflict((on) => on.column('key').doUpdateSet((eb) => ({ key: eb.ref('excluded.key') })))
      .returningAll(),
  ),
)

const WRITES = SIZES.map((size) =>
  prepared((db, value: Slots<Numbered>) =>
    db
      .insertInto('throttle_counters')
      .values(
        indexes(size).map((i) => ({
          key: value(`key${i}`) as string,
          account: value(`account${i}`) as string | null,
          count: value(`count${i}`) as number,
          at: value(`at${i}`) as number,
          booked: value(`booked${i}`) as number,
          expires_at: value(`expires_at${i}`) as number,
        })),
      )
      .onConflict((on) =>
        on.column('key').doUpdateSet((eb) => ({
          count: eb.ref('excluded.count'),
          at: eb.ref('excluded.at'),
          booked: eb.ref('excluded.booked'),
          expires_at: eb.ref('excluded.expires_at'),
        })),
      ),
  ),
)

function indexes(size: number): number[] {
  return Array.from({ length: size }, (_, i) => i)
}

function statementFor<S>(statements: readonly S[], size: number): S {
  const statement = statements[size - 1]
  if (statement === undefined) throw new RangeError(`at most ${MOST_COUNTERS} counters (got ${size})`)
  return statement
}

function numbered(rows: readonly (CounterName | Selectable<Tables['throttle_counters']>)[]): Numbered {
  return Object.fromEntries(
    rows.flatMap((row, i) => Object.entries(row).map(([column, value]) => [`${column}${i}`, value])),
  )
}

function toRow({ key, account, count, at, booked, expires_at }: Selectable<Tables['throttle_counters']>): CounterRow {
  return { key, account, count, at, booked: booked !== 0, expires_at }
}
