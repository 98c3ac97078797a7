import type {} from '../core/tables.ts'

declare module '../core/tables.ts' {
  interface Tables {
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
  }
}
