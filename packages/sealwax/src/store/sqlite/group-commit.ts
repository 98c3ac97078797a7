import { setTimeout as delay } from 'node:timers/promises'
import { SEALED } from '../../core/metadata-contract.ts'
import type { Facts } from '../../core/unit-of-work.ts'
import { storeUnavailable } from '../../errors.ts'
import { type Connection, isBusy } from './connection.ts'

/** How long a batch waits for another process's write lock. */
const BUSY_LIMIT_MS = 5000

interface QueuedTransaction {
  /** When it was queued, by `performance.now`. */
  readonly since: number
  run(): Promise<void>
  resolve(): void
  reject(error: unknown): void
}

/** The maximum number of turns of the event loop for which a batch collects transactions. */
const MOST_TURNS = 3

/**
 * Collects transactions of one turn of the event loop, and of the next turns while more arrive,
 * into one BEGIN … COMMIT, so that they share one fsync. Each promise resolves after the commit.
 */
export interface GroupCommit {
  transaction<T>(unit: (facts: Facts) => Promise<T>): Promise<T>
  /** Refuses new transactions and waits for the queued ones. */
  close(): Promise<void>
}

export function groupCommit(connection: Connection, facts: Facts): GroupCommit {
  let waiting: QueuedTransaction[] = []
  let flushing: Promise<void> | undefined
  let closed = false

  /** A single transaction waits for one turn; while more arrive, further turns collect them. */
  async function collected(): Promise<void> {
    let count = 0
    for (let turn = 0; turn < MOST_TURNS && waiting.length > count; turn += 1) {
      count = waiting.length
      await new Promise<void>((passed) => setImmediate(passed))
    }
  }

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const units = waiting
      waiting = []
      await commit(connection, facts, units)
    }
    // Synchronous after the last check of `waiting`: a later transaction starts a new batch.
    flushing = undefined
  }
  return {
    transaction<T>(unit: (facts: Facts) => Promise<T>): Promise<T> {
      if (closed) return Promise.reject(storeUnavailable('The store is closed'))
      return new Promise<T>((resolve, reject) => {
        let result: T
        waiting.push({
          since: performance.now(),
          run: async () => {
            result = await unit(facts)
          },
          resolve: () => resolve(result),
          reject,
        })
        flushing ??= collected().then(flush)
      })
    },
    async close() {
      closed = true
      await flushing
    },
  }
}

/** Runs a batch. Never throws: the promise of each transaction resolves or rejects. */
async function commit(connection: Connection, facts: Facts, units: readonly QueuedTransaction[]): Promise<void> {
  const undone = new Set<QueuedTransaction>()
  try {
    // Measured from when the first was queued, so that a batch behind a failed one does not wait
    // twice.
    await begin(connection, BUSY_LIMIT_MS - (performance.now() - (units[0]?.since ?? 0)))
    if ((await facts.metadata.get(SEALED)) !== undefined) throw storeUnavailable('The database is being moved')
    // A single transaction does not need a savepoint.
    if (units.length === 1) await run(connection, units[0] as QueuedTransaction)
    else if (!(await runTogether(connection, units))) {
      for (const unit of units) if (!(await runAlone(connection, unit))) undone.add(unit)
    }
    connection.exec('commit')
  } catch (error) {
    rollback(connection)
    for (const unit of units) unit.reject(error)
    return
  }
  for (const unit of units) if (!undone.has(unit)) unit.resolve()
}

/**
 * Runs all in one savepoint, since a savepoint can take longer than a transaction. Returns false if
 * one threw; then all are rolled back and run again one by one under the same lock.
 */
async function runTogether(connection: Connection, units: readonly QueuedTransaction[]): Promise<boolean> {
  connection.exec('savepoint batch')
  try {
    for (const unit of units) await run(connection, unit)
    return true
  } catch (error) {
    undo(connection, 'batch', error)
    return false
  }
}

/** Rolls back only this transaction if it throws; the rest of the batch continues. */
async function runAlone(connection: Connection, unit: QueuedTransaction): Promise<boolean> {
  connection.exec('savepoint unit')
  try {
    await run(connection, unit)
    connection.exec('release unit')
    return true
  } catch (error) {
    undo(connection, 'unit', error)
    unit.reject(error)
    return false
  }
}

async function run(connection: Connection, unit: QueuedTransaction): Promise<void> {
  await unit.run()
  // The caller may have caught an error that rolled back everything; further writes would be
  // outside any transaction.
  if (!connection.inTransaction()) throw storeUnavailable('The database has rolled back the transaction')
}

/**
 * Rolls back to a savepoint. If SQLite rolled back the whole batch (full disk), throws `error`, and
 * the batch fails.
 */
function undo(connection: Connection, savepoint: 'batch' | 'unit', error: unknown): void {
  if (!connection.inTransaction()) throw error
  connection.exec(`rollback to ${savepoint}`)
  connection.exec(`release ${savepoint}`)
}

/** Takes the write lock. */
export function begin(connection: Connection, limitMs: number): Promise<void> {
  return untilFree(() => connection.exec('begin immediate'), limitMs)
}

/**
 * Retries while another connection holds the lock, without blocking the event loop, which it may
 * need.
 */
export async function untilFree<T>(run: () => T, limitMs: number): Promise<T> {
  const deadline = performance.now() + limitMs
  for (let wait = 1; ; wait = Math.min(wait * 2, 50)) {
    try {
      return run()
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
      await delay(wait * (0.5 + Math.random()))
    }
  }
}

function rollback(connection: Connection): void {
  try {
    connection.exec('rollback')
  } catch {
    // SQLite has already rolled back; the original error is the one to report.
  }
}
