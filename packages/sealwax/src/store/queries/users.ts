import { type Kysely, type Selectable, sql } from 'kysely'
import type { UserRow, Users } from '../contract/users.ts'
import type { Tables } from '../tables.ts'
import { prepared, type Slots } from './prepared.ts'

export function users(db: Kysely<Tables>, { lockRows }: { lockRows: boolean }): Users {
  const lock = lockRows ? lockRow : byIdStatement
  return {
    async insert(user) {
      await db
        .insertInto('users')
        .values({ ...user, roles: JSON.stringify(user.roles) })
        .execute()
    },
    async byId(id) {
      return row((await byIdStatement(db, { id })).rows[0])
    },
    async byEmail(email) {
      return row((await byEmailStatement(db, { email })).rows[0])
    },
    async lock(id) {
      return row((await lock(db, { id })).rows[0])
    },
    async list({ after, limit }) {
      let query = db.selectFrom('users').selectAll().orderBy('id').limit(limit)
      if (after !== undefined) query = query.where('id', '>', after)
      return (await query.execute()).map((found) => row(found) as UserRow)
    },
    async change(id, change) {
      const result = await db.updateTable('users').set(change).where('id', '=', id).executeTakeFirst()
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
    async raiseCredentialVersion(id, now) {
      const raised = await db
        .updateTable('users')
        .set((eb) => ({ credential_version: eb('credential_version', '+', 1), updated_at: now }))
        .where('id', '=', id)
        .returning('ver')
        .executeTakeFirst()
      return raised?.ver
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

function row(found: Selectable<Tables['users']> | undefined): UserRow | undefined {
  if (found === undefined) return undefined
  // Named one by one: to spread a row costs more than to read it.
  return {
    id: found.id,
    email: found.email,
    password_hash: found.password_hash,
    roles: JSON.parse(found.roles),
    ver: found.ver,
    credential_version: found.credential_version,
    disabled_at: found.disabled_at,
    created_at: found.created_at,
    updated_at: found.updated_at,
  }
}
