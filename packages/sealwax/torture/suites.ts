import { away } from './away.ts'
import { fsync } from './fsync.ts'
import { histories } from './histories.ts'
import { kills } from './kills.ts'
import { createPlace, type Place, type StoreName } from './place.ts'
import { races } from './races.ts'
import { refreshesAcross, refreshesInProcess } from './refreshes.ts'
import { createRun, type Run } from './run.ts'

/** One promise under torture. */
export interface Suite {
  readonly name: string
  readonly store: StoreName
  readonly torture: (run: Run, place: Place) => Promise<void>
}

export const SUITES: readonly Suite[] = [
  { name: 'refreshes-process', store: 'sqlite', torture: refreshesInProcess },
  { name: 'refreshes-sqlite', store: 'sqlite', torture: (run, place) => refreshesAcross(run, place, 'sqlite', 2) },
  {
    name: 'refreshes-postgres',
    store: 'postgres',
    torture: (run, place) => refreshesAcross(run, place, 'postgres', 3),
  },
  { name: 'histories-sqlite', store: 'sqlite', torture: (run, place) => histories(run, place, 'sqlite') },
  { name: 'histories-postgres', store: 'postgres', torture: (run, place) => histories(run, place, 'postgres') },
  { name: 'fsync-sqlite', store: 'sqlite', torture: fsync },
  { name: 'kills-sqlite', store: 'sqlite', torture: (run, place) => kills(run, place, 'sqlite') },
  { name: 'kills-postgres', store: 'postgres', torture: (run, place) => kills(run, place, 'postgres') },
  { name: 'races-sqlite', store: 'sqlite', torture: (run, place) => races(run, place, 'sqlite') },
  { name: 'races-postgres', store: 'postgres', torture: (run, place) => races(run, place, 'postgres') },
  { name: 'away-sqlite', store: 'sqlite', torture: (run, place) => away(run, place, 'sqlite') },
  { name: 'away-postgres', store: 'postgres', torture: (run, place) => away(run, place, 'postgres') },
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

export { createPlace }
