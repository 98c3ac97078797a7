import type {} from '../core/tables.ts'

declare module '../core/tables.ts' {
  interface Tables {
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
}
