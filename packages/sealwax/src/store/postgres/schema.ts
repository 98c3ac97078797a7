import { type Kysely, sql } from 'kysely'
import { AuthError } from '../../errors.ts'
import { postgresDialect } from '../migrations/dialect.ts'
import { migrate, pendingMigrations, requireMigrated } from '../migrations/index.ts'
import { SCHEMA, type Tables } from '../tables.ts'
import { isRefusedPrivilege } from './errors.ts'

/**
 * Brings the schema up to date. Where nothing is to be done nothing is written, so a user who may only read and write rows is enough. The lock is one
 * of the transaction: servers that start at once queue here, and the second finds nothing left to do.
 */
export async function prepareSchema(db: Kysely<Tables>, mode: 'auto' | 'off'): Promise<void> {
  try {
    if (mode === 'off') return await requireMigrated(db, postgresDialect, SCHEMA)
    if ((await pendingMigrations(db, postgresDialect, SCHEMA)).length === 0) return
  } catch (error) {
    throw isRefusedPrivilege(error) ? refused(`read the schema ${SCHEMA}`, GRANT_ROWS, error) : error
  }
  await sql`begin`.execute(db)
  // Each name is written with its schema; one that were not would be refused here, rather than land where somebody's settings lead.
  await sql`set local search_path to pg_catalog`.execute(db)
  await sql`select pg_advisory_xact_lock(hashtext('sealwax migrations'))`.execute(db)
  await requirePrivileges(db)
  await migrate(db, postgresDialect, SCHEMA).catch((error) => {
    throw isRefusedPrivilege(error) ? refused(`change the schema ${SCHEMA}`, START_AS_OWNER, error) : error
  })
  await sql`commit`.execute(db)
}

const GRANT_ROWS = `grant it USAGE on the schema and its sequences, and SELECT, INSERT, UPDATE and DELETE on its tables`
const START_AS_OWNER = 'start once as its owner'
const CREATE_SCHEMA = `create it with this user as its owner, or grant CREATE on the database`

/** Asked before anything is tried: within a transaction an error hides the next. */
async function requirePrivileges(db: Kysely<Tables>): Promise<void> {
  const { rows } = await sql<{ may_create: boolean; may_change: boolean | null }>`
    select has_database_privilege(current_database(), 'create') as may_create,
      (select has_schema_privilege(oid, 'create') from pg_namespace where nspname = ${SCHEMA}) as may_change`.execute(
    db,
  )
  const { may_create = false, may_change = null } = rows[0] ?? {}
  if (may_change === null && !may_create) throw refused(`create the schema ${SCHEMA}`, CREATE_SCHEMA)
  if (may_change === false) throw refused(`change the schema ${SCHEMA}`, START_AS_OWNER)
  if (may_change === null) await sql`create schema ${sql.id(SCHEMA)}`.execute(db)
}

function refused(what: string, remedy: string, cause?: unknown): AuthError {
  return new AuthError('schema_outdated', `The database user may not ${what}: ${remedy}`, { cause })
}
