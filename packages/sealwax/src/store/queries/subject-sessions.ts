import { type Kysely, sql } from 'kysely'
import type { Tables } from '../tables.ts'
import { prepared, type Slots } from './prepared.ts'

/** The subject of a session that has not ended, as the index over these has it. Written with `ended_at is null` beside it. */
export const subjectUnended = sql<string>`(case when ended_at is null then subject end)`

/** The latest of the sessions of a subject that have not ended. */
export async function latestOf(db: Kysely<Tables>, subject: string, except = '') {
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

/** Reads the sessions begun first, as many as `read`, and of these finds the ones to end. */
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
