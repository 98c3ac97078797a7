import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type ClientError, createClient, type Session } from '../src/index.ts'
import { ADA, codeOf, GRACE, type Place, startPlace, until } from './place.ts'

describe('the session of a client in token mode', () => {
  let place: Place
  before(async () => {
    place = await startPlace({ registration: 'open' })
  })
  beforeEach(() => void place.proxy.seen.splice(0))
  after(() => place[Symbol.asyncDispose]())

  it('nobody is logged in at first, and the server is not asked', async () => {
    const client = place.client()
    assert.equal(await client.session(), undefined)
    assert.equal(await codeOf(client.fetch('/api')), 'logged_out')
    assert.equal(await codeOf(client.me()), 'logged_out')
    assert.deepEqual(place.paths(), [])
  })

  it('login: returns session and user, and requests are sent as the user', async () => {
    const client = place.client()
    const { session, user } = await client.login(ADA)
    assert.equal(user.email, ADA.email)
    assert.equal(session.userId, user.id)
    assert.deepEqual(session.roles, [])
    assert.ok(Date.parse(session.expiresAt) > Date.now())
    assert.deepEqual(await client.session(), session)
    assert.equal((await (await client.fetch('/api')).json()).subject, user.id)
    assert.equal((await client.me()).id, user.id)
  })

  it('login: a wrong password is a typed error, and whoever was logged in still is', async () => {
    const client = place.client()
    const { user } = await client.login(ADA)
    const error = await client.login({ ...GRACE, password: 'not the password at all' }).catch((thrown) => thrown)
    assert.equal(error.name, 'ClientError')
    assert.deepEqual(
      [error.code, error.status, error.reason, error.errors],
      ['invalid_credentials', 401, undefined, []],
    )
    assert.equal((await client.me()).id, user.id)
  })

  it('login: as another user ends the session before it, also on the server', async () => {
    const client = place.client()
    const first = await client.login(ADA)
    const second = await client.login(GRACE)
    assert.notEqual(second.user.id, first.user.id)
    assert.equal((await client.me()).email, GRACE.email)
    await until(async () => {
      const { data } = await place.auth.audit.list({ type: 'session.ended', limit: 50 })
      return data.some(({ sessionId }) => sessionId === first.session.id)
    })
  })

  it('login: remember and device are sent, and the device token comes back at the next log-in', async () => {
    const client = place.client({ device: 'phone-1' })
    await client.login({ ...ADA, remember: false })
    await client.logout()
    await client.login(ADA)
    const [first, second] = place.proxy.seen.filter(({ path }) => path === '/login').map(({ body }) => body)
    assert.deepEqual([first?.remember, first?.device, first?.device_token], [false, 'phone-1', undefined])
    assert.match(String(second?.device_token), /^swd_/)
  })

  it('register: logs in the new user', async () => {
    const client = place.client()
    const registered = await client.register({
      ...{ email: 'new@example.com', password: 'gravel tulip orchestra nine' },
      ...{ name: 'New', attributes: { theme: 'dark' } },
    })
    assert.equal(registered?.user.name, 'New')
    assert.deepEqual((await client.me()).attributes, { theme: 'dark' })
    assert.equal(await codeOf(place.client().register({ ...ADA })), 'email_taken')
  })

  it('register: what is wrong with the body is listed', async () => {
    const error: ClientError = await place
      .client()
      .register({ password: 'gravel tulip orchestra nine' })
      .catch((thrown) => thrown)
    assert.deepEqual([error.code, error.status], ['validation_failed', 422])
    assert.deepEqual(
      error.errors.map(({ path }) => path),
      ['/email'],
    )
  })

  it('register: resolves with undefined when a mail was sent, and nobody is logged in', async () => {
    await using verified = await startPlace({ registration: 'verified' })
    const client = verified.client()
    const given = { email: 'later@example.com', password: 'gravel tulip orchestra nine' }
    assert.equal(await client.register(given), undefined)
    assert.equal(await client.session(), undefined)
    await until(() => verified.mails.length > 0)
    const [code] = /\b\d{6}\b/.exec(verified.mails[0]?.text ?? '') ?? []
    await client.verifyEmail({ email: given.email, code: code as string })
    assert.equal((await client.login(given)).user.email_verified, true)
  })

  it('logout: ends this session on the server, and others stay', async () => {
    const [one, other] = [place.client(), place.client()]
    await one.login(ADA)
    await other.login(ADA)
    const token = await bearerOf(one)
    await one.logout()
    assert.equal(await one.session(), undefined)
    assert.equal(await codeOf(one.fetch('/api')), 'logged_out')
    assert.equal(await standing(token), 401)
    assert.equal((await other.fetch('/api')).status, 200)
    await one.logout()
  })

  it('logout: scope others ends the others, and scope all ends all', async () => {
    const [one, other, third] = [place.client(), place.client(), place.client()]
    for (const client of [one, other, third]) await client.login(ADA)
    await one.logout({ scope: 'others' })
    assert.equal((await one.fetch('/api')).status, 200)
    assert.equal((await other.fetch('/api')).status, 401)
    await until(async () => (await other.session()) === undefined)
    await third.login(ADA)
    await one.logout({ scope: 'all' })
    assert.equal(await one.session(), undefined)
    assert.equal((await third.fetch('/api')).status, 401)
  })

  it('logout: without the server, the promise rejects and the session is forgotten', async () => {
    const client = place.client()
    await client.login(ADA)
    place.proxy.next('/logout', 'no request')
    assert.equal(await codeOf(client.logout()), 'unreachable')
    assert.equal(await client.session(), undefined)
  })

  it('onChange: is called once for each log-in, log-out and change of roles, and not afterwards', async () => {
    const client = place.client()
    const heard: (Session | undefined)[] = []
    const stop = client.onChange((session) => void heard.push(session))
    const { session } = await client.login(GRACE)
    await client.session()
    await client.fetch('/api')
    await place.auth.users.setRoles(session.userId, ['teacher'])
    assert.deepEqual((await (await client.fetch('/api')).json()).roles, ['teacher'])
    await client.logout()
    stop()
    await client.login(GRACE)
    assert.deepEqual(heard, [session, { ...session, roles: ['teacher'] }, undefined])
  })

  it('close: listeners hear nothing more, and the session goes on', async () => {
    const client = place.client()
    const heard: unknown[] = []
    client.onChange((session) => void heard.push(session))
    await client.login(ADA)
    client.close()
    assert.equal((await client.fetch('/api')).status, 200)
    await client.logout()
    assert.equal(await client.session(), undefined)
    assert.equal(heard.length, 1)
  })

  it('clients in memory share nothing, even at one address', async () => {
    const [one, other] = [place.client(), place.client()]
    await one.login(ADA)
    await other.login(GRACE)
    const heard: unknown[] = []
    other.onChange((session) => void heard.push(session))
    await one.logout()
    assert.equal((await other.me()).email, GRACE.email)
    assert.deepEqual(heard, [])
  })

  it('createClient: options that cannot work are refused', () => {
    const refused = (options: object, sentence: RegExp) =>
      assert.throws(() => createClient(options as { baseUrl: string }), { name: 'TypeError', message: sentence })
    for (const baseUrl of [
      undefined,
      '',
      '/auth',
      'example.com',
      'ftp://example.com',
      'https://example.com/?a=b',
      'https://example.com/?',
    ])
      refused({ baseUrl }, /^baseUrl must be like .* \(got/)
    for (const origin of [undefined, '', '*', 'api.example.com', 'https://api.example.com/'])
      refused({ baseUrl: 'https://example.com', apiOrigins: [origin] }, /^apiOrigins must be like .* \(got/)
    refused({ baseUrl: 'https://example.com', mode: 'cookie', storage: new Map() }, /storage/)
  })

  it('createClient: in a page, a missing baseUrl is not a path of the page', () => {
    const global = globalThis as { location?: { href: string } | undefined }
    global.location = { href: 'https://page.example.com/' }
    try {
      createClient({ baseUrl: '/auth' }).close()
      for (const baseUrl of [undefined, ''])
        assert.throws(() => createClient({ baseUrl: baseUrl as string }), { name: 'TypeError', message: /^baseUrl/ })
    } finally {
      delete global.location
    }
  })

  async function bearerOf(client: ReturnType<typeof createClient>): Promise<string> {
    await client.fetch('/api')
    return place.proxy.seen.at(-1)?.authorization as string
  }

  async function standing(authorization: string): Promise<number> {
    return (await fetch(`${place.otherOrigin}/api`, { headers: { authorization } })).status
  }
})
