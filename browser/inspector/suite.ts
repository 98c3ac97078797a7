import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { ADA } from '../../packages/sealwax/src/learn/demo.ts'
import { startLesson } from '../../packages/sealwax/src/learn/server.ts'
import { checkAccessibility, finishAnimations } from '../accessibility.ts'
import { watchPage } from '../page-watch.ts'
import type { Suite } from '../suite.ts'

const LOOKS = [
  { width: 375, scheme: 'light' },
  { width: 1280, scheme: 'dark' },
  { width: 375, scheme: 'dark' },
  { width: 1280, scheme: 'light' },
] as const

/** Somebody decodes, checks, edits, signs, saves and opens tokens in the inspector. */
export const inspector: Suite = {
  name: 'inspector',
  async run(browser, { short, screenshots }) {
    const server = await startLesson(0)
    try {
      const { origin } = new URL(server.url)
      for (const look of short ? LOOKS.slice(0, 1) : LOOKS)
        await inspectTokens(browser, { origin, screenshots, ...look })
    } finally {
      await server.close()
    }
  },
}

interface Options {
  readonly origin: string
  readonly screenshots: string | undefined
  readonly width: number
  readonly scheme: 'light' | 'dark'
}

async function inspectTokens(browser: Browser, { origin, screenshots, width, scheme }: Options): Promise<void> {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme: scheme })
  try {
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    const watch = await watchPage(page)
    const requests: string[] = []
    page.on('request', (request) => requests.push(new URL(request.url()).pathname))
    const look = async (name: string) => {
      await checkAccessibility(page, `inspector, ${name}, ${width} px, ${scheme}`)
      if (screenshots === undefined) return
      mkdirSync(screenshots, { recursive: true })
      await finishAnimations(page)
      await page.screenshot({ path: join(screenshots, `inspect-${name}-${width}-${scheme}.png`), fullPage: true })
    }
    await page.goto(`${origin}/inspect`)
    await look('empty')
    const loaded = requests.length
    for (const [name, use] of Object.entries({ example, forged, encrypted, sign, file })) {
      await use(page)
      await look(name)
      await page.getByRole('tab', { name: 'Decode' }).click()
      await page.getByRole('button', { name: 'Clear' }).click()
    }
    assert.deepEqual(requests.slice(loaded), [], 'the inspector has sent something')
    await againstServer(page, origin)
    await look('server')
    assert.deepEqual(requests.slice(loaded), ['/.well-known/jwks.json'])
    const kept = await page.evaluate(() => [localStorage.length, sessionStorage.length, location.search, location.hash])
    assert.deepEqual(kept, [0, 0, '', ''], 'the inspector has stored something')
    watch.check('inspector')
  } finally {
    await context.close()
  }
}

const seesVerdict = (page: Page, verdict: string) => page.locator('.verdict').getByText(verdict).waitFor()

/** A good token: valid; invalid after an edit; valid again when the edit is undone. */
async function example(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Example' }).click()
  await seesVerdict(page, 'Signature valid')
  const token = await page.getByRole('textbox', { name: 'Token', exact: true }).inputValue()
  const payload = page.getByLabel('Payload as JSON.')
  await payload.fill((await payload.inputValue()).replace('"ada"', '"grace"'))
  await seesVerdict(page, 'Signature invalid')
  await page.getByRole('button', { name: 'Undo the edits' }).click()
  await seesVerdict(page, 'Signature valid')
  assert.equal(await page.getByRole('textbox', { name: 'Token', exact: true }).inputValue(), token)
  // A part leads to its panel, with the keyboard, too.
  await page.getByRole('button', { name: /^payload, \d+ characters/ }).press('Enter')
  assert.ok(await page.locator('.panel-2').evaluate((panel) => panel === document.activeElement))
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A bad token: what is wrong is said in words. */
async function forged(page: Page): Promise<void> {
  const claims = { sub: 'ada', password: 'hunter2', iat: 1_700_000_000_000 }
  await page.getByRole('textbox', { name: 'Token', exact: true }).fill(`${encode({ alg: 'none' })}.${encode(claims)}.`)
  await seesVerdict(page, 'Not signed')
  const findings = page.locator('.findings')
  for (const part of [/none/, /password/, /exp/, /milliseconds/]) await findings.getByText(part).first().waitFor()
}

async function encrypted(page: Page): Promise<void> {
  const header = encode({ alg: 'RSA-OAEP', enc: 'A256GCM' })
  await page.getByRole('textbox', { name: 'Token', exact: true }).fill(`${header}.AAAA.BBBB.CCCC.DDDD`)
  await page
    .getByText(/encrypted/i)
    .first()
    .waitFor()
}

async function sign(page: Page): Promise<void> {
  await page.getByRole('tab', { name: 'Sign' }).click()
  for (const algorithm of ['HS256', 'RS256', 'ES256']) {
    await page.getByLabel('Algorithm').selectOption(algorithm)
    if (algorithm === 'HS256') await page.getByRole('button', { name: 'Generate a secret' }).click()
    await page.getByRole('button', { name: 'Sign', exact: true }).click()
    // The token of the algorithm before is shown until this one is signed.
    await page.waitForFunction((alg) => {
      const [header = ''] = document.querySelector('.token')?.textContent?.split('.') ?? []
      return JSON.parse(atob(header)).alg === alg
    }, algorithm)
    await page.getByRole('button', { name: 'Open in the decoder' }).click()
    await seesVerdict(page, 'Signature valid')
    assert.ok((await page.getByLabel('Header as JSON.').inputValue()).includes(algorithm))
    await page.getByRole('tab', { name: 'Sign' }).click()
  }
}

/** A token is shared as a file: saved, and opened again. */
async function file(page: Page): Promise<void> {
  await page.getByRole('tab', { name: 'Decode' }).click()
  await page.getByRole('button', { name: 'Example' }).click()
  await seesVerdict(page, 'Signature valid')
  const token = await page.getByRole('textbox', { name: 'Token', exact: true }).inputValue()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save as a file' }).click(),
  ])
  assert.equal(download.suggestedFilename(), 'token.jwt')
  const path = await download.path()
  assert.equal(readFileSync(path, 'utf8').trim(), token)
  await page.getByRole('button', { name: 'Clear' }).click()
  await page.locator('input[type=file]').setInputFiles(path)
  await page.getByText('is open.').waitFor()
  assert.equal((await page.getByRole('textbox', { name: 'Token', exact: true }).inputValue()).trim(), token)
}

/** A token of this server, pasted with what is around it in a header, against its public keys. */
async function againstServer(page: Page, origin: string): Promise<void> {
  const { email, password } = ADA
  const login = await fetch(`${origin}/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })
  const { access_token: token } = (await login.json()) as { access_token: string }
  await page.getByRole('textbox', { name: 'Token', exact: true }).fill(`"Authorization: Bearer ${token}"\n`)
  await seesVerdict(page, 'Signature not checked')
  await page.getByRole('tab', { name: 'This server' }).click()
  await page.getByRole('button', { name: 'Fetch the keys' }).click()
  await seesVerdict(page, 'Signature valid')
}
