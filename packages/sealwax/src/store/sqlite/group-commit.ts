import { setTimeout as delay } from 'node:timers/promises'
import { storeUnavailable } from '../../errors.ts'
import { SEALED } from '../contract/metadata.ts'
import type { Facts } from '../contract/store.ts'
import { type Connection, isBusy } from './connection.ts'

/** How long a batch waits for another process's write lock before it gives up. */
const BUSY_LIMIT_MS = 5000

interface Unit {
  /** When it came, on the clock of `performance.now`. */
  readonly since: number
  run(): Promise<void>
  resolve(): void
  reject(error: unknown): void
}

/** For how many turns of the event loop a batch collects at most. */
const MOST_TURNS = 3

/**
 * Collects the units of one event-loop turn, and of the next ones while more keep coming, into one BEGIN … COMMIT, so that they share one fsync.
 * A unit's promise resolves after the commit, never before.
 */
export interface GroupCommit {
  transaction<T>(unit: (facts: Facts) => Promise<T>): Promise<T>
  /** Refuses new units and waits for those under way. */
  close(): Promise<void>
}

export function groupCommit(connection: Connection, facts: Facts): GroupCommit {
  let waiting: Unit[] = []
  let flushing: Promise<void> | undefined
  let closed = false

  /** Who comes alone waits for one turn; where many come, the next turn brings those that the first one has kept waiting. */
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
    // In the same breath as the last look at `waiting`: a unit that comes now starts a turn of its own.
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

/** Runs a batch. Nothing here throws: each unit learns its own fate. */
async function commit(connection: Connection, facts: Facts, units: readonly Unit[]): Promise<void> {
  const undone = new Set<Unit>()
  try {
    // Counted from the first unit's coming: a batch that queued behind one that gave up does not wait as long again.
    await begin(connection, BUSY_LIMIT_MS - (performance.now() - (units[0]?.since ?? 0)))
    if ((await facts.metadata.get(SEALED)) !== undefined) throw storeUnavailable('The database is being moved')
    // A unit alone needs no savepoint: what undoes it undoes the batch.
    if (units.length === 1) await run(connection, units[0] as Unit)
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
 * Runs all in one savepoint: one for each costs more than many a unit. False: one of them has thrown, and all are undone, under the same lock, to be
 * run again each by itself.
 */
async function runTogether(connection: Connection, units: readonly Unit[]): Promise<boolean> {
  connection.exec('savepoint batch')
  try {
    for (const unit of units) await run(connection, unit)
    return true
  } catch (error) {
    undo(connection, 'batch', error)
    return false
  }
}

/** A unit that throws is undone alone; the rest of the batch goes on. */
async function runAlone(connection: Connection, unit: Unit): Promise<boolean> {
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

async function run(connection: Connection, unit: Unit): Promise<void> {
  await unit.run()
  // A unit may have caught the error with which SQLite rolled everything back; what others write then would be outside of any transaction.
  if (!connection.inTransaction()) throw storeUnavailable('The database has rolled back what was under way')
}

/** Goes back to a savepoint. After a full disk SQLite may have rolled the whole batch back: then what led here is thrown, and the batch fails as one. */
function undo(connection: Connection, savepoint: 'batch' | 'unit', error: unknown): void {
  if (!connection.inTransaction()) throw error
  connection.exec(`rollback to ${savepoint}`)
  connection.exec(`release ${savepoint}`)
}

/** Takes the write lock. */
export function begin(connection: Connection, limitMs: number): Promise<void> {
  return untilFree(() => connection.exec('begin immediate'), limitMs)
}

/** Tries while another connection holds the file, without holding up the event loop, which may be what the other waits for. */
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
    // There was no transaction left to roll back; the error that led here is the one to report.
  }
}
