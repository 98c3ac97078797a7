import assert from 'node:assert/strict'
import type { Browser, Page } from 'playwright-core'
import { startLesson } from '../../packages/sealwax/src/learn/server.ts'
import { VERIFIER_START } from '../../packages/web/src/learn/exercise/verifier-code.ts'
import type { Suite } from '../suite.ts'
import { type Elsewhere, startElsewhere } from './elsewhere.ts'
import { ORDINARY, probes } from './probes.ts'

/** The code of the reader reaches nothing, cannot stop the page, and is not lost. */
export const sandbox: Suite = {
  name: 'sandbox',
  async run(browser, { print }) {
    const [lesson, elsewhere] = [await startLesson(0), await startElsewhere()]
    const context = await browser.newContext()
    try {
      await checkProbes(browser, elsewhere)
      const page = await context.newPage()
      const exceptions: string[] = []
      page.on('pageerror', ({ message }) => exceptions.push(message))
      await checkFirstLoad(page, lesson.url)
      await page.goto(`${lesson.url}#exercise`)
      await checkReach(page, elsewhere)
      await checkFrame(page)
      print(`an endless loop: the page was busy for at most ${await checkEndlessLoop(page)} ms at a time`)
      await checkForgedMessages(page)
      await checkEditor(page)
      assert.deepEqual(exceptions, [])
    } finally {
      await context.close()
      elsewhere.close()
      await lesson.close()
    }
  },
}

const editorOf = (page: Page) => page.getByRole('textbox', { name: 'The code of your verifier' })

/** Runs code as the verifier. Returns the first verdict, or without a table the message. */
async function run(page: Page, code: string): Promise<string> {
  await editorOf(page).fill(code)
  await page.getByRole('button', { name: 'Run my verifier' }).click()
  const task = page.locator('section[data-task="verifier"]')
  await task.getByText('Running…').waitFor({ state: 'detached' })
  await task.locator('.notice').waitFor()
  const row = task.locator('table.results tbody tr').first().locator('td').last()
  return (await row.count()) > 0 ? row.innerText() : task.locator('.notice').innerText()
}

/** In an ordinary page, the probes get through. */
async function checkProbes(browser: Browser, elsewhere: Elsewhere): Promise<void> {
  const page = await browser.newPage()
  await page.goto(elsewhere.url)
  const found = await page.evaluate((code) => {
    const text = `${code}\nprobe().then((found) => postMessage(found))`
    const worker = new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })))
    return new Promise<string>((resolve) => {
      worker.onmessage = ({ data }) => resolve(data)
    })
  }, probes(elsewhere.url))
  await page.close()
  assert.equal(found, ORDINARY)
}

/** The lesson is loaded without the editor and without Hono. */
async function checkFirstLoad(page: Page, url: string): Promise<void> {
  const loaded: string[] = []
  page.on('request', (request) => loaded.push(request.url()))
  await page.goto(url)
  await page.locator('h1').waitFor()
  await page.waitForLoadState('networkidle')
  const lazy = loaded.filter((each) => /workbench|exercise|worker|sandbox/.test(each))
  assert.ok(loaded.length > 2)
  assert.deepEqual(lazy, [])
}

async function checkReach(page: Page, elsewhere: Elsewhere): Promise<void> {
  for (const url of [elsewhere.url, new URL('/learn/api/demo', page.url()).href]) {
    const before = elsewhere.connections()
    const found = await run(page, `${probes(url)}\nasync function verify() { return { open: await probe() } }`)
    assert.match(found, /returned \{"open":""\}/)
    assert.equal(elsewhere.connections(), before)
  }
}

/** The frame around the worker is as closed as the worker. */
async function checkFrame(page: Page): Promise<void> {
  const running = run(page, 'while (true);')
  const frame = await page.waitForEvent('frameattached')
  await frame.waitForURL(/\/learn\/sandbox$/)
  const found = await frame.evaluate(async (url) => {
    const ways: Record<string, () => unknown> = {
      fetch: () => fetch(url, { mode: 'no-cors' }),
      parent: () => parent.document.title,
      localStorage: () => localStorage.length,
      cookie: () => document.cookie,
      indexedDB: () => indexedDB.open('probe'),
    }
    const open: string[] = []
    for (const [name, way] of Object.entries(ways)) {
      try {
        await way()
        open.push(name)
      } catch {}
    }
    return { open, origin }
  }, page.url())
  assert.deepEqual(found, { open: [], origin: 'null' })
  await running
}

/** @returns how long the page did not react at most, in milliseconds */
async function checkEndlessLoop(page: Page): Promise<number> {
  await page.evaluate(() => {
    let before = performance.now()
    Object.assign(globalThis, { longest: 0 })
    setInterval(() => {
      const now = performance.now()
      const { longest } = globalThis as unknown as { longest: number }
      Object.assign(globalThis, { longest: Math.max(longest, now - before) })
      before = now
    }, 10)
  })
  const started = performance.now()
  for (const code of [
    'while (true);',
    'function verify() { while (true); }',
    'async function verify() { await new Promise(() => {}) }',
  ]) {
    assert.match(await run(page, code), /did not finish, and was stopped/)
    await page.getByText('Your code took longer than 1 second and was stopped.').waitFor()
    assert.equal(await page.locator('iframe').count(), 0)
  }
  assert.ok(performance.now() - started < 10_000)
  const longest = await page.evaluate(() => (globalThis as unknown as { longest: number }).longest)
  // A loop in the thread of the page would take a second.
  assert.ok(longest < 900, `the page did not react for ${longest} ms`)
  return Math.round(longest)
}

/** Messages that the code sends in the name of the worker do not complete the task. */
async function checkForgedMessages(page: Page): Promise<void> {
  const code = `for (let i = 0; i < 20; i++) {
  postMessage({ type: 'outcome', outcome: null })
  postMessage({ type: 'hmac', id: {}, secret: [], text: null })
  postMessage({ type: 'hmac', id: 1, secret: { toString: 1 }, text: '' })
  postMessage({ type: 'failed', message: 1 })
  postMessage({ type: 'constructor' })
  postMessage(null)
}`
  await run(page, code)
  assert.equal(await page.locator('section[data-task="verifier"]').getAttribute('data-done'), 'false')
  const repeated = "setInterval(() => postMessage({ type: 'started' }), 100)"
  assert.match(await run(page, `${repeated}\nfunction verify() { return new Promise(() => {}) }`), /did not finish/)
}

async function checkEditor(page: Page): Promise<void> {
  const editor = editorOf(page)
  await editor.fill('function verify() {')
  await editor.press('End')
  await editor.press('Enter')
  assert.equal(await editor.inputValue(), 'function verify() {\n  ')
  await editor.press('ControlOrMeta+z')
  assert.equal(await editor.inputValue(), 'function verify() {')
  await editor.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Run my verifier')
  await page.keyboard.press('Shift+Tab')
  assert.ok(await editor.evaluate((element) => element === document.activeElement))
  await page.reload()
  assert.equal(await editor.inputValue(), 'function verify() {')
  await page.getByRole('button', { name: 'Start over with the verifier' }).click()
  assert.equal(await editor.inputValue(), VERIFIER_START)
}
