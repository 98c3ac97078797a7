import type {} from '../core/tables.ts'

declare module '../core/tables.ts' {
  interface Tables {
    outbox: {
      id: string
      kind: string
      recipient: string
      subject: string | null
      data: string
      attempts: number
      due_at: number
      claimed_by: string | null
      created_at: number
    }
    mail_counts: { key: string; count: number; expires_at: number }
  }
}
