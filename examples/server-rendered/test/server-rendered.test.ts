import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { BrowserContext } from 'playwright-core'
import { launchChromium, withoutChromium } from '../../../browser/chromium.ts'
import { type Program, startProgram } from '../../frameworks/test/program.ts'
import { password, testSite } from './site.ts'

let program: Program
before(async () => {
  program = await startProgram(join(import.meta.dirname, '../src/server.ts'))
})
after(() => program.kill())

describe('server-rendered: over HTTP', () => testSite(() => program))

describe('server-rendered: in Chromium', { skip: withoutChromium && `SKIPPED: ${withoutChromium}` }, () => {
  let context: BrowserContext
  before(async () => {
    context = await (await launchChromium()).newContext()
  })
  after(() => context.browser()?.close())

  it('log in, write, log out; a page of another site can do none of it', async (t) => {
    const page = await context.newPage()
    await page.goto(program.url)
    await page.getByLabel('E-mail').fill('alex@example.com')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByLabel('New note').fill('from a browser')
    await page.getByRole('button', { name: 'Add' }).click()
    await page.getByText('from a browser').waitFor()
    assert.equal(await page.evaluate(() => document.cookie), '')

    // A site of its own for browsers: `localhost` is another host than 127.0.0.1.
    const form = `<form method="post" action="${program.url}/notes"><input name="note" value="forged"><button>Win</button></form>`
    const other = createServer((_req, res) => res.setHeader('Content-Type', 'text/html').end(form))
    await new Promise<void>((resolve) => other.listen(0, resolve))
    t.after(() => other.close())
    const trap = await context.newPage()
    await trap.goto(`http://localhost:${(other.address() as AddressInfo).port}`)
    await trap.getByRole('button', { name: 'Win' }).click()
    await trap.getByText('sent by a page of another site').waitFor()

    await page.reload()
    assert.equal(await page.getByText('forged').count(), 0)
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    assert.deepEqual(
      (await context.cookies()).map(({ name }) => name),
      ['device'],
    )
    await page.goto(`${program.url}/notes`)
    assert.equal(page.url(), `${program.url}/log-in`)
  })
})

it('server-rendered: SIGTERM ends the program with code 0', async () => {
  assert.equal(await program.end(), 0, program.output())
})
