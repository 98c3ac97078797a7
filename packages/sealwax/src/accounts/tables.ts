import type {} from '../core/tables.ts'

declare module '../core/tables.ts' {
  interface Tables {
    users: {
      id: string
      email: string
      password_hash: string | null
      roles: string
      ver: number
      credential_version: number
      disabled_at: number | null
      email_verified_at: number | null
      last_login_at: number | null
      name: string | null
      /** The name in the form that searches compare. */
      name_key: string | null
      attributes: string | null
      created_at: number
      updated_at: number
    }
    one_time_tokens: {
      hash: string
      purpose: string
      holder: string
      email: string
      data: string
      code: Uint8Array | null
      code_tries: number
      created_at: number
      expires_at: number
    }
    /** The roles of `users`, which triggers store here. */
    user_roles: { role: string; user_id: string }
  }
}
