import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { startLesson } from '../../packages/sealwax/src/learn/server.ts'
import type { Suite } from '../suite.ts'

/** What the first load of the lesson may transfer, headers included. */
const MOST_KIB = 100
/**
 * How long a slow phone should take until the first button works. Decision 0039: it takes longer.
 */
const GOAL_MS = 1000
const LOADS = 5

/** A slow phone: a quarter of the speed of this processor, and a mobile network. */
const PHONE = {
  processor: 4,
  network: { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 0.75e6 / 8 },
}

/** The first load of the lesson is small. Also prints how long it takes on a slow phone. */
export const budget: Suite = {
  name: 'budget',
  async run(browser, { short, print }) {
    const server = await startLesson(0)
    try {
      const size = await measureSize(browser, server.url)
      print(`the first load transfers ${size.toFixed(1)} KiB (at most ${MOST_KIB})`)
      assert.ok(size <= MOST_KIB, `${size.toFixed(1)} KiB`)
      if (short) return
      const times: number[] = []
      for (let load = 0; load < LOADS; load++) times.push(await measureTime(browser, server.url))
      const shown = times.map((time) => Math.round(time)).join(', ')
      print(`on a slow phone, the first button works after ${shown} ms (goal ${GOAL_MS})`)
    } finally {
      await server.close()
    }
  },
}

/** Returns the KiB that the first load transfers, as the browser counts them. */
async function measureSize(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    const network = await context.newCDPSession(page)
    await network.send('Network.enable')
    let bytes = 0
    network.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength
    })
    const encodings = new Set<string>()
    page.on('response', (response) => encodings.add(response.headers()['content-encoding'] ?? 'none'))
    await page.goto(url, { waitUntil: 'networkidle' })
    assert.deepEqual([...encodings], ['br'], 'something was not compressed')
    assert.ok(bytes > 10_000, 'the browser has counted nothing')
    return bytes / 1024
  } finally {
    await context.close()
  }
}

/** Returns the milliseconds from the navigation until the first button has had an effect. */
async function measureTime(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 375, height: 800 } })
  try {
    const page = await context.newPage()
    const phone = await context.newCDPSession(page)
    await phone.send('Network.enable')
    await phone.send('Network.emulateNetworkConditions', PHONE.network)
    await phone.send('Emulation.setCPUThrottlingRate', { rate: PHONE.processor })
    // Presses the first button of the first step until it answers, which it does with a request.
    await page.addInitScript(() => {
      const ask = globalThis.fetch
      globalThis.fetch = (...request) => {
        Object.assign(globalThis, { answeredAt: performance.now() })
        return ask(...request)
      }
      const press = () => {
        document.querySelector<HTMLElement>('main .task button')?.click()
        if (!('answeredAt' in globalThis)) requestAnimationFrame(press)
      }
      requestAnimationFrame(press)
    })
    await page.goto(url)
    await page.waitForFunction(() => 'answeredAt' in globalThis)
    return await page.evaluate(() => (globalThis as unknown as { answeredAt: number }).answeredAt)
  } finally {
    await context.close()
  }
}
