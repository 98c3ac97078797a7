import type { Generated } from 'kysely'

/** The length of the head of a wrapped value, in bytes: version and fingerprint of the secret. */
export const WRAPPER_BYTES = 9

/** The schema of all tables on Postgres. */
export const SCHEMA = 'sealwax'

/** The Postgres channel on which processes notify each other of new revocations. */
export const REVOKED_CHANNEL = 'sealwax_revoked'

/**
 * The columns on both databases: JSON as text, flags as 0 and 1, times as milliseconds since 1970.
 * A feature declares its tables in its `tables.ts`.
 */
export interface Tables {
  audit_events: {
    id: Generated<number>
    time: number
    type: string
    subject: string | null
    session_id: string | null
    ip: string | null
    user_agent: string | null
    data: string
    bucket: string | null
    count: Generated<number>
    repeats: string | null
  }
  metadata: { name: string; value: string }
  clients: {
    id: string
    name: string
    scopes: string
    ver: number
    disabled_at: number | null
    created_at: number
    updated_at: number
  }
}
