import type { PostgresJSReservedSql } from 'kysely-postgres-js'

/** A statement under way, as the library returns it. */
export type Pending = ReturnType<PostgresJSReservedSql['unsafe']>

/**
 * What a rollback answers. One that cannot be sent has happened all the same: Postgres undoes what
 * a lost connection left open.
 */
export const UNDONE = Promise.resolve(Object.assign([], { command: 'ROLLBACK', count: 0 }))

/** A statement that nobody can cancel any more. */
export function settled(answer: Promise<Awaited<Pending>>): Pending {
  return Object.assign(answer.then(), { cancel() {} })
}
