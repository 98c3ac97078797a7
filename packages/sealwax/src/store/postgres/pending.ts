import type { PostgresJSReservedSql } from 'kysely-postgres-js'

/** A running statement, as the library returns it. */
export type Pending = ReturnType<PostgresJSReservedSql['unsafe']>

/**
 * The result of a rollback, even if it cannot be sent: Postgres rolls back the open transaction of
 * a lost connection.
 */
export const UNDONE = Promise.resolve(Object.assign([], { command: 'ROLLBACK', count: 0 }))

/** Wraps a promise as a statement that can no longer be cancelled. */
export function settled(answer: Promise<Awaited<Pending>>): Pending {
  return Object.assign(answer.then(), { cancel() {} })
}
