import type { Generated } from 'kysely'

/** How many octets at the head of a wrapped value tell which secret wrapped it. */
export const WRAPPER_BYTES = 9

/** In Postgres everything stands in a schema of its own, beside whatever else the database holds. */
export const SCHEMA = 'sealwax'

/** The columns as both databases hold them: JSON as text, flags as 0 and 1, times as milliseconds since 1970. */
export interface Tables {
  users: {
    id: string
    email: string
    password_hash: string | null
    roles: string
    ver: number
    credential_version: number
    disabled_at: number | null
    created_at: number
    updated_at: number
  }
  sessions: {
    id: string
    subject: string
    client_id: string
    generation: number
    parent_generation: number | null
    rotated_at: number | null
    presented_at: number | null
    forks: string | null
    device: string | null
    hmac_key: Uint8Array
    scope: string | null
    roles: string | null
    claims: string | null
    amr: string
    auth_time: number
    created_at: number
    created_ip: string | null
    created_user_agent: string | null
    seen_at: number
    seen_ip: string | null
    seen_user_agent: string | null
    earlier_use: string | null
    idle_expires_at: number
    absolute_expires_at: number
    access_expires_at: number
    ended_at: number | null
    end_reason: string | null
    remember: number
    ver: number | null
  }
  signing_keys: {
    sequence: number
    kid: string
    alg: string
    public_jwk: string | null
    private_jwk: Uint8Array
    created_at: number
    signs_from: number
    revoked_at: number | null
    access_ttl: number
    announced: string
  }
  revocations: {
    position: Generated<number>
    kind: 'sid' | 'sub' | 'ver' | 'kid'
    key: string
    ver: number | null
    until: number
    except_sid: string | null
  }
  subject_versions: { subject: string; ver: number; until: number }
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
  client_secrets: {
    id: string
    client_id: string
    hash: Uint8Array
    created_at: number
    expires_at: number | null
  }
}
