import { type Kysely, sql } from 'kysely'
import { FEED_EPOCH, FEED_TIMELINE, SCHEMA_NEEDS, SEALED } from '../core/metadata-contract.ts'
import { SCHEMA, type Tables } from '../core/tables.ts'
import { AuthError } from '../errors.ts'

/** How many rows of each table were copied. */
export type CopiedCounts = Readonly<Record<string, number>>

/** A source or target of a copy. */
export interface CopyEnd {
  readonly db: Kysely<Tables>
  /** Runs `unit` in one transaction. */
  transaction<T>(unit: (db: Kysely<Tables>) => Promise<T>): Promise<T>
}

/** A table and the column that it is read by. */
interface CopiedTable {
  readonly name: keyof Tables
  readonly key: string
}

/** Rows per statement: Postgres limits the number of parameters. */
const CHUNK = 500

/**
 * Copies all rows to an empty database. The source refuses writes (503; guards keep working) from
 * the start, and stays so after success, since later writes would be lost. After a failure it
 * accepts writes again. The target gets all rows in one transaction, so an interrupted copy leaves
 * none and can be started again.
 *
 * @throws {AuthError} `config_invalid` if the target is not empty
 */
export async function copyDatabase(
  source: CopyEnd,
  target: CopyEnd,
  features: readonly { readonly name: string; readonly tables?: Readonly<Record<string, string>> }[],
): Promise<CopiedCounts> {
  // In reverse order of the features, so that a table comes after those it refers to. Revocations
  // get new positions.
  const tables = features
    .toReversed()
    .flatMap((feature) => Object.entries(feature.tables ?? {}))
    .map(([name, key]): CopiedTable => ({ name: name as keyof Tables, key }))
  await requireEmpty(target.db, tables)
  await seal(source)
  try {
    return await target.transaction(async (into) => {
      for (const { name } of tables.toReversed()) await into.deleteFrom(name).execute()
      for (const table of tables) await copyTable(source.db, into, table)
      const copied = await compareCounts(source.db, into, tables)
      await into.deleteFrom('metadata').where('name', 'in', [SEALED, FEED_EPOCH, FEED_TIMELINE]).execute()
      await restartSequence(into)
      return copied
    })
  } catch (error) {
    await unseal(source)
    throw error
  }
}

/** Lets the source accept writes again after a copy was killed. */
export async function unseal(source: CopyEnd): Promise<void> {
  await source.db.deleteFrom('metadata').where('name', '=', SEALED).execute()
}

async function seal(source: CopyEnd): Promise<void> {
  await source.db
    .insertInto('metadata')
    .values({ name: SEALED, value: '1' })
    .onConflict((on) => on.doNothing())
    .execute()
}

async function requireEmpty(db: Kysely<Tables>, tables: readonly CopiedTable[]): Promise<void> {
  const migrated = await db.selectFrom('metadata').select('value').where('name', '=', SCHEMA_NEEDS).executeTakeFirst()
  for (const { name: table } of tables) {
    const own = table === 'metadata' && migrated !== undefined ? 1 : 0
    if ((await countRows(db, table)) > own) {
      throw new AuthError('config_invalid', `The target is not empty: it has rows in ${table}`)
    }
  }
}

async function copyTable(from: Kysely<Tables>, into: Kysely<Tables>, { name: table, key }: CopiedTable): Promise<void> {
  for (let last: unknown; ; ) {
    let query = from
      .selectFrom(table)
      .selectAll()
      .orderBy(key as never)
      .limit(CHUNK)
    if (last !== undefined) query = query.where(key as never, '>', last as never)
    const rows = await query.execute()
    if (rows.length === 0) return
    last = (rows.at(-1) as Record<string, unknown>)[key]
    const values = table === 'revocations' ? rows.map(({ position: _, ...row }: Record<string, unknown>) => row) : rows
    await into
      .insertInto(table)
      .values(values as never)
      .execute()
  }
}

async function compareCounts(
  from: Kysely<Tables>,
  into: Kysely<Tables>,
  tables: readonly CopiedTable[],
): Promise<CopiedCounts> {
  const counts: Record<string, number> = {}
  for (const { name: table } of tables) {
    const [expected, copied] = [await countRows(from, table), await countRows(into, table)]
    if (copied !== expected) {
      throw new AuthError('internal_error', `${table}: ${expected} rows expected, ${copied} copied`)
    }
    counts[table] = expected
  }
  return counts
}

async function countRows(db: Kysely<Tables>, table: keyof Tables): Promise<number> {
  const { count } = await db
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** The copied audit events keep their ids, so new ones must come after them. */
async function restartSequence(db: Kysely<Tables>): Promise<void> {
  const table = `${SCHEMA}.audit_events`
  await sql`
    select pg_catalog.setval(pg_catalog.pg_get_serial_sequence(${table}, 'id'), coalesce(max(id), 0) + 1, false)
      from ${sql.table(table)}`.execute(db)
}
