// What a site with cookies must do, in any framework: log-in form, notes, reports, log-out.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Program } from '../../frameworks/test/program.ts'

export const password = 'change-this-demo-password'

/** What a browser without scripts does: keeps the cookies, and sends the origin with forms. */
export class Visitor {
  readonly cookies = new Map<string, string>()
  readonly url: string
  setCookie: string[] = []

  constructor(url: string) {
    this.url = url
  }

  async send(path: string, form?: Record<string, string>, headers: Record<string, string> = { Origin: this.url }) {
    const reply = await fetch(this.url + path, {
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
    const copy = new Visitor(this.url)
    for (const [name, value] of this.cookies) copy.cookies.set(name, value)
    return copy
  }

  async assertLoggedOut(): Promise<void> {
    const { status, location } = await this.send('/notes')
    assert.deepEqual([status, location], [303, '/log-in'])
  }
}

/**
 * Adds the tests of a site.
 * @param program returns the running site; called by each test
 */
export function testSite(program: () => Program): void {
  const visitor = () => new Visitor(program().url)

  it('pages need a log-in, and a wrong password gives none', async () => {
    const nobody = visitor()
    await nobody.assertLoggedOut()
    assert.equal((await nobody.send('/notes', { note: 'from nobody' })).location, '/log-in')
    const email = '"><script>@example.com'
    const refused = await nobody.send('/log-in', { email, password: 'another password, not that' })
    assert.equal(refused.status, 401)
    assert.match(refused.text, /<p role="alert">/)
    assert.ok(!refused.text.includes('<script>@'))
    assert.equal((await nobody.send('/log-in', {})).status, 401)
    assert.equal(nobody.cookies.size, 0)
  })

  it('a log-in sets cookies that scripts cannot read, and the pages are those of the user', async () => {
    const alex = await visitor().logIn()
    assert.equal(alex.setCookie.length, 3)
    for (const line of alex.setCookie) assert.match(line, /HttpOnly.*SameSite=Lax/)
    await alex.send('/notes', { note: '<b>milk</b>' })
    const { text } = await alex.send('/notes')
    assert.match(text, /Logged in: user-123/)
    assert.match(text, /<li>&(lt|#60);b(>|&#62;)milk&(lt|#60);\/b(>|&#62;)<\/li>/)
    assert.doesNotMatch(text, /eyJ|swr_/)
    const refused = await alex.send('/reports')
    assert.equal(refused.status, 403)
    assert.match(refused.text, /Only a? ?teachers? can read/)
    const bob = await visitor().logIn('bob')
    assert.equal((await bob.send('/reports')).status, 200)
    assert.doesNotMatch((await bob.send('/notes')).text, /milk/)
  })

  it('a wrong token is refused, and the log-in still works', async () => {
    const [header, payload, signature] = ((await visitor().logIn()).cookies.get('access') ?? '').split('.')
    const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString())
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'user-456' })).toString('base64url')
    const wrong = [`${header}.${forged}.${signature}`, `${header}.${payload}.`, 'nonsense', 'a, b', '', '__proto__']
    for (const token of wrong) {
      const forger = visitor()
      forger.cookies.set('access', token).set('refresh', 'swr_nonsense')
      await forger.assertLoggedOut()
      await forger.logIn()
      assert.equal((await forger.send('/notes')).status, 200)
    }
  })

  it('without the access cookie, the session is renewed, also for a form and for requests at the same time', async () => {
    const alex = await visitor().logIn()
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
    const alex = await visitor().logIn()
    const [copy, elsewhere] = [alex.copy(), await visitor().logIn()]
    assert.equal((await copy.send('/notes')).status, 200)
    assert.equal((await alex.send('/log-out', {})).location, '/log-in')
    assert.deepEqual([...alex.cookies.keys()], ['device'])
    await alex.assertLoggedOut()
    await copy.assertLoggedOut()
    assert.equal((await elsewhere.send('/notes')).status, 200, 'the other session goes on')
  })

  it('a second log-in in the same browser ends the session of the first', async () => {
    const alex = await visitor().logIn()
    const copy = alex.copy()
    await alex.logIn('bob')
    assert.match((await alex.send('/notes')).text, /user-456/)
    await copy.assertLoggedOut()
  })

  it('a late reply to a request with the cookies of an earlier session does not delete the new ones', async () => {
    const alex = await visitor().logIn()
    const earlier = alex.copy()
    await alex.logIn('bob')
    earlier.cookies.delete('access')
    await earlier.assertLoggedOut()
    assert.deepEqual(earlier.setCookie, [])
  })

  it('forms of other sites are refused, and so are those that do not say where they come from', async () => {
    const alex = await visitor().logIn()
    const foreign: Record<string, string>[] = [
      {},
      { Origin: 'https://www.example.com' },
      { Origin: 'null' },
      { Origin: `${alex.url}.example.com` },
      { 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'cross-site' },
    ]
    for (const path of ['/notes', '/log-out', '/log-in']) {
      for (const headers of foreign) {
        const form = { note: 'forged', email: 'bob@example.com', password }
        assert.equal((await alex.send(path, form, headers)).status, 403)
      }
    }
    const { text } = await alex.send('/notes')
    assert.match(text, /user-123/)
    assert.doesNotMatch(text, /forged/)
  })

  // The last that logs in as bob: after it, bob must wait in a browser that is not known.
  it('somebody who guesses passwords does not hold up a browser in which the owner has logged in', async () => {
    const [bob, email] = [await visitor().logIn('bob'), 'bob@example.com']
    await bob.send('/log-out', {})
    const stranger = visitor()
    for (let i = 0; i < 8; i += 1) await stranger.send('/log-in', { email, password: `a wrong password ${i}` })
    assert.equal((await stranger.send('/log-in', { email, password })).status, 429)
    await bob.logIn('bob')
  })
}
