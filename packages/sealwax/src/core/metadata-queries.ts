import type { Kysely } from 'kysely'
import { prepared, type Slots } from '../store/prepared.ts'
import type { Metadata } from './metadata-contract.ts'
import type { Tables } from './tables.ts'

/** The queries of named values. */
export function metadata(db: Kysely<Tables>): Metadata {
  const get = async (name: string) => (await getStatement(db, { name })).rows[0]?.value
  return {
    get,
    async set(name, value) {
      await db
        .insertInto('metadata')
        .values({ name, value })
        .onConflict((on) => on.column('name').doUpdateSet({ value }))
        .execute()
    },
    async getOrSet(name, value) {
      await db
        .insertInto('metadata')
        .values({ name, value })
        .onConflict((on) => on.doNothing())
        .execute()
      return (await get(name)) ?? value
    },
  }
}

const getStatement = prepared((db, value: Slots<{ name: string }>) =>
  db.selectFrom('metadata').select('value').where('name', '=', value('name')),
)
