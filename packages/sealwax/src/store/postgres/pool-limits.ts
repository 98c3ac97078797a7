export interface PoolLimits {
  /** Connections at once. */
  readonly max: number
  /**
   * How long one statement may take before its connection is given up, in milliseconds. Infinity
   * for migrations and copies.
   */
  readonly statementMs?: number
}

/**
 * How long a reservation waits for a connection to become free; as long as SQLite waits for the
 * write lock.
 */
export const RESERVATION_MS = 5000
/** Far beyond what any of our statements takes. */
export const STATEMENT_MS = 20_000
/** A statement that takes longer is a reason to ask whether the server is still there. */
export const DOUBT_MS = 2000
/** The last idle connection stays longer: other servers may need the rest. */
export const IDLE_MS = 60_000
export const SPARE_IDLE_MS = 10_000
/**
 * After the server had no connection left: how long the pool makes do with those it has, and how
 * soon it asks again when it has none.
 */
export const FULL_MS = 1000
export const LONGEST_FULL_MS = 30_000
export const STARVING_MS = 100
