import type { Kysely } from 'kysely'
import type { Metadata } from '../contract/metadata.ts'
import type { Tables } from '../tables.ts'

export function metadata(db: Kysely<Tables>): Metadata {
  const get = async (name: string) => {
    const found = await db.selectFrom('metadata').select('value').where('name', '=', name).executeTakeFirst()
    return found?.value
  }
  return {
    get,
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
