import type { Kysely } from 'kysely'
import type { Facts } from '../contract/store.ts'
import type { Tables } from '../tables.ts'
import { audit } from './audit.ts'
import { clients } from './clients.ts'
import { metadata } from './metadata.ts'
import { revocations } from './revocations.ts'
import { sessions } from './sessions.ts'
import { signingKeys } from './signing-keys.ts'
import { subjectVersions } from './subject-versions.ts'
import { users } from './users.ts'

/** What the queries must know of the database they run on. */
export interface DatabaseTraits {
  /** Whether the database locks rows (Postgres) or the whole file (SQLite). */
  readonly lockRows: boolean
  /** Whether revocations are ordered by a sequence (one writer) or by transaction (many). */
  readonly positions: 'sequence' | 'transaction'
}

/** All nouns over one connection. */
export function facts(db: Kysely<Tables>, traits: DatabaseTraits): Facts {
  return {
    users: users(db, traits),
    sessions: sessions(db),
    clients: clients(db, traits),
    signingKeys: signingKeys(db, traits),
    revocations: revocations(db, traits),
    subjectVersions: subjectVersions(db, traits),
    audit: audit(db),
    metadata: metadata(db),
  }
}
