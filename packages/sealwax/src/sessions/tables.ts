import type {} from '../core/tables.ts'

declare module '../core/tables.ts' {
  interface Tables {
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
      access_ttl: number | null
      jkt: string | null
    }
    exchanged_sessions: { hash: string; session_id: string; exchanged_at: number; until: number }
    subject_versions: { subject: string; ver: number; until: number }
  }
}
