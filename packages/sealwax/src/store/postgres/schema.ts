import { type Kysely, sql } from 'kysely'
import { SCHEMA, type Tables } from '../../core/tables.ts'
import { AuthError } from '../../errors.ts'
import { postgresDialect } from '../migrations/dialect.ts'
import { isNewer, migrate, pendingMigrations, requireMigrated } from '../migrations/index.ts'
import { isRefusedPrivilege } from './errors.ts'

/**
 * Migrates the schema. Writes nothing if no migration is pending, so that a user with access only
 * to rows is enough. A transaction-level lock makes concurrent starts wait; only the first
 * migrates.
 */
export async function prepareSchema(db: Kysely<Tables>, mode: 'auto' | 'off'): Promise<void> {
  const readRows = (cause?: unknown) => refused(`read the schema ${SCHEMA}`, GRANT_ROWS, cause)
  try {
    if ((await privileges(db)).usage === false) throw readRows()
    if (mode === 'off') return await requireMigrated(db, postgresDialect, SCHEMA)
    if (await isNewer(db, postgresDialect, SCHEMA)) return
    if ((await pendingMigrations(db, postgresDialect, SCHEMA)).length === 0) return
  } catch (error) {
    throw isRefusedPrivilege(error) ? readRows(error) : error
  }
  await sql`begin`.execute(db)
  // Every name is qualified; one that is not fails here instead of depending on search_path.
  await sql`set local search_path to pg_catalog`.execute(db)
  await sql`select pg_advisory_xact_lock(hashtext('sealwax migrations'))`.execute(db)
  await createSchema(db)
  await migrate(db, postgresDialect, SCHEMA).catch((error) => {
    throw isRefusedPrivilege(error) ? refused(`change the schema ${SCHEMA}`, START_AS_OWNER, error) : error
  })
  await sql`commit`.execute(db)
}

const GRANT_ROWS = `grant it USAGE on the schema and its sequences, and SELECT, INSERT, UPDATE and DELETE on its tables`
const START_AS_OWNER = 'start once as its owner'
const CREATE_SCHEMA = `create it with this user as its owner, or grant CREATE on the database`

/** Checks privileges first: after a failed statement, the transaction reports no further causes. */
async function createSchema(db: Kysely<Tables>): Promise<void> {
  const may = await privileges(db)
  if (may.change === false) throw refused(`change the schema ${SCHEMA}`, START_AS_OWNER)
  if (may.change !== null) return
  if (!may.create) throw refused(`create the schema ${SCHEMA}`, CREATE_SCHEMA)
  await sql`create schema ${sql.id(SCHEMA)}`.execute(db)
}

interface Privileges {
  /** For the database; the others are for the schema, null if it does not exist. */
  readonly create: boolean
  readonly change: boolean | null
  readonly usage: boolean | null
}

async function privileges(db: Kysely<Tables>): Promise<Privileges> {
  const { rows } = await sql<Privileges>`
    select pg_catalog.has_database_privilege(pg_catalog.current_database(), 'create') as create,
        pg_catalog.has_schema_privilege(oid, 'create') as change, pg_catalog.has_schema_privilege(oid, 'usage') as usage
      from (select 1) here left join pg_catalog.pg_namespace on nspname = ${SCHEMA}`.execute(db)
  return rows[0] as Privileges
}

function refused(what: string, remedy: string, cause?: unknown): AuthError {
  return new AuthError('schema_outdated', `The database user may not ${what}: ${remedy}`, { cause })
}
