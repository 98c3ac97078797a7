import { parseArgs } from 'node:util'
import { launchChromium, withoutChromium } from './chromium.ts'
import { suites } from './suites.ts'

const USAGE = `npm run test:browser -- [--rounds N] [--only NAME] [--seed N] [--screenshots DIR]
  --rounds  how often to repeat what is random; default 50
  --only    only the suites whose names start with NAME: ${suites.map(({ name }) => name).join(', ')}
  --seed    repeats the random choices of a run
  --screenshots  a folder for pictures of each step of the lesson and of the inspector`

/** Runs the suites. The exit code is 1 if one of them fails, or if there is no browser. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...{ rounds: { type: 'string' }, only: { type: 'string' }, seed: { type: 'string' } },
      screenshots: { type: 'string' },
    },
  })
  const rounds = Number(values.rounds ?? 50)
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  const chosen = suites.filter(({ name }) => name.startsWith(values.only ?? ''))
  if (chosen.length === 0 || !Number.isInteger(seed) || !(Number.isInteger(rounds) && rounds > 0)) {
    console.error(USAGE)
    process.exitCode = 2
    return
  }
  if (withoutChromium !== undefined) throw new Error(withoutChromium)
  const browser = await launchChromium()
  console.log(`Chromium ${browser.version()}, ${rounds} rounds, seed ${seed}`)
  let failed = 0
  for (const { name, run } of chosen) {
    const started = performance.now()
    const seconds = () => ((performance.now() - started) / 1000).toFixed(1)
    try {
      const { screenshots } = values
      await run(browser, { rounds, seed, short: false, screenshots, print: (line) => console.log(`    ${line}`) })
      console.log(`ok   ${name} (${seconds()} s)`)
    } catch (error) {
      failed += 1
      console.log(`FAIL ${name} (${seconds()} s)`)
      console.error(error)
    }
  }
  await browser.close()
  console.log(failed === 0 ? `${chosen.length} suites passed` : `${failed} of ${chosen.length} suites failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

await main()
