import type { Kysely } from 'kysely'
import type { SigningKeys } from '../contract/signing-keys.ts'
import type { Tables } from '../tables.ts'

export function signingKeys(db: Kysely<Tables>): SigningKeys {
  return {
    async insert(key) {
      const public_jwk = key.public_jwk === null ? null : JSON.stringify(key.public_jwk)
      await db
        .insertInto('signing_keys')
        .values({ ...key, public_jwk })
        .execute()
    },
    async list() {
      const found = await db.selectFrom('signing_keys').selectAll().orderBy('sequence').execute()
      return found.map((key) => ({ ...key, public_jwk: key.public_jwk === null ? null : JSON.parse(key.public_jwk) }))
    },
  }
}
