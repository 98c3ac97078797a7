import type { Revocation } from '@sealwax/guard'
import type { Kysely } from 'kysely'
import type { AuditEvent } from './events.ts'
import type { Tables } from './tables.ts'

/**
 * What a transaction reads and writes, by noun. A feature declares its nouns in its `contract.ts`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: features add their members
export interface Facts {}

/** What queries need to know about their database. */
export interface DatabaseTraits {
  /**
   * True where the database locks rows (Postgres), false where it locks the whole file (SQLite).
   */
  readonly lockRows: boolean
  /** The order of revocations: by sequence (one writer) or by transaction (several). */
  readonly positions: 'sequence' | 'transaction'
}

/** The queries of some nouns, on one connection. */
export type Queries = {
  readonly [Noun in keyof Facts]?: (db: Kysely<Tables>, traits: DatabaseTraits) => Facts[Noun]
}

/**
 * The database. It contains no rules. Every method throws `temporarily_unavailable` when the
 * database is unreachable, full, read-only or too busy.
 */
export interface Store {
  /** Reads committed data, outside any transaction. Writing here throws. */
  readonly committed: Facts
  /**
   * Runs a function in a transaction. When the promise resolves, the writes are on disk; when the
   * function throws, they are rolled back. The function may await only the facts it is given, and
   * may be run again from the start.
   */
  transaction<T>(run: (facts: Facts) => Promise<T>): Promise<T>
  /**
   * Opens the store and migrates its schema.
   *
   * @throws {AuthError} `schema_outdated` for an older schema with `migrate: 'off'`, `schema_newer`
   * for one that needs a newer version of Sealwax, `config_invalid`
   */
  open(options: StoreOpening): Promise<void>
  /** Runs a trivial query, to check that the database responds. */
  ping(): Promise<void>
  /**
   * Calls `changed` soon after any process has committed revocations, and sometimes without reason,
   * until the returned function is called. Errors of the database are not reported here.
   */
  follow(changed: () => void): () => Promise<void>
  /** Closes all connections. */
  close(): Promise<void>
}

/** The options of `Store.open`. */
export interface StoreOpening {
  /** With 'off', an outdated schema throws instead of being migrated. */
  readonly migrate: 'auto' | 'off'
  /** The features whose queries the store runs. */
  readonly features: readonly { readonly name: string; readonly queries?: Queries }[]
  /** Called with warnings: something works but needs attention. */
  readonly warn?: ((message: string) => void) | undefined
}

/** A unique value is taken. */
export class Conflict extends Error {
  override readonly name = 'Conflict'
  /** The field with the taken value. */
  readonly field: string
  constructor(field: string, cause?: unknown) {
    super(`The ${field} is taken`, { cause })
    this.field = field
  }
}

/** A running transaction, with the events and revocations that take effect after its commit. */
export type Unit = Facts & {
  readonly events: AuditEvent[]
  readonly revoking: Revocation[]
  /** Called after the commit. They must not throw. */
  readonly afterCommit: (() => void)[]
}

/** The part of the context that `commit` needs. */
interface Committing {
  readonly store: Store
  readonly revoked: { add(revocation: Revocation): void }
  readonly emit: (event: AuditEvent) => void
}

/**
 * Runs a unit in a transaction, then applies its revocations in this process and emits its events.
 *
 * @returns what `run` returned
 */
export async function commit<T>(context: Committing, run: (unit: Unit) => Promise<T>): Promise<T> {
  let committed: Unit | undefined
  const result = await context.store.transaction((facts) => {
    // The store may run it several times; only the last run is committed.
    committed = { ...facts, events: [], revoking: [], afterCommit: [] }
    return run(committed)
  })
  for (const revocation of committed?.revoking ?? []) context.revoked.add(revocation)
  for (const event of committed?.events ?? []) context.emit(event)
  for (const run of committed?.afterCommit ?? []) run()
  return result
}
