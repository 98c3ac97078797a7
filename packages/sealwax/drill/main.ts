import { parseArgs } from 'node:util'
import { createPlace, type StoreName } from '../torture/place.ts'
import { createRun } from '../torture/run.ts'
import { drill, type Timing } from './drill.ts'

const USAGE = `npm run drill -- [--store postgres|sqlite] [--seed N]
  keys rotate on schedule and one is revoked, while users refresh and three kinds of verifiers cache keys: 20 minutes`

/**
 * Three scheduled rotations, an emergency after the first of them, and enough time for the longest
 * cache to expire afterwards.
 */
const FULL: Timing = { emergency: 6, end: 20 }

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { store: { type: 'string' }, seed: { type: 'string' } } })
  const store = (values.store ?? 'postgres') as StoreName
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  if (!['postgres', 'sqlite'].includes(store) || !Number.isInteger(seed)) {
    console.error(USAGE)
    process.exitCode = 2
    return
  }
  console.log(`seed ${seed}, three servers on ${store}, ${FULL.end} minutes`)
  await using place = createPlace()
  const run = createRun({ seed, scale: 1 })
  await drill(run, await place.database(store), FULL)
  for (const [what, times] of [...run.counts].toSorted()) console.log(`${String(times).padStart(10)}  ${what}`)
  for (const violation of run.violations.slice(0, 20)) console.log(`VIOLATION  ${violation}`)
  console.log(run.violations.length === 0 ? 'no violations' : `${run.violations.length} violations`)
  process.exitCode = run.violations.length === 0 ? 0 : 1
}

await main()
