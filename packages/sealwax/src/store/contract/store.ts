import type { AuditLog } from './audit.ts'
import type { Clients } from './clients.ts'
import type { Metadata } from './metadata.ts'
import type { Revocations } from './revocations.ts'
import type { Sessions } from './sessions.ts'
import type { SigningKeys } from './signing-keys.ts'
import type { SubjectVersions } from './subject-versions.ts'
import type { Users } from './users.ts'

/** The nouns a transaction reads and writes. */
export interface Facts {
  readonly users: Users
  readonly sessions: Sessions
  readonly clients: Clients
  readonly signingKeys: SigningKeys
  readonly revocations: Revocations
  readonly subjectVersions: SubjectVersions
  readonly audit: AuditLog
  readonly metadata: Metadata
}

/**
 * Where Sealwax keeps its facts. It knows no rules.
 * A store that is away, full, read-only or too busy throws `temporarily_unavailable`, never anything a rule could mistake for an answer.
 */
export interface Store {
  /** Committed facts, outside any transaction. Writing here throws. */
  readonly committed: Facts
  /**
   * Runs a unit atomically and durably: when the promise resolves, the unit's writes are on disk.
   * A unit may await only the facts it is given; it may be run again from the start. What it throws rolls it back.
   */
  transaction<T>(unit: (facts: Facts) => Promise<T>): Promise<T>
  /** Opens the store and brings its schema up to date; with `migrate: 'off'` an older schema throws `schema_outdated` instead. `warn` hears what works and should be known. */
  open(options: { migrate: 'auto' | 'off'; warn?: ((sentence: string) => void) | undefined }): Promise<void>
  /** Reads something trivial, to know that the store answers. */
  ping(): Promise<void>
  /**
   * Calls `changed` soon after any process has committed revocations (and now and then for nothing), until the returned function is called.
   * A failing store makes no noise here: the next read tells.
   */
  follow(changed: () => void): () => Promise<void>
  close(): Promise<void>
}

/** A unique value is taken. `field` names which. */
export class Conflict extends Error {
  override readonly name = 'Conflict'
  readonly field: string
  constructor(field: string, cause?: unknown) {
    super(`The ${field} is taken`, { cause })
    this.field = field
  }
}
