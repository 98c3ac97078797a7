import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { BrowserContext } from 'playwright-core'
import { launchChromium, withoutChromium } from '../../../browser/chromium.ts'
import { freePort, type Program, startProgram } from '../../frameworks/test/program.ts'
import { password, testSite, Visitor } from '../../server-rendered/test/site.ts'

const EXAMPLE = join(import.meta.dirname, '..')

let program: Program
before(async () => {
  const PORT = String(await freePort())
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, PORT }
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: EXAMPLE, env, stdio: ['ignore', 'ignore', 'pipe'] })
  program = await startProgram(join(EXAMPLE, 'build/index.js'), { PORT, HOST: '127.0.0.1' })
})
after(() => program?.kill())

describe('sveltekit: over HTTP', () => {
  testSite(() => program)

  it('the data of pages needs a log-in, too', async () => {
    const { text } = await new Visitor(program.url).send('/notes/__data.json')
    assert.match(text, /"redirect".*"\/log-in"/)
  })

  it('an app logs in over the HTTP API, and gets the refusals of the guard', async () => {
    const login = await fetch(`${program.url}/auth/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: 'alex@example.com', password }),
    })
    assert.equal(login.status, 200)
    const { access_token: token } = (await login.json()) as { access_token: string }
    const profile = (headers: Record<string, string>) => fetch(`${program.url}/profile`, { headers })
    assert.deepEqual(await (await profile({ Authorization: `Bearer ${token}` })).json(), { user_id: 'user-123' })
    assert.equal((await profile({})).status, 401)
    const tampered = await profile({ Authorization: `Bearer ${token.slice(0, -5)}AAAAA` })
    assert.equal(tampered.status, 401)
    assert.match(await tampered.text(), /invalid_token|signature/)
    const json = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
    const sessions = { method: 'DELETE', headers: { Authorization: `Bearer ${token}` } }
    assert.equal((await fetch(`${program.url}/auth/sessions`, sessions)).status, 403, 'no body: a form for SvelteKit')
    assert.equal((await fetch(`${program.url}/auth/sessions`, { ...sessions, headers: json })).status, 204)
    assert.equal((await fetch(`${program.url}/auth/logout`, { method: 'POST', headers: json })).status, 204)
    assert.equal((await profile({ Authorization: `Bearer ${token}` })).status, 401)
    const metadata = await fetch(`${program.url}/.well-known/oauth-authorization-server/auth`)
    assert.equal(((await metadata.json()) as { issuer: string }).issuer, `${program.url}/auth`)
  })
})

describe('sveltekit: in Chromium', { skip: withoutChromium && `SKIPPED: ${withoutChromium}` }, () => {
  let context: BrowserContext
  before(async () => {
    context = await (await launchChromium()).newContext()
  })
  after(() => context.browser()?.close())

  it('a wrong password, log in, write, renew, log out: with the scripts of SvelteKit, and no token in the page', async () => {
    const page = await context.newPage()
    const problems: string[] = []
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    await page.goto(program.url)
    await page.getByLabel('E-mail').fill('alex@example.com')
    await page.getByLabel('Password').fill('another password, not that')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('alert').waitFor()
    assert.match(problems.splice(0).join(), /401/)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByLabel('New note').fill('from a browser')
    await page.getByRole('button', { name: 'Add' }).click()
    await page.getByText('from a browser').waitFor()
    assert.equal(await page.evaluate(() => document.cookie), '')
    await context.clearCookies({ name: 'access' })
    await page.getByLabel('New note').fill('after the token expired')
    await page.getByRole('button', { name: 'Add' }).click()
    await page.getByText('after the token expired').waitFor()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    assert.deepEqual(
      (await context.cookies()).map(({ name }) => name),
      ['device'],
    )
    await page.goto(`${program.url}/notes`)
    assert.equal(page.url(), `${program.url}/log-in`)
    assert.deepEqual(problems, [])
  })
})

it('sveltekit: the development server needs no build, and a refused token does not stop it', async () => {
  const vite = fileURLToPath(new URL('../../bin/vite.js', import.meta.resolve('vite')))
  const development = await startProgram(vite, {}, ['dev', EXAMPLE])
  try {
    const page = await fetch(`${development.url}/log-in`, { headers: { Cookie: 'access=nonsense; refresh=nonsense' } })
    assert.equal(page.status, 200)
    assert.match(await page.text(), /<h1>Log in<\/h1>/)
  } finally {
    development.kill()
  }
})

it('sveltekit: SIGTERM ends the program with code 0', async () => {
  assert.equal(await program.end(), 0, program.output())
})
