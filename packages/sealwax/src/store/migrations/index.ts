import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { SCHEMA_NEEDS } from '../../core/metadata-contract.ts'
import type { Tables } from '../../core/tables.ts'
import { AuthError } from '../../errors.ts'
import { up as initial } from './0001-initial.ts'
import { up as rememberAndPurge } from './0002-remember-and-purge.ts'
import { up as keySchedule } from './0003-key-schedule.ts'
import { up as clients } from './0004-clients.ts'
import { up as refreshLeaves } from './0005-refresh-leaves.ts'
import { up as subjectVersions } from './0006-subject-versions.ts'
import { up as auditCounts } from './0007-audit-counts.ts'
import { up as auditByType } from './0008-audit-by-type.ts'
import { up as accounts } from './0009-accounts.ts'
import { up as throttling } from './0010-throttling.ts'
import { up as outbox } from './0011-outbox.ts'
import { up as oneTimeTokens } from './0012-one-time-tokens.ts'
import { up as userSearch } from './0013-user-search.ts'
import { up as exchanged } from './0014-exchanged.ts'
import { up as accessTtl } from './0015-access-ttl.ts'
import { up as dpop } from './0016-dpop.ts'
import type { Dialect } from './dialect.ts'

/** All migrations in order. A released migration never changes. */
const MIGRATIONS: Readonly<Record<string, (db: Kysely<unknown>, dialect: Dialect) => Promise<void>>> = {
  '0001-initial': initial,
  '0002-remember-and-purge': rememberAndPurge,
  '0003-key-schedule': keySchedule,
  '0004-clients': clients,
  '0005-refresh-leaves': refreshLeaves,
  '0006-subject-versions': subjectVersions,
  '0007-audit-counts': auditCounts,
  '0008-audit-by-type': auditByType,
  '0009-accounts': accounts,
  '0010-throttling': throttling,
  '0011-outbox': outbox,
  '0012-one-time-tokens': oneTimeTokens,
  '0013-user-search': userSearch,
  '0014-exchanged': exchanged,
  '0015-access-ttl': accessTtl,
  '0016-dpop': dpop,
}

/** The last migration that older servers cannot run with. */
const LAST_BREAKING = '0007-audit-counts'

function migrator(db: Kysely<Tables>, dialect: Dialect, schema?: string): Migrator {
  const migrations = Object.fromEntries(
    Object.entries(MIGRATIONS).map(([name, up]): [string, Migration] => [name, { up: (on) => up(on, dialect) }]),
  )
  return new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    ...(schema !== undefined && { migrationTableSchema: schema }),
    migrationTableName: 'migrations',
    migrationLockTableName: 'migrations_lock',
    disableTransactions: true,
  })
}

/**
 * Runs pending migrations. The caller holds the write lock, so that concurrent starts run them
 * once.
 */
export async function migrate(db: Kysely<Tables>, dialect: Dialect, schema?: string): Promise<void> {
  if (await isNewer(db, dialect, schema)) return
  const { error } = await migrator(db, dialect, schema).migrateToLatest()
  if (error !== undefined) throw error
  await db
    .insertInto('metadata')
    .values({ name: SCHEMA_NEEDS, value: LAST_BREAKING })
    .onConflict((on) => on.column('name').doUpdateSet({ value: LAST_BREAKING }))
    .execute()
}

/**
 * Whether a newer version has changed the schema in a way that this version can run with: after a
 * rollback, or together with newer servers.
 *
 * @throws {AuthError} `schema_newer` if it cannot run with it
 */
export async function isNewer(db: Kysely<Tables>, dialect: Dialect, schema?: string): Promise<boolean> {
  const pending = await pendingMigrations(db, dialect, schema)
  if (pending.length === Object.keys(MIGRATIONS).length) return false
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(`${schema ?? 'main'}.migrations`)}`.execute(
    db,
  )
  const newer = rows.map(({ name }) => name).filter((name) => !Object.hasOwn(MIGRATIONS, name))
  if (newer.length === 0) return false
  const needed = await db.selectFrom('metadata').select('value').where('name', '=', SCHEMA_NEEDS).executeTakeFirst()
  if (needed !== undefined && Object.hasOwn(MIGRATIONS, needed.value)) return true
  throw new AuthError(
    'schema_newer',
    `A newer Sealwax has changed the database schema (${newer.join(', ')}); this version cannot run on it. Start the newer version`,
  )
}

/** The names of the pending migrations. Only reads. */
export async function pendingMigrations(db: Kysely<Tables>, dialect: Dialect, schema?: string): Promise<string[]> {
  const all = await migrator(db, dialect, schema).getMigrations()
  return all.filter(({ executedAt }) => executedAt === undefined).map(({ name }) => name)
}

/** @throws {AuthError} `schema_outdated` if a migration is pending */
export async function requireMigrated(db: Kysely<Tables>, dialect: Dialect, schema?: string): Promise<void> {
  const pending = await pendingMigrations(db, dialect, schema)
  await isNewer(db, dialect, schema)
  if (pending.length === 0) return
  const names = pending.join(', ')
  throw new AuthError('schema_outdated', `The database schema is older than this Sealwax: ${names} not applied`)
}
