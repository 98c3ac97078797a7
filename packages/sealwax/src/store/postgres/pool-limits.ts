export interface PoolLimits {
  /** The maximum number of connections. */
  readonly max: number
  /**
   * How many milliseconds one statement may take before its connection is closed. Infinity for
   * migrations and copies.
   */
  readonly statementMs?: number
}

/**
 * How long a reservation waits for a connection to become free; as long as SQLite waits for the
 * write lock.
 */
export const RESERVATION_MS = 5000
/** Far more than any of our statements takes. */
export const STATEMENT_MS = 20_000
/** If a statement takes longer, the pool checks whether the server still responds. */
export const DOUBT_MS = 2000
/** The last idle connection is kept longer: other server processes may need the rest. */
export const IDLE_MS = 60_000
export const SPARE_IDLE_MS = 10_000
/**
 * After the server had no free connection: how long the pool opens no more (doubled up to a
 * maximum), and how soon it retries if it has none.
 */
export const FULL_MS = 1000
export const LONGEST_FULL_MS = 30_000
export const STARVING_MS = 100
