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
      await db.insertInto('users').values(toColumns(user)).execute()
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
    async change(id, change) {
      const { attributes, ...rest } = change
      const columns = {
        ...rest,
        ...(attributes !== undefined && { attributes: toJson(attributes) }),
        ...(rest.name !== undefined && { name_key: toNameKey(rest.name) }),
      }
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
    async noteLogin(id, now) {
      await noteLoginStatement(db, { id, now })
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

const noteLoginStatement = prepared((db, value: Slots<{ id: string; now: number }>) =>
  db
    .updateTable('users')
    .set({ last_login_at: value('now') })
    .where('id', '=', value('id')),
)

/** Returns a row of the table as the rules read it. */
export function toRow(found: Selectable<Tables['users']>): UserRow
export function toRow(found: Selectable<Tables['users']> | undefined): UserRow | undefined
export function toRow(found: Selectable<Tables['users']> | undefined): UserRow | undefined {
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
    last_login_at: found.last_login_at,
    name: found.name,
    attributes: found.attributes === null ? null : JSON.parse(found.attributes),
    created_at: found.created_at,
    updated_at: found.updated_at,
  }
}

/** Returns the columns of a user. */
export function toColumns(user: UserRow): Tables['users'] {
  return {
    ...user,
    roles: JSON.stringify(user.roles),
    attributes: toJson(user.attributes),
    name_key: toNameKey(user.name),
  }
}

function toJson(attributes: UserRow['attributes']): string | null {
  return attributes === null ? null : JSON.stringify(attributes)
}

/** The form of a name that searches compare: without case and compatibility variants. */
export function toNameKey(name: string | null): string | null {
  return name === null ? null : name.normalize('NFKC').toLowerCase().normalize('NFC')
}
