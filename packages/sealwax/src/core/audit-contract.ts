import type {} from './unit-of-work.ts'

declare module './unit-of-work.ts' {
  interface Facts {
    readonly audit: AuditLog
  }
}

/** A row of the audit log, without tokens, passwords, secrets and hashes. */
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
  /** How many events share the row. */
  readonly count: number
  /** The later events of a shared row; null for a row of one event. */
  readonly repeats: AuditRepeats | null
}

/** What a row of several events contains in addition to the first one. */
export interface AuditRepeats {
  /** The last event. */
  readonly last: {
    /** Milliseconds since 1970. */
    readonly time: number
    /** The address of the client. */
    readonly ip?: string | undefined
    /** The user agent of the client. */
    readonly userAgent?: string | undefined
  }
  /**
   * Events by subject, for the ten most frequent. With more than ten, a number is an upper bound.
   */
  readonly subjects: Readonly<Record<string, number>>
  /** Events by address, likewise. */
  readonly ips: Readonly<Record<string, number>>
}

/** An event as it is first stored. */
export type NewAuditRow = Omit<AuditRow, 'id' | 'count' | 'repeats'>

/** The part of a shared row that is needed to count events. */
export type CountedRow = Pick<AuditRow, 'id' | 'subject' | 'ip' | 'count' | 'repeats'>

/** The audit log. Only shared rows are ever changed. */
export interface AuditLog {
  /** Inserts a row. */
  append(event: NewAuditRow): Promise<void>
  /**
   * Adds `times` to the row of this bucket, or inserts `event` with that count. Returns the row as
   * it now is, locked until the transaction ends.
   */
  count(bucket: string, event: NewAuditRow, times: number): Promise<CountedRow>
  /** Writes the summary of a shared row. */
  summarise(id: number, summary: Pick<AuditRow, 'subject' | 'repeats'>): Promise<void>
  /** Returns rows before the given id, newest first. */
  list(page: {
    before?: number | undefined
    limit: number
    subject?: string | undefined
    type?: string | undefined
  }): Promise<AuditRow[]>
  /**
   * Deletes up to `limit` rows older than `before`, the oldest first. Returns how many: 0 when none
   * is left, or when another process is deleting them.
   */
  purge(before: number, limit: number): Promise<number>
}
