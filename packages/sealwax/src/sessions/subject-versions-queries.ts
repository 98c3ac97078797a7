import { type Kysely, sql } from 'kysely'
import type { Tables } from '../core/tables.ts'
import { prepared, type Slots } from '../store/prepared.ts'
import type { SubjectVersions } from './subject-versions-contract.ts'

/** The queries of subject versions. */
export function subjectVersions(db: Kysely<Tables>, { lockRows }: { lockRows: boolean }): SubjectVersions {
  const read = async (subject: string) => (await readStatement(db, { subject })).rows[0]?.ver
  // An advisory lock, since most subjects have no row. It is a separate statement, so that the read
  // sees what was committed while the lock was awaited.
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
        // Checked again: the row may have been updated since the subquery.
        .where('until', '<=', now)
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

const readStatement = prepared((db, value: Slots<{ subject: string }>) =>
  db.selectFrom('subject_versions').select('ver').where('subject', '=', value('subject')),
)

/** Separates these locks from other advisory locks of the database. */
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
