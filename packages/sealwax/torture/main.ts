import { parseArgs } from 'node:util'
import { createPlace } from './place.ts'
import type { Run } from './run.ts'
import { runSuite, SUITES } from './suites.ts'

const USAGE = `npm run torture -- [--only NAME] [--seed N] [--scale F]
  --only   only suites whose names start with NAME: ${SUITES.map(({ name }) => name).join(', ')}
  --seed   repeats the random choices of a run (not its timing)
  --scale  a fraction of the full counts, such as 0.1`

const MOST_SHOWN = 20

/**
 * Runs the suites and prints their counts. The exit code is 1 if a promise was broken or could not
 * be tested.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, seed: { type: 'string' }, scale: { type: 'string' } },
  })
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  const scale = Number(values.scale ?? 1)
  const chosen = SUITES.filter(({ name }) => name.startsWith(values.only ?? ''))
  if (chosen.length === 0 || !Number.isInteger(seed) || !(scale > 0)) {
    console.error(USAGE)
    process.exitCode = 2
    return
  }
  console.log(`seed ${seed}, scale ${scale}`)
  let broken = 0
  await using place = createPlace()
  for (const suite of chosen) {
    const started = performance.now()
    const run = await runSuite(suite, place, { seed, scale })
    if (run.violations.length + run.skipped.length > 0) broken += 1
    console.log(report(suite.name, run, (performance.now() - started) / 1000))
  }
  console.log(broken === 0 ? `${chosen.length} suites passed` : `${broken} of ${chosen.length} suites failed`)
  process.exitCode = broken === 0 ? 0 : 1
}

/** Formats the counts and violations of a suite. */
function report(name: string, run: Run, seconds: number): string {
  const ok = run.violations.length + run.skipped.length === 0
  const counts = [...run.counts].map(([what, times]) => `    ${String(times).padStart(8)}  ${what}`)
  const found = run.violations.slice(0, MOST_SHOWN).map((violation) => `    VIOLATION  ${violation}`)
  if (run.violations.length > MOST_SHOWN) found.push(`    … and ${run.violations.length - MOST_SHOWN} more`)
  const skipped = run.skipped.map((reason) => `    NOT TESTED  ${reason}`)
  return [`${ok ? 'ok  ' : 'FAIL'} ${name} (${seconds.toFixed(1)} s)`, ...counts, ...skipped, ...found].join('\n')
}

await main()
