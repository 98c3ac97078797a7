import type { Kysely } from 'kysely'
import type { Tables } from '../core/tables.ts'
import type { UserImports } from './contract.ts'
import { toColumns } from './queries.ts'
import type {} from './tables.ts'

/** The queries of an import, each for many users. */
export function userImports(db: Kysely<Tables>): UserImports {
  return {
    async known(ids, emails) {
      // Two queries: with one, Postgres and SQLite would not always use both indexes.
      const users = db.selectFrom('users').select(['id', 'email'])
      const byId = await users.where('id', 'in', ids).execute()
      return [...byId, ...(await users.where('email', 'in', emails).execute())]
    },
    async reserved(emails, now) {
      const found = await db
        .selectFrom('one_time_tokens')
        .select(['email', 'data'])
        .where('purpose', '=', 'undo-email-change')
        .where('email', 'in', emails)
        .where('expires_at', '>', now)
        .execute()
      return found.map(({ email, data }) => ({ email, subject: JSON.parse(data).subject }))
    },
    async insert(users) {
      const insert = db.insertInto('users').values(users.map(toColumns))
      const stored = await insert
        .onConflict((on) => on.doNothing())
        .returning('id')
        .execute()
      return stored.map(({ id }) => id)
    },
  }
}
