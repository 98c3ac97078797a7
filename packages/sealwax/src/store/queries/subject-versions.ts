import { type Kysely, sql } from 'kysely'
import type { SubjectVersions } from '../contract/subject-versions.ts'
import type { Tables } from '../tables.ts'
import { prepared, type Slots } from './prepared.ts'

export function subjectVersions(db: Kysely<Tables>, { lockRows }: { lockRows: boolean }): SubjectVersions {
  const read = async (subject: string) => (await readStatement(db, { subject })).rows[0]?.ver
  // Most subjects have no row that could be locked. A statement of its own: the one that reads must see what was committed while it waited.
  const locked = (lock: typeof shareLock) => async (subject: string) => {
    if (lockRows) await lock(db, { subject })
    return read(subject)
  }
  return {
    read: locked(shareLock),
    lock: locked(fullLock),
    async set(subject, ver, until) {
      await db
        .insertInto('subject_versions')
        .values({ subject, ver, until })
        .onConflict((on) => on.column('subject').doUpdateSet({ ver, until }))
        .execute()
    },
    async purge(now, limit) {
      const past = db.selectFrom('subject_versions').select('subject').where('until', '<=', now)
      const { numDeletedRows } = await db
        .deleteFrom('subject_versions')
        .where('subject', 'in', past.orderBy('until').limit(limit))
        // Again: the row may have been set anew since it was looked for.
        .where('until', '<=', now)
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

const readStatement = prepared((db, value: Slots<{ subject: string }>) =>
  db.selectFrom('subject_versions').select('ver').where('subject', '=', value('subject')),
)

/** Names the locks of this file among all advisory locks of the database. */
const SPACE = sql.lit('sealwax subject')

const shareLock = prepared((db, value: Slots<{ subject: string }>) => ({
  compile: () =>
    sql`select pg_catalog.pg_advisory_xact_lock_shared(pg_catalog.hashtext(${SPACE}), pg_catalog.hashtext(${value('subject')}))`.compile(
      db,
    ),
}))
const fullLock = prepared((db, value: Slots<{ subject: string }>) => ({
  compile: () =>
    sql`select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext(${SPACE}), pg_catalog.hashtext(${value('subject')}))`.compile(
      db,
    ),
}))
