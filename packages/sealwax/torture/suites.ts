import { away } from './away.ts'
import { clockSteps } from './clock.ts'
import { failover } from './failover.ts'
import { fsync } from './fsync.ts'
import { histories } from './histories.ts'
import { kills } from './kills.ts'
import type { Place, StoreName } from './place.ts'
import { races } from './races.ts'
import { refreshesAcross, refreshesInProcess } from './refreshes.ts'
import { createRun, type Run } from './run.ts'
import { searchesOfHonestClients, searchesOfThieves } from './searches.ts'

/** One promise under torture. */
export interface Suite {
  readonly name: string
  readonly store: StoreName
  readonly promise: string
  readonly torture: (run: Run, place: Place) => Promise<void>
}

type Torture = (run: Run, place: Place, store: StoreName) => Promise<void>

/** The suites that both stores go through. */
const BOTH: readonly [name: string, promise: string, torture: Torture][] = [
  [
    'refreshes',
    'fifty refreshes of one token, spread over servers, give one successor to all',
    (run, place, store) => refreshesAcross(run, place, store, store === 'sqlite' ? 2 : 3),
  ],
  ['histories', 'random histories go as the table of the design says', histories],
  ['kills', 'kill -9 loses nothing that was acknowledged and leaves no client stuck', kills],
  ['races', 'refreshes and log-ins that race with a password, a role, a disable or a log-out everywhere', races],
  ['away', 'a store that is away is 503, logs nobody out, lets nobody in, and recovers by itself', away],
  ['clock', 'a clock that steps by an hour does no harm', clockSteps],
]

const ofStore = (store: StoreName): Suite[] =>
  BOTH.map(([name, promise, torture]) => ({
    ...{ name: `${name}-${store}`, store, promise },
    torture: (run, place) => torture(run, place, store),
  }))

export const SUITES: readonly Suite[] = [
  {
    ...{ name: 'search-honest', store: 'sqlite' },
    promise: 'no short history of requests that are late, lost or doubled ends an honest session',
    torture: searchesOfHonestClients,
  },
  {
    ...{ name: 'search-thief', store: 'sqlite' },
    promise: 'in no short history a thief and the owner both go on',
    torture: searchesOfThieves,
  },
  {
    ...{ name: 'refreshes-process', store: 'sqlite' },
    promise: 'fifty refreshes of one token in one process give one successor to all',
    torture: refreshesInProcess,
  },
  ...ofStore('sqlite'),
  {
    ...{ name: 'fsync-sqlite', store: 'sqlite' },
    promise: 'no reply leaves before the write-ahead log it depends on is synced',
    torture: fsync,
  },
  ...ofStore('postgres'),
  {
    ...{ name: 'failover', store: 'postgres' },
    promise: 'a standby that takes over logs nobody out and lets no log-out be missed',
    torture: failover,
  },
]

/** Runs one suite; what it throws is a violation like any other. */
export async function runSuite(
  suite: Suite,
  place: Place,
  options: { seed: number; scale: number | 'short' },
): Promise<Run> {
  const run = createRun(options)
  try {
    await suite.torture(run, place)
  } catch (error) {
    run.check(false, `it broke off: ${error instanceof Error ? error.stack : String(error)}`)
  }
  return run
}
