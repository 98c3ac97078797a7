import { test } from 'node:test'
import { launchChromium, withoutChromium } from '../browser/chromium.ts'
import { suites } from '../browser/suites.ts'

// `npm run test:browser` runs all of it, and fails without a browser.
test('browser: a short part of each suite', { skip: withoutChromium && `SKIPPED: ${withoutChromium}` }, async (t) => {
  const browser = await launchChromium()
  try {
    for (const { name, run } of suites) {
      await t.test(name, () =>
        run(browser, { rounds: 3, seed: Date.now() % 1_000_000, short: true, print: (line) => t.diagnostic(line) }),
      )
    }
  } finally {
    await browser.close()
  }
})
