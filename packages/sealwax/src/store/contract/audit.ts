/** One row of the audit log. It never holds a token, a password, a secret or a hash. */
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
  /** How many events the row stands for. */
  readonly count: number
  /** What the events after the first add; null for a row of one event. */
  readonly repeats: AuditRepeats | null
}

/** What a row of several events tells beyond the first one. */
export interface AuditRepeats {
  /** The last event. */
  readonly last: {
    /** Milliseconds since 1970. */
    readonly time: number
    readonly ip?: string | undefined
    readonly userAgent?: string | undefined
  }
  /** How many events concerned which subject: the ten most frequent. Beyond ten subjects a number is an upper bound. */
  readonly subjects: Readonly<Record<string, number>>
  /** The same for addresses. */
  readonly ips: Readonly<Record<string, number>>
}

/** An event as it is first stored. */
export type NewAuditRow = Omit<AuditRow, 'id' | 'count' | 'repeats'>

/** What a unit needs to know of a row it counts events in. */
export type CountedRow = Pick<AuditRow, 'id' | 'subject' | 'ip' | 'count' | 'repeats'>

/** Facts of the audit log. Only a row that counts is ever changed. */
export interface AuditLog {
  append(event: NewAuditRow): Promise<void>
  /**
   * Adds `times` to the row of this bucket; when there is none, inserts `event` with that count. Returns the row as it now is. Until the unit ends, no
   * other unit can count in it.
   */
  count(bucket: string, event: NewAuditRow, times: number): Promise<CountedRow>
  /** Writes what a counted row tells about all its events. */
  summarise(id: number, summary: Pick<AuditRow, 'subject' | 'repeats'>): Promise<void>
  /** Newest first, before the given id. */
  list(page: {
    before?: number | undefined
    limit: number
    subject?: string | undefined
    type?: string | undefined
  }): Promise<AuditRow[]>
  /** Deletes up to `limit` rows older than `before`, the oldest first. Returns how many; 0 when none is left or another process has them. */
  purge(before: number, limit: number): Promise<number>
}
