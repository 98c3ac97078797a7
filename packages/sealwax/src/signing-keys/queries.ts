import type { Kysely, Selectable, UpdateResult } from 'kysely'
import type { Tables } from '../core/tables.ts'
import type { SigningKeyRow, SigningKeys } from './contract.ts'
import type {} from './tables.ts'

/** The queries of signing keys. */
export function signingKeys(db: Kysely<Tables>, { lockRows }: { lockRows: boolean }): SigningKeys {
  const all = db.selectFrom('signing_keys').selectAll().orderBy('sequence')
  const update = (kid: string) => db.updateTable('signing_keys').where('kid', '=', kid)
  return {
    async insert(key) {
      const public_jwk = key.public_jwk === null ? null : JSON.stringify(key.public_jwk)
      await db
        .insertInto('signing_keys')
        .values({ ...key, public_jwk })
        .execute()
    },
    list: async () => (await all.execute()).map(toRow),
    lock: async () => (await (lockRows ? all.forUpdate() : all).execute()).map(toRow),
    async signSooner(kid, at) {
      const later = update(kid).where('signs_from', '>', at).where('revoked_at', 'is', null)
      return isChanged(await later.set({ signs_from: at }).executeTakeFirst())
    },
    async raiseAccessTtl(ttl) {
      await db.updateTable('signing_keys').set({ access_ttl: ttl }).where('access_ttl', '<', ttl).execute()
    },
    async revoke(kid, at) {
      return isChanged(await update(kid).where('revoked_at', 'is', null).set({ revoked_at: at }).executeTakeFirst())
    },
    async announce(kid, from, to) {
      return isChanged(await update(kid).where('announced', '=', from).set({ announced: to }).executeTakeFirst())
    },
    async rewrap(kid, from, to) {
      return isChanged(await update(kid).where('private_jwk', '=', from).set({ private_jwk: to }).executeTakeFirst())
    },
    async delete(kid) {
      const { numDeletedRows } = await db.deleteFrom('signing_keys').where('kid', '=', kid).executeTakeFirst()
      return numDeletedRows > 0n
    },
  }
}

function isChanged({ numUpdatedRows }: UpdateResult): boolean {
  return numUpdatedRows > 0n
}

function toRow(found: Selectable<Tables['signing_keys']>): SigningKeyRow {
  return { ...found, public_jwk: found.public_jwk === null ? null : JSON.parse(found.public_jwk) }
}
