import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { BrowserContext } from 'playwright-core'
import { launchChromium, withoutChromium } from '../../../browser/chromium.ts'
import { type Program, startProgram } from '../../frameworks/test/program.ts'

const password = 'change-this-demo-password'

let program: Program
before(async () => {
  program = await startProgram(join(import.meta.dirname, '../src/server.ts'))
})
after(() => program.kill())

/** What a browser does: keeps the cookies, and sends the origin with forms. */
class Visitor {
  readonly cookies = new Map<string, string>()
  setCookie: string[] = []

  async send(path: string, form?: Record<string, string>, headers: Record<string, string> = { Origin: program.url }) {
    const reply = await fetch(program.url + path, {
      method: form === undefined ? 'GET' : 'POST',
      headers: { Cookie: [...this.cookies].map((pair) => pair.join('=')).join('; '), ...(form && headers) },
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

  async assertLoggedOut(): Promise<void> {
    const { status, location } = await this.send('/notes')
    assert.deepEqual([status, location], [303, '/log-in'])
  }
}

describe('server-rendered: over HTTP', () => {
  it('pages need a log-in, and a wrong password gives none', async () => {
    const visitor = new Visitor()
    await visitor.assertLoggedOut()
    assert.equal((await visitor.send('/notes', { note: 'from nobody' })).location, '/log-in')
    const email = '"><script>@example.com'
    const refused = await visitor.send('/log-in', { email, password: 'another password, not that' })
    assert.equal(refused.status, 401)
    assert.match(refused.text, /<p role="alert">/)
    assert.ok(!refused.text.includes('<script>'))
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
    assert.match(text, /<li>&#60;b&#62;milk&#60;\/b&#62;<\/li>/)
    assert.doesNotMatch(text, /eyJ|swr_/)
    assert.equal((await alex.send('/reports')).status, 403)
    const bob = await new Visitor().logIn('bob')
    assert.equal((await bob.send('/reports')).status, 200)
    assert.doesNotMatch((await bob.send('/notes')).text, /milk/)
  })

  it('a wrong token is refused', async () => {
    const [header, payload, signature] = ((await new Visitor().logIn()).cookies.get('access') ?? '').split('.')
    const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString())
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'user-456' })).toString('base64url')
    const wrong = [`${header}.${forged}.${signature}`, `${header}.${payload}.`, 'nonsense', 'a, b', '', '__proto__']
    for (const token of wrong) {
      const visitor = new Visitor()
      visitor.cookies.set('access', token).set('refresh', 'swr_nonsense')
      await visitor.assertLoggedOut()
      await visitor.logIn()
    }
  })

  it('a late reply to a request with the cookies of an earlier session does not delete the new ones', async () => {
    const visitor = await new Visitor().logIn()
    const earlier = new Visitor()
    earlier.cookies.set('refresh', visitor.cookies.get('refresh') ?? '')
    await visitor.logIn('bob')
    await earlier.assertLoggedOut()
    assert.deepEqual(earlier.setCookie, [])
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

  it('a log-out ends the session, and copies of its cookies are refused', async () => {
    const alex = await new Visitor().logIn()
    const [copy, elsewhere] = [new Visitor(), await new Visitor().logIn()]
    for (const [name, value] of alex.cookies) copy.cookies.set(name, value)
    assert.equal((await copy.send('/notes')).status, 200)
    assert.equal((await alex.send('/log-out', {})).location, '/log-in')
    assert.deepEqual([...alex.cookies.keys()], ['device'])
    await alex.assertLoggedOut()
    await copy.assertLoggedOut()
    assert.equal((await elsewhere.send('/notes')).status, 200, 'the other session goes on')
  })

  it('a second log-in in the same browser ends the session of the first', async () => {
    const visitor = await new Visitor().logIn()
    const copy = new Visitor()
    for (const [name, value] of visitor.cookies) copy.cookies.set(name, value)
    await visitor.logIn('bob')
    assert.match((await visitor.send('/notes')).text, /user-456/)
    await copy.assertLoggedOut()
  })

  it('forms of other sites are refused, and so are those that do not say where they come from', async () => {
    const alex = await new Visitor().logIn()
    const foreign = [
      {},
      { Origin: 'https://www.example.com' },
      { Origin: 'null' },
      { Origin: `${program.url}.example.com` },
      { 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'cross-site' },
    ]
    for (const path of ['/notes', '/log-out', '/log-in']) {
      for (const headers of foreign) {
        const form = { note: 'forged', email: 'bob@example.com', password }
        assert.equal((await alex.send(path, form, headers as Record<string, string>)).status, 403)
      }
    }
    const { text } = await alex.send('/notes')
    assert.match(text, /user-123/)
    assert.doesNotMatch(text, /forged/)
  })

  it('somebody who guesses passwords does not hold up a browser in which the owner has logged in', async () => {
    const bob = await new Visitor().logIn('bob')
    await bob.send('/log-out', {})
    const stranger = new Visitor()
    for (let i = 0; i < 8; i += 1) {
      await stranger.send('/log-in', { email: 'bob@example.com', password: `a wrong password ${i}` })
    }
    assert.equal((await stranger.send('/log-in', { email: 'bob@example.com', password })).status, 429)
    await bob.logIn('bob')
  })
})

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
