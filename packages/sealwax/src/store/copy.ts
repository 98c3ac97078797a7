import { type Kysely, sql } from 'kysely'
import { AuthError } from '../errors.ts'
import { FEED_EPOCH, FEED_TIMELINE, SCHEMA_NEEDS, SEALED } from './contract/metadata.ts'
import { SCHEMA, type Tables } from './tables.ts'

/** How many rows of each table were copied. */
export type CopiedCounts = Readonly<Record<string, number>>

/** A database as the copy sees it. */
export interface CopyEnd {
  readonly db: Kysely<Tables>
  /** Runs a unit in one transaction. */
  transaction<T>(unit: (db: Kysely<Tables>) => Promise<T>): Promise<T>
}

/** Each table with the column it is read in order of. Revocations come last: their positions are given anew. */
const ORDER = {
  users: 'id',
  sessions: 'id',
  signing_keys: 'sequence',
  audit_events: 'id',
  metadata: 'name',
  clients: 'id',
  client_secrets: 'id',
  subject_versions: 'subject',
  revocations: 'position',
} as const satisfies Partial<Record<keyof Tables, string>>

type TableName = keyof typeof ORDER

/** Rows per statement: within the number of parameters that Postgres takes. */
const CHUNK = 500

/** In the target, from the first row until the counts have been compared. */
const UNFINISHED = 'copy_unfinished'

/**
 * Moves everything from one database to an empty one. From the first moment the source refuses writes (503; its guards keep working), and after
 * success it goes on refusing: what was written there would be lost. After a failure it takes writes again.
 * A copy that was interrupted may be started again: what it had brought is replaced.
 * Throws `conflict` when the target holds something else.
 */
export async function copyDatabase(source: CopyEnd, target: CopyEnd): Promise<CopiedCounts> {
  await requireEmpty(target.db)
  await seal(source)
  try {
    const counts = await target.transaction(async (into) => {
      for (const table of Object.keys(ORDER) as TableName[]) await into.deleteFrom(table).execute()
      await into.insertInto('metadata').values({ name: UNFINISHED, value: '1' }).execute()
      for (const table of Object.keys(ORDER) as TableName[]) await copyTable(source.db, into, table)
      const copied = await compareCounts(source.db, into)
      await into.deleteFrom('metadata').where('name', 'in', [UNFINISHED, SEALED, FEED_EPOCH, FEED_TIMELINE]).execute()
      await restartSequence(into)
      return copied
    })
    return counts
  } catch (error) {
    await unseal(source)
    throw error
  }
}

/** Lets a source take writes again, after a copy that was killed. */
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

async function requireEmpty(db: Kysely<Tables>): Promise<void> {
  const unfinished = await db.selectFrom('metadata').select('value').where('name', '=', UNFINISHED).executeTakeFirst()
  if (unfinished !== undefined) return
  const migrated = await db.selectFrom('metadata').select('value').where('name', '=', SCHEMA_NEEDS).executeTakeFirst()
  for (const table of Object.keys(ORDER) as TableName[]) {
    const own = table === 'metadata' && migrated !== undefined ? 1 : 0
    if ((await countOf(db, table)) > own) {
      throw new AuthError('config_invalid', `The target is not empty: it has rows in ${table}`)
    }
  }
}

async function copyTable(from: Kysely<Tables>, into: Kysely<Tables>, table: TableName): Promise<void> {
  const key = ORDER[table]
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

async function compareCounts(from: Kysely<Tables>, into: Kysely<Tables>): Promise<CopiedCounts> {
  const counts: Record<string, number> = {}
  for (const table of Object.keys(ORDER) as TableName[]) {
    const [expected, copied] = [await countOf(from, table), await countOf(into, table)]
    // The target's own mark is one row more.
    if (copied !== expected + (table === 'metadata' ? 1 : 0)) {
      throw new AuthError('internal_error', `${table}: ${expected} rows were to be copied, ${copied} arrived`)
    }
    counts[table] = expected
  }
  return counts
}

async function countOf(db: Kysely<Tables>, table: TableName): Promise<number> {
  const { count } = await db
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** The audit log keeps its numbers, so the next one must come after them. */
async function restartSequence(db: Kysely<Tables>): Promise<void> {
  const table = `${SCHEMA}.audit_events`
  await sql`
    select pg_catalog.setval(pg_catalog.pg_get_serial_sequence(${table}, 'id'), coalesce(max(id), 0) + 1, false)
      from ${sql.table(table)}`.execute(db)
}
