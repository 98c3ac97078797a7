import { away } from './away.ts'
import { clockSteps } from './clock.ts'
import { failover } from './failover.ts'
import { fsync } from './fsync.ts'
import { histories } from './histories.ts'
import { kills } from './kills.ts'
import { mails } from './mails.ts'
import type { Place, StoreName } from './place.ts'
import { races } from './races.ts'
import { refreshesAcross, refreshesInProcess } from './refreshes.ts'
import { createRun, type Run } from './run.ts'
import { searchesOfHonestClients, searchesOfThieves } from './searches.ts'

/** A suite. It tests one promise. */
export interface Suite {
  readonly name: string
  readonly store: StoreName
  readonly promise: string
  readonly torture: (run: Run, place: Place) => Promise<void>
}

type Torture = (run: Run, place: Place, store: StoreName) => Promise<void>

/** The suites that run on both stores. */
const BOTH: readonly [name: string, promise: string, torture: Torture][] = [
  [
    'refreshes',
    'fifty refreshes of one token, spread over servers, all get the same successor',
    (run, place, store) => refreshesAcross(run, place, store, store === 'sqlite' ? 2 : 3),
  ],
  ['histories', 'random histories match a model of the refresh table', histories],
  ['kills', 'kill -9 loses nothing that was acknowledged and leaves no client stuck', kills],
  ['mails', 'kill -9 loses no mail, repeats none without need, and halves no effect of a one-time token', mails],
  [
    'races',
    'no refresh or log-in escapes a concurrent password change, role change, disable or log-out everywhere',
    races,
  ],
  [
    'away',
    'without its store a server returns 503, logs no user out, lets no logged-out user in, and recovers by itself',
    away,
  ],
  ['clock', 'a clock step of an hour logs no user out and lets no logged-out user in', clockSteps],
]

const ofStore = (store: StoreName): Suite[] =>
  BOTH.map(([name, promise, torture]) => ({
    ...{ name: `${name}-${store}`, store, promise },
    torture: (run, place) => torture(run, place, store),
  }))

export const SUITES: readonly Suite[] = [
  {
    ...{ name: 'search-honest', store: 'sqlite' },
    promise: 'no short history of late, lost or duplicate requests ends an honest session',
    torture: searchesOfHonestClients,
  },
  {
    ...{ name: 'search-thief', store: 'sqlite' },
    promise: 'no short history lets both a thief and the owner continue',
    torture: searchesOfThieves,
  },
  {
    ...{ name: 'refreshes-process', store: 'sqlite' },
    promise: 'fifty refreshes of one token in one process all get the same successor',
    torture: refreshesInProcess,
  },
  ...ofStore('sqlite'),
  {
    ...{ name: 'fsync-sqlite', store: 'sqlite' },
    promise: 'no response is sent before the write-ahead log it depends on is synced',
    torture: fsync,
  },
  ...ofStore('postgres'),
  {
    ...{ name: 'failover', store: 'postgres' },
    promise: 'a standby that takes over logs no user out, and no guard misses a log-out that it has',
    torture: failover,
  },
]

/** Runs one suite. An exception counts as a violation. */
export async function runSuite(
  suite: Suite,
  place: Place,
  options: { seed: number; scale: number | 'short' },
): Promise<Run> {
  const run = createRun(options)
  try {
    await suite.torture(run, place)
  } catch (error) {
    run.check(false, `the suite threw: ${error instanceof Error ? error.stack : String(error)}`)
  }
  return run
}
