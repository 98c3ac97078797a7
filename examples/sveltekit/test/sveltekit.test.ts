import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { BrowserContext } from 'playwright-core'
import { launchChromium, withoutChromium } from '../../../browser/chromium.ts'
import { freePort, type Program, startProgram } from '../../frameworks/test/program.ts'

const EXAMPLE = join(import.meta.dirname, '..')
const password = 'change-this-demo-password'

let program: Program
before(async () => {
  const PORT = String(await freePort())
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, PORT }
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: EXAMPLE, env, stdio: ['ignore', 'ignore', 'pipe'] })
  program = await startProgram(join(EXAMPLE, 'build/index.js'), { PORT, HOST: '127.0.0.1' })
})
after(() => program?.kill())

/** What a browser without scripts does: keeps the cookies, and sends the origin with forms. */
class Visitor {
  readonly cookies = new Map<string, string>()
  setCookie: string[] = []

  async send(path: string, form?: Record<string, string>, headers: Record<string, string> = { Origin: program.url }) {
    const reply = await fetch(program.url + path, {
      method: form === undefined ? 'GET' : 'POST',
      headers: {
        Accept: 'text/html',
        Cookie: [...this.cookies].map((pair) => pair.join('=')).join('; '),
        ...(form && headers),
      },
      ...(form && { body: new URLSearchParams(form) }),
      redirect: 'manual',
    })
    this.setCookie = reply.headers.getSetCookie()
    for (const line of this.setCookie) {
      const [, name = '', value = ''] = /^(\w+)=([^;]*)/.exec(line) ?? []
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return { status: reply.status, location: reply.headers.get('location'), text: await reply.text() }
  }

  async logIn(name = 'alex'): Promise<this> {
    const { status, location } = await this.send('/log-in', { email: `${name}@example.com`, password })
    assert.deepEqual([status, location], [303, '/notes'])
    return this
  }

  copy(): Visitor {
    const copy = new Visitor()
    for (const [name, value] of this.cookies) copy.cookies.set(name, value)
    return copy
  }

  async assertLoggedOut(): Promise<void> {
    const { status, location } = await this.send('/notes')
    assert.deepEqual([status, location], [303, '/log-in'])
  }
}

describe('sveltekit: over HTTP', () => {
  it('pages and their data need a log-in, and a wrong password gives none', async () => {
    const visitor = new Visitor()
    await visitor.assertLoggedOut()
    assert.match((await visitor.send('/notes/__data.json')).text, /"redirect".*"\/log-in"/)
    assert.equal((await visitor.send('/notes', { note: 'from nobody' })).location, '/log-in')
    const email = '"><script>@example.com'
    const refused = await visitor.send('/log-in', { email, password: 'another password, not that' })
    assert.equal(refused.status, 401)
    assert.match(refused.text, /<p role="alert">/)
    assert.ok(!refused.text.includes('"><script>'))
    assert.equal((await visitor.send('/log-in', {})).status, 401)
    assert.equal(visitor.cookies.size, 0)
  })

  it('a log-in sets cookies that scripts cannot read, and the pages are those of the user', async () => {
    const alex = await new Visitor().logIn()
    assert.equal(alex.setCookie.length, 3)
    for (const line of alex.setCookie) assert.match(line, /HttpOnly.*SameSite=Lax/)
    await alex.send('/notes', { note: '<b>milk</b>' })
    const { text } = await alex.send('/notes')
    assert.match(text, /Logged in: user-123/)
    assert.match(text, /<li>&lt;b>milk&lt;\/b><\/li>/)
    assert.doesNotMatch(text, /eyJ|swr_/)
    const refused = await alex.send('/reports')
    assert.equal(refused.status, 403)
    assert.match(refused.text, /Only a teacher can read this page/)
    const bob = await new Visitor().logIn('bob')
    assert.equal((await bob.send('/reports')).status, 200)
    assert.doesNotMatch((await bob.send('/notes')).text, /milk/)
  })

  it('without the access cookie, the session is renewed, also for a form and for requests at the same time', async () => {
    const alex = await new Visitor().logIn()
    alex.cookies.delete('access') // browsers delete it when the token expires
    const replies = await Promise.all(Array.from({ length: 10 }, () => alex.send('/notes')))
    assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]))
    alex.cookies.delete('access')
    await alex.send('/notes', { note: 'written for a long time' })
    assert.equal(alex.setCookie.length, 2)
    assert.match((await alex.send('/notes')).text, /written for a long time/)
    assert.equal(alex.setCookie.length, 0, 'a token that is valid is not renewed')
  })

  it('a log-out or a second log-in ends the session, and copies of its cookies are refused', async () => {
    const alex = await new Visitor().logIn()
    const [copy, elsewhere] = [alex.copy(), await new Visitor().logIn()]
    assert.equal((await copy.send('/notes')).status, 200)
    assert.equal((await alex.send('/log-out', {})).location, '/log-in')
    assert.deepEqual([...alex.cookies.keys()], ['device'])
    await copy.assertLoggedOut()
    assert.equal((await elsewhere.send('/notes')).status, 200, 'the other session goes on')
    const before = elsewhere.copy()
    await elsewhere.logIn('bob')
    await before.assertLoggedOut()
    assert.match((await elsewhere.send('/notes')).text, /user-456/)
  })

  it('with wrong cookies nobody is logged in, and the log-in still works', async () => {
    const visitor = new Visitor()
    visitor.cookies.set('access', 'nonsense').set('refresh', 'swr_nonsense')
    await visitor.assertLoggedOut()
    await visitor.logIn()
    assert.equal((await visitor.send('/notes')).status, 200)
  })

  it('a late reply to a request with the cookies of an earlier session does not delete the new ones', async () => {
    const visitor = await new Visitor().logIn()
    const earlier = visitor.copy()
    await visitor.logIn('bob')
    earlier.cookies.delete('access')
    await earlier.assertLoggedOut()
    assert.deepEqual(earlier.setCookie, [])
  })

  it('somebody who guesses passwords does not hold up a browser in which the owner has logged in', async () => {
    const email = 'carol@example.com'
    await fetch(`${program.url}/auth/register`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email, password }),
    })
    const carol = await new Visitor().logIn('carol')
    await carol.send('/log-out', {})
    const stranger = new Visitor()
    for (let i = 0; i < 8; i += 1) await stranger.send('/log-in', { email, password: `a wrong password ${i}` })
    assert.equal((await stranger.send('/log-in', { email, password })).status, 429)
    await carol.logIn('carol')
  })

  it('forms of other sites are refused', async () => {
    const alex = await new Visitor().logIn()
    for (const path of ['/notes', '/log-out', '/log-in']) {
      for (const headers of [{}, { Origin: 'https://www.example.com' }, { Origin: 'null' }]) {
        const form = { note: 'forged', email: 'bob@example.com', password }
        assert.equal((await alex.send(path, form, headers as Record<string, string>)).status, 403)
      }
    }
    const { text } = await alex.send('/notes')
    assert.match(text, /user-123/)
    assert.doesNotMatch(text, /forged/)
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
