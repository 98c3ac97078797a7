import type { Kysely } from 'kysely'
import type { Tables } from '../core/tables.ts'
import type { ExchangedSessions } from './exchange-contract.ts'
import type {} from './tables.ts'

/** The queries of exchanged sessions. */
export function exchangedSessions(db: Kysely<Tables>): ExchangedSessions {
  return {
    async insert(row) {
      // Waits for a transaction that has inserted the same hash. An error would end this one.
      const { numInsertedOrUpdatedRows = 0n } = await db
        .insertInto('exchanged_sessions')
        .values({ ...row })
        .onConflict((on) => on.column('hash').doNothing())
        .executeTakeFirst()
      return numInsertedOrUpdatedRows > 0n
    },
    async byHash(hash) {
      return db.selectFrom('exchanged_sessions').selectAll().where('hash', '=', hash).executeTakeFirst()
    },
    async purge(now, limit) {
      const past = db.selectFrom('exchanged_sessions').select('hash').where('until', '<=', now)
      const { numDeletedRows } = await db
        .deleteFrom('exchanged_sessions')
        .where('hash', 'in', past.orderBy('until').limit(limit))
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}
