import { type Kysely, type Selectable, sql } from 'kysely'
import { type Tables, WRAPPER_BYTES } from '../core/tables.ts'
import type { OneTimeTokenRow, OneTimeTokens, Purpose } from './one-time-tokens-contract.ts'
import type {} from './tables.ts'

/** The part of a code that names the secret which wrapped it. */
const head = sql<Uint8Array>`substr(code, 1, ${sql.lit(WRAPPER_BYTES)})`

/** The queries of one-time tokens. */
export function oneTimeTokens(db: Kysely<Tables>): OneTimeTokens {
  const live = (now: number) => db.selectFrom('one_time_tokens').selectAll().where('expires_at', '>', now)
  return {
    async put({ data, ...token }) {
      const row = { ...token, data: JSON.stringify(data) }
      await db
        .insertInto('one_time_tokens')
        .values(row)
        .onConflict((on) => on.columns(['purpose', 'holder']).doUpdateSet(row))
        .execute()
    },
    async byHash(hash, now) {
      return toRow(await live(now).where('hash', '=', hash).executeTakeFirst())
    },
    async byHolder(purpose, holder, now) {
      const query = live(now).where('purpose', '=', purpose).where('holder', '=', holder)
      return toRow(await query.executeTakeFirst())
    },
    async byEmail(email, purposes, now) {
      const query = live(now).where('email', '=', email).where('purpose', 'in', purposes)
      return (await query.orderBy('created_at', 'desc').execute()).map((found) => toRow(found) as OneTimeTokenRow)
    },
    async list(purpose, now, { after, limit }) {
      let query = live(now).where('purpose', '=', purpose).orderBy('holder').limit(limit)
      if (after !== undefined) query = query.where('holder', '>', after)
      return (await query.execute()).map((found) => toRow(found) as OneTimeTokenRow)
    },
    async take(hash, now) {
      const query = db.deleteFrom('one_time_tokens').where('hash', '=', hash).where('expires_at', '>', now)
      return (await query.executeTakeFirst()).numDeletedRows > 0n
    },
    async countTry(hash, most) {
      const query = db
        .updateTable('one_time_tokens')
        .set({ code_tries: sql`code_tries + 1` })
        .where('hash', '=', hash)
        .where('code_tries', '<', most)
      return (await query.executeTakeFirst()).numUpdatedRows > 0n
    },
    async delete(purpose, holder) {
      const query = db.deleteFrom('one_time_tokens').where('purpose', '=', purpose).where('holder', '=', holder)
      return (await query.executeTakeFirst()).numDeletedRows > 0n
    },
    async codeHeads() {
      const heads: Uint8Array[] = []
      // One index lookup per head, however many tokens there are.
      for (;;) {
        const last = heads.at(-1)
        let query = db.selectFrom('one_time_tokens').select(head.as('head')).orderBy(head).limit(1)
        query = last === undefined ? query.where(head, 'is not', null) : query.where(head, '>', last)
        const next = (await query.execute())[0]?.head
        if (next === undefined) return heads
        heads.push(next)
      }
    },
    async wrappedBy(own, limit) {
      const query = db.selectFrom('one_time_tokens').select(['hash', 'code']).where(head, '=', own).limit(limit)
      return (await query.execute()) as { hash: string; code: Uint8Array }[]
    },
    async rewrap(hash, from, to) {
      const query = db
        .updateTable('one_time_tokens')
        .set({ code: to })
        .where('hash', '=', hash)
        .where('code', '=', from)
      return (await query.executeTakeFirst()).numUpdatedRows > 0n
    },
    async purge(before, limit) {
      const past = db.selectFrom('one_time_tokens').select('hash').where('expires_at', '<', before).limit(limit)
      const { numDeletedRows } = await db.deleteFrom('one_time_tokens').where('hash', 'in', past).executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

function toRow(found: Selectable<Tables['one_time_tokens']> | undefined): OneTimeTokenRow | undefined {
  return found && { ...found, purpose: found.purpose as Purpose, data: JSON.parse(found.data) }
}
