import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { launchChromium, withoutChromium } from '../../../browser/chromium.ts'
import { type Program, startProgram } from '../../frameworks/test/program.ts'
import { call } from '../../learning-platform/test/process.ts'

const ALEX = { email: 'alex@example.com', password: 'change-this-demo-password' }

let program: Program
before(async () => {
  program = await startProgram(join(import.meta.dirname, '../src/server.ts'))
})
after(() => program.kill())

/** Sends a request as a page of the program does, with the cookie that it got. */
async function post(path: string, { cookie = '', origin = program.url, body = {} as object, token = '' } = {}) {
  const reply = await fetch(program.url + path, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Origin: origin,
      ...(cookie !== '' && { Cookie: cookie }),
      ...(token !== '' && { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  })
  const text = await reply.text()
  return { status: reply.status, body: text === '' ? {} : JSON.parse(text), setCookie: reply.headers.getSetCookie() }
}

async function logIn() {
  const { status, body, setCookie } = await post('/auth/login', { body: { ...ALEX, mode: 'cookie' } })
  assert.equal(status, 200)
  const cookie = setCookie.map((each) => each.split(';')[0]).join('; ')
  return { body, token: body.access_token as string, setCookie, cookie }
}

describe('single-page app: over HTTP', () => {
  it('the refresh token is only in a cookie that scripts cannot read', async () => {
    const { body, setCookie } = await logIn()
    assert.equal(body.refresh_token, undefined)
    const session = setCookie.find((each) => each.startsWith('sealwax=')) ?? ''
    assert.match(session, /^sealwax=swr_[^;]+;.*HttpOnly/)
    assert.match(session, /SameSite=Strict/)
  })

  it('the profile needs a token, and a wrong one is refused', async () => {
    const { token } = await logIn()
    const profile = await call(program.url, '/api/profile', { token })
    assert.deepEqual(profile.body, { user_id: 'user-123', message: 'Protected profile' })
    const [header, , signature] = token.split('.')
    const payload = Buffer.from('{"sub":"user-456"}').toString('base64url')
    for (const wrong of [undefined, 'nonsense', `${header}.${payload}.${signature}`]) {
      const refused = await call(program.url, '/api/profile', wrong === undefined ? {} : { token: wrong })
      assert.equal(refused.status, 401)
    }
    assert.equal((await call(program.url, '/api/reports', { token })).status, 403)
  })

  it('the cookie refreshes the token, but not for a page of another origin', async () => {
    const { cookie } = await logIn()
    const refreshed = await post('/auth/refresh', { cookie })
    assert.equal(refreshed.status, 200)
    assert.equal((await call(program.url, '/api/profile', { token: refreshed.body.access_token })).status, 200)
    const foreign = await post('/auth/refresh', { cookie, origin: 'https://www.example.com' })
    assert.deepEqual([foreign.status, foreign.body.code], [403, 'csrf_failed'])
  })

  it('after a log-out, the cookie is deleted, and both tokens are refused', async () => {
    const { cookie, token } = await logIn()
    const { status, setCookie } = await post('/auth/logout', { cookie, token })
    assert.equal(status, 204)
    assert.ok(
      setCookie.some((each) => /^sealwax=;.*Max-Age=0/.test(each)),
      setCookie.join('\n'),
    )
    assert.equal((await call(program.url, '/api/profile', { token })).body.code, 'token_revoked')
    assert.equal((await post('/auth/refresh', { cookie })).body.code, 'invalid_grant')
  })
})

describe('single-page app: in Chromium', { skip: withoutChromium && `SKIPPED: ${withoutChromium}` }, () => {
  let context: BrowserContext
  before(async () => {
    context = await (await launchChromium()).newContext()
  })
  after(() => context.browser()?.close())

  const statusOf = (page: Page, text: string) => page.locator('#status', { hasText: text }).waitFor()
  const press = (page: Page, name: string) => page.getByRole('button', { name }).click()
  const logInAt = async (page: Page, password: string) => {
    await page.getByLabel('E-mail').fill(ALEX.email)
    await page.getByLabel('Password').fill(password)
    await press(page, 'Log in')
  }

  it('a user logs in, reloads, opens a second tab, and is logged out in both', async () => {
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('pageerror', ({ message }) => complaints.push(message))
    // A visitor without a session, a wrong password and a 403 are expected.
    page.on('console', (line) => {
      if (!/status of 4(01|03|22)/.test(line.text())) complaints.push(line.text())
    })
    await page.goto(program.url)
    await statusOf(page, 'Nobody is logged in')
    await logInAt(page, 'another password, not that')
    await page.locator('#output', { hasText: /password/i }).waitFor()
    await logInAt(page, ALEX.password)
    await statusOf(page, 'Logged in: user-123')

    const sent = page.waitForRequest('**/api/profile')
    await press(page, 'Profile')
    await page.getByText('{"user_id":"user-123","message":"Protected profile"}').waitFor()
    const token = (await (await sent).allHeaders()).authorization?.replace('Bearer ', '') ?? ''
    assert.equal((await call(program.url, '/api/profile', { token })).status, 200)
    await press(page, 'Reports')
    await page.getByText('403 insufficient_role').waitFor()
    const readable = await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }))
    assert.doesNotMatch(readable, /swr_|eyJ/)

    await page.reload()
    await statusOf(page, 'Logged in: user-123')
    const second = await context.newPage()
    await second.goto(program.url)
    await statusOf(second, 'Logged in: user-123')
    await press(second, 'Log out')
    await statusOf(second, 'Nobody is logged in')
    await statusOf(page, 'Nobody is logged in')
    assert.equal((await call(program.url, '/api/profile', { token })).body.code, 'token_revoked')
    const left = (await context.cookies()).map(({ name }) => name)
    assert.deepEqual(left, ['sealwax-device']) // by which the throttle recognises this browser
    assert.deepEqual(complaints, [])
  })
})
