import type {} from '../core/unit-of-work.ts'

declare module '../core/unit-of-work.ts' {
  interface Facts {
    readonly throttle: Throttle
  }
}

/** A stored counter. Times are in milliseconds since 1970. */
export interface CounterRow {
  /** Action, kind and a hash of the account, the network or the device. */
  readonly key: string
  /** A hash of the account; null for an address or a network. */
  readonly account: string | null
  /** The attempts that count. Not used by counters that refill at a constant rate. */
  readonly count: number
  /** When the next attempt is possible, or the time of a full bucket: see `limits.ts`. */
  readonly at: number
  /** Whether `at` is a turn that was promised. */
  readonly booked: boolean
  /** From then on the counter is the same as an unused one. */
  readonly expires_at: number
}

/** What identifies a counter. */
export type CounterName = Pick<CounterRow, 'key' | 'account'>

/** The counters of attempts. */
export interface Throttle {
  /**
   * Locks the counters with these keys until the transaction ends, and returns them. Those that do
   * not exist are inserted as unused.
   */
  lock(counters: readonly CounterName[]): Promise<readonly CounterRow[]>
  /** Stores counters. */
  write(rows: readonly CounterRow[]): Promise<void>
  /** Returns the counters of an account, with those of its networks and devices. */
  ofAccount(account: string): Promise<readonly CounterRow[]>
  /** Deletes the counters of an account; returns how many there were. */
  clear(account: string): Promise<number>
  /**
   * Deletes up to `limit` counters that have expired. Returns how many: 0 when none is left, or
   * when another process is deleting them.
   */
  purge(now: number, limit: number): Promise<number>
}
