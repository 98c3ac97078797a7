import type { Compilable, CompiledQuery, Kysely } from 'kysely'
import type { Tables } from '../core/tables.ts'

/** Placeholders, in a query, for the values that a call binds. */
export interface Slots<V> {
  <K extends keyof V>(name: K): V[K]
  /** Only for type inference. */
  readonly values?: V
}

/**
 * Runs a compiled statement without Kysely's executor, whose promises take as long as SQLite
 * itself.
 */
export type RunDirectly = (sql: string, parameters: readonly unknown[]) => { rows: unknown[]; changed: number }

const directly = new WeakMap<object, RunDirectly>()

/** Registers how to run the prepared statements of a database with a synchronous driver. */
export function runDirectly(db: Kysely<Tables>, run: RunDirectly): void {
  directly.set(db.getExecutor().adapter, run)
}

interface Statement<R> {
  readonly query: CompiledQuery<R>
  /** The value for each parameter. `undefined`: a constant in the query. */
  readonly names: readonly (PropertyKey | undefined)[]
}

/**
 * Builds and compiles a query once per database; each call only binds values. Building a query
 * takes several times as long as running it, so log-in, refresh and revocation use this.
 */
export function prepared<V extends object, R>(
  build: (db: Kysely<Tables>, value: Slots<V>) => Compilable<R>,
): (db: Kysely<Tables>, values: V) => Promise<{ rows: R[]; changed: number }> {
  // A transaction has its own Kysely, but shares the adapter of its database.
  const statements = new WeakMap<object, Statement<R>>()
  return async (db, values) => {
    const { adapter } = db.getExecutor()
    const known = statements.get(adapter)
    const { query, names } = known ?? compile(db, build)
    if (known === undefined) statements.set(adapter, { query, names })
    const parameters = names.map((name, i) => (name === undefined ? query.parameters[i] : values[name as keyof V]))
    const run = directly.get(adapter)
    if (run !== undefined) return run(query.sql, parameters) as { rows: R[]; changed: number }
    const result = await db.executeQuery<R>({ ...query, parameters })
    return { rows: result.rows, changed: Number(result.numAffectedRows ?? 0n) }
  }
}

function compile<V extends object, R>(
  db: Kysely<Tables>,
  build: (db: Kysely<Tables>, value: Slots<V>) => Compilable<R>,
): Statement<R> {
  const slots = new Map<unknown, PropertyKey>()
  const slot = <K extends keyof V>(name: K): V[K] => {
    const mark = { slot: name }
    slots.set(mark, name)
    return mark as V[K]
  }
  const query = build(db, slot).compile()
  return { query, names: query.parameters.map((parameter) => slots.get(parameter)) }
}
