import { type Kysely, type Selectable, sql } from 'kysely'
import type { Tables } from '../core/tables.ts'
import { prepared, type Slots } from '../store/prepared.ts'
import type { UserRow, Users } from './contract.ts'
import type {} from './tables.ts'

/** The queries of users. */
export function users(db: Kysely<Tables>, { lockRows }: { lockRows: boolean }): Users {
  const lock = lockRows ? lockRow : byIdStatement
  return {
    async insert(user) {
      await db
        .insertInto('users')
        .values({ ...user, roles: JSON.stringify(user.roles), attributes: toJson(user.attributes) })
        .execute()
    },
    async byId(id) {
      return toRow((await byIdStatement(db, { id })).rows[0])
    },
    async byEmail(email) {
      return toRow((await byEmailStatement(db, { email })).rows[0])
    },
    async lock(id) {
      return toRow((await lock(db, { id })).rows[0])
    },
    async list({ after, limit }) {
      let query = db.selectFrom('users').selectAll().orderBy('id').limit(limit)
      if (after !== undefined) query = query.where('id', '>', after)
      return (await query.execute()).map((found) => toRow(found) as UserRow)
    },
    async change(id, change) {
      const { attributes, ...rest } = change
      const columns = attributes === undefined ? rest : { ...rest, attributes: toJson(attributes) }
      const result = await db.updateTable('users').set(columns).where('id', '=', id).executeTakeFirst()
      return result.numUpdatedRows > 0n
    },
    async replaceHash(id, { from, to }) {
      const result = await db
        .updateTable('users')
        .set({ password_hash: to })
        .where('id', '=', id)
        .where('password_hash', '=', from)
        .executeTakeFirst()
      return result.numUpdatedRows > 0n
    },
    async setRoles(id, roles, { least, now }) {
      const changed = await db
        .updateTable('users')
        .set({
          roles: JSON.stringify(roles),
          ver: sql`case when ver < ${least} then ${least} else ver + 1 end`,
          updated_at: now,
        })
        .where('id', '=', id)
        .returning('ver')
        .executeTakeFirst()
      return changed?.ver
    },
    async delete(id) {
      const result = await db.deleteFrom('users').where('id', '=', id).executeTakeFirst()
      return result.numDeletedRows > 0n
    },
  }
}

const byIdStatement = prepared((db, value: Slots<{ id: string }>) =>
  db.selectFrom('users').selectAll().where('id', '=', value('id')),
)
const lockRow = prepared((db, value: Slots<{ id: string }>) =>
  db.selectFrom('users').selectAll().where('id', '=', value('id')).forUpdate(),
)
const byEmailStatement = prepared((db, value: Slots<{ email: string }>) =>
  db.selectFrom('users').selectAll().where('email', '=', value('email')),
)

function toRow(found: Selectable<Tables['users']> | undefined): UserRow | undefined {
  if (found === undefined) return undefined
  // Copies each column: spreading the object of the driver takes longer than reading it.
  return {
    id: found.id,
    email: found.email,
    password_hash: found.password_hash,
    roles: JSON.parse(found.roles),
    ver: found.ver,
    credential_version: found.credential_version,
    disabled_at: found.disabled_at,
    email_verified_at: found.email_verified_at,
    name: found.name,
    attributes: found.attributes === null ? null : JSON.parse(found.attributes),
    created_at: found.created_at,
    updated_at: found.updated_at,
  }
}

function toJson(attributes: UserRow['attributes']): string | null {
  return attributes === null ? null : JSON.stringify(attributes)
}
