import type { Kysely } from 'kysely'
import type { Tables } from '../core/tables.ts'
import type { UsedProofs } from './contract.ts'
import type {} from './tables.ts'

/** The queries of used proofs. */
export function usedProofs(db: Kysely<Tables>): UsedProofs {
  return {
    async insert(hash, until) {
      // Waits for a transaction that has inserted the same hash. An error would end this one.
      const { numInsertedOrUpdatedRows = 0n } = await db
        .insertInto('used_proofs')
        .values({ hash, until })
        .onConflict((on) => on.column('hash').doNothing())
        .executeTakeFirst()
      return numInsertedOrUpdatedRows > 0n
    },
    async purge(now, limit) {
      const past = db.selectFrom('used_proofs').select('hash').where('until', '<=', now)
      const { numDeletedRows } = await db
        .deleteFrom('used_proofs')
        .where('hash', 'in', past.orderBy('until').limit(limit))
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}
