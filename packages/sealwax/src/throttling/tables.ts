import type {} from '../core/tables.ts'

declare module '../core/tables.ts' {
  interface Tables {
    throttle_counters: {
      key: string
      account: string | null
      count: number
      at: number
      booked: number
      expires_at: number
    }
  }
}
