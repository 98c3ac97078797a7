/** One audit event. It never holds a token, a password, a secret or a hash. */
export interface AuditRow {
  readonly id: number
  /** Milliseconds since 1970. */
  readonly time: number
  readonly type: string
  readonly subject: string | null
  readonly session_id: string | null
  readonly ip: string | null
  readonly user_agent: string | null
  readonly data: Readonly<Record<string, unknown>>
}

/** Facts of the audit log: appended and read, never changed. */
export interface AuditLog {
  append(event: Omit<AuditRow, 'id'>): Promise<void>
  /** Newest first, before the given id. */
  list(page: {
    before?: number | undefined
    limit: number
    subject?: string | undefined
    type?: string | undefined
  }): Promise<AuditRow[]>
}
