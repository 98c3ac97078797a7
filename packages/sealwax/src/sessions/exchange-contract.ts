import type {} from '../core/unit-of-work.ts'

declare module '../core/unit-of-work.ts' {
  interface Facts {
    readonly exchangedSessions: ExchangedSessions
  }
}

/** A session of an older system for which one of ours was started. Times are in milliseconds. */
interface ExchangedRow {
  /** SHA-256 of its id. */
  readonly hash: string
  /** Our session. */
  readonly session_id: string
  readonly exchanged_at: number
  /** When the row may be deleted: no session is exchanged any more then. */
  readonly until: number
}

/** The sessions of an older system that were exchanged. Each is exchanged once. */
export interface ExchangedSessions {
  /** Adds a session; false if it was exchanged before, also by a transaction that runs now. */
  insert(row: ExchangedRow): Promise<boolean>
  byHash(hash: string): Promise<ExchangedRow | undefined>
  /** Deletes up to `limit` rows whose `until` has passed. Returns how many, 0 when none is left. */
  purge(now: number, limit: number): Promise<number>
}
