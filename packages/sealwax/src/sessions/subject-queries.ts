import { type Kysely, sql } from 'kysely'
import type { Tables } from '../core/tables.ts'
import { prepared, type Slots } from '../store/prepared.ts'
import type { Subjects } from './contract.ts'

/**
 * The subject of a session that has not ended, as it is indexed. Use it together with `ended_at is
 * null`.
 */
export const subjectUnended = sql<string>`(case when ended_at is null then subject end)`

/** Returns the latest of the sessions of a subject that have not ended. */
export async function readLatest(db: Kysely<Tables>, subject: string, except = '') {
  return db
    .selectFrom('sessions')
    .select((eb) => [eb.fn.max('access_expires_at').as('access_expires_at'), eb.fn.max('ver').as('ver')])
    .where(subjectUnended, '=', subject)
    .where('ended_at', 'is', null)
    .where('id', '!=', except)
    .executeTakeFirstOrThrow()
}

interface Excess {
  subject: string
  except: string
  now: number
  keep: number
  limit: number
  read: number
}

/** Reads the `read` oldest sessions and returns those of them that must end. */
export const excessStatement = prepared((db, value: Slots<Excess>) =>
  db
    .selectFrom((from) =>
      from
        .selectFrom('sessions')
        .select(['id', 'created_at', 'seen_at', 'idle_expires_at', 'absolute_expires_at'])
        .where(subjectUnended, '=', value('subject'))
        .where('ended_at', 'is', null)
        .where('id', '!=', value('except'))
        .orderBy('created_at')
        .limit(value('read'))
        .as('looked_at'),
    )
    .select('id')
    .orderBy(sql`(idle_expires_at > ${value('now')} and absolute_expires_at > ${value('now')})`, 'desc')
    .orderBy('seen_at', 'desc')
    .orderBy('created_at', 'desc')
    .limit(value('limit'))
    .offset(value('keep')),
)

/** The queries of subjects. */
export function subjects(db: Kysely<Tables>, { lockRows }: { lockRows: boolean }): Subjects {
  const lock = lockRows ? lockUser : readUser
  return {
    async lock(id) {
      const found = (await lock(db, { id })).rows[0]
      return found && { ...found, roles: JSON.parse(found.roles) }
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
  }
}

const readUser = prepared((db, value: Slots<{ id: string }>) =>
  db.selectFrom('users').select(['roles', 'ver', 'disabled_at']).where('id', '=', value('id')),
)
const lockUser = prepared((db, value: Slots<{ id: string }>) =>
  db.selectFrom('users').select(['roles', 'ver', 'disabled_at']).where('id', '=', value('id')).forUpdate(),
)
