import { parseArgs } from 'node:util'
import { createPlace, type StoreName } from '../torture/place.ts'
import type { Result } from './attack.ts'
import { ATTACKS, QUICK } from './attacks.ts'

const STORES: readonly StoreName[] = ['sqlite', 'postgres']

const USAGE = `npm run attack -- [--only NAME] [--store sqlite|postgres] [--scale F] [--quick]
  --only   only attacks whose names start with NAME: ${ATTACKS.map(({ name }) => name).join(', ')}
  --store  only on this store
  --scale  a fraction of the full counts, such as 0.1
  --quick  the short version on SQLite, which is part of npm test`

/** Runs the attacks and prints a table. The exit code is 1 if one of them succeeded. */
async function main(): Promise<void> {
  const options = { only: { type: 'string' }, store: { type: 'string' }, scale: { type: 'string' } } as const
  const { values } = parseArgs({ options: { ...options, quick: { type: 'boolean', default: false } } })
  const scale = values.quick ? QUICK : Number(values.scale ?? 1)
  const attacks = ATTACKS.filter(({ name }) => name.startsWith(values.only ?? ''))
  const stores = STORES.filter((store) => store.startsWith(values.store ?? (values.quick ? 'sqlite' : '')))
  if (attacks.length === 0 || stores.length === 0 || !(scale > 0)) {
    console.error(USAGE)
    process.exitCode = 2
    return
  }
  let failed = 0
  await using place = createPlace()
  console.log(columns('attack', 'expected', 'seen', 'ok'))
  for (const attack of attacks) {
    for (const store of stores) {
      const started = performance.now()
      const results = await attack.run(place, store, scale)
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      console.log(`${attack.name}, ${store}: ${attack.description} (${seconds} s)`)
      for (const result of results) console.log(row(result))
      failed += results.filter(({ ok }) => !ok).length
    }
  }
  console.log(failed === 0 ? 'no attack succeeded' : `${failed} results are not as expected`)
  process.exitCode = failed === 0 ? 0 : 1
}

function row({ what, measured, expected, ok }: Result): string {
  return columns(`  ${what}`, expected, measured, ok ? 'ok' : 'FAIL')
}

function columns(attack: string, expected: string, seen: string, ok: string): string {
  return `${attack.padEnd(62)} ${expected.padEnd(22)} ${seen.padEnd(12)} ${ok}`
}

await main()
