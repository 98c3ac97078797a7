import type {} from '../core/unit-of-work.ts'

declare module '../core/unit-of-work.ts' {
  interface Facts {
    readonly outbox: Outbox
    readonly mailCounts: MailCounts
  }
}

/**
 * A mail that waits to be sent. It contains no link, code or text: these are made when it is sent.
 */
export interface OutboxRow {
  readonly id: string
  /** The name of its mail kind. */
  readonly kind: string
  readonly recipient: string
  /** The user whom it is about, for the audit log. */
  readonly subject: string | null
  readonly data: Readonly<Record<string, unknown>>
  /** How often sending it has begun. */
  readonly attempts: number
  /** The next attempt; while a server is sending it, the time at which another one may. */
  readonly due_at: number
  /** A random value of the last attempt. Only that attempt may change or delete the row. */
  readonly claimed_by: string | null
  readonly created_at: number
}

/** The mails that wait to be sent. Times are in milliseconds since 1970. */
export interface Outbox {
  /** Adds a mail. */
  insert(row: OutboxRow): Promise<void>
  /** When the next attempt is due; undefined when no mail waits. */
  nextDue(): Promise<number | undefined>
  /**
   * Takes mails that are due: raises `attempts`, and sets `due_at` to `until` and `claimed_by` to
   * `by`. No mail is taken twice before `until`.
   */
  claim(taking: { now: number; until: number; by: string; limit: number }): Promise<OutboxRow[]>
  /** Sets the time of the next attempt. False when another attempt has taken the mail. */
  postpone(id: string, by: string, due_at: number): Promise<boolean>
  /** Deletes a mail. False when another attempt has taken it. */
  delete(id: string, by: string): Promise<boolean>
}

/** How many mails were accepted in a window of time. */
export interface MailCounts {
  /** Raises a count by one and returns it. */
  raise(key: string, expires_at: number): Promise<number>
  /** Deletes counts that expired before a time, at most `limit`; returns how many. */
  purge(before: number, limit: number): Promise<number>
}
