import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createPlace, type StoreName } from '../../torture/place.ts'
import { runSuite, SUITES } from '../../torture/suites.ts'

const SEED = 1

/**
 * Runs the short versions of the torture suites of one store. A suite that this machine cannot run
 * is skipped with the reason.
 */
export function shortTorture(store: StoreName): void {
  const place = createPlace()
  after(() => place[Symbol.asyncDispose]())
  const suites = SUITES.filter((suite) => suite.store === store)
  assert.ok(suites.length >= 5)
  for (const suite of suites) {
    test(`torture: ${suite.promise} (${suite.name})`, async (t) => {
      const run = await runSuite(suite, place, { seed: SEED, scale: 'short' })
      assert.deepEqual(run.violations, [])
      assert.ok(run.counts.size > 0, 'the suite did something')
      for (const [what, times] of run.counts) t.diagnostic(`${times} ${what}`)
      if (run.skipped.length > 0) t.skip(run.skipped.join('; '))
    })
  }
}
