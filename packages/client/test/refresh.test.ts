import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Client, ClientError, type Session } from '../src/index.ts'
import type { Fault } from './faulty-proxy.ts'
import { ADA, codeOf, GRACE, MINUTE, moveClock, type Place, startPlace, until } from './place.ts'

describe('refresh by a client', () => {
  let place: Place
  let client: Client
  let heard: (Session | undefined)[]
  before(async () => {
    place = await startPlace({ registration: 'open' })
  })
  beforeEach(async () => {
    client = place.client()
    heard = []
    await client.login(ADA)
    client.onChange((session) => void heard.push(session))
    place.proxy.seen.splice(0)
    place.proxy.decide = () => undefined
  })
  after(() => place[Symbol.asyncDispose]())

  /** The client and the server agree that the access token has expired. */

  const count = (path: string) => place.paths().filter((seen) => seen === path).length
  const always = (path: string, fault: Fault) => {
    place.proxy.decide = (seen) => (seen.path === path ? fault : undefined)
  }
  /** Sends a request that must succeed, as Ada. */
  async function assertLoggedIn(): Promise<void> {
    assert.equal((await client.fetch('/api')).status, 200)
    assert.equal((await client.me()).email, ADA.email)
    assert.deepEqual(heard, [])
  }

  it('an expired token is refreshed before a request, not after a refusal', async () => {
    await place.pass(16 * MINUTE)
    await client.fetch('/api')
    assert.deepEqual(place.paths(), ['/refresh', '/refresh/confirm', '/api'])
  })

  it('a token that expires soon is refreshed while it is used, between 75% and 90% of its life', async () => {
    await place.pass(11 * MINUTE)
    await client.fetch('/api')
    assert.deepEqual(place.paths(), ['/api'])
    await place.pass(3 * MINUTE)
    await client.fetch('/api')
    await until(() => count('/refresh/confirm') === 1)
    assert.equal(count('/refresh'), 1)
    await place.pass(8 * MINUTE)
    await assertLoggedIn()
    assert.equal(count('/refresh'), 1)
  })

  it('the clock of the user does not matter', async (t) => {
    for (const hours of [-1000, -1, 1, 1000]) {
      t.mock.method(Date, 'now', () => Math.floor(performance.timeOrigin + performance.now()) + hours * 60 * MINUTE)
      await assertLoggedIn()
    }
    assert.equal(count('/refresh'), 0)
  })

  it('a computer whose monotonic clock stops while it sleeps: the refusal starts the refresh', async () => {
    place.clock.ahead += 24 * 60 * MINUTE
    await assertLoggedIn()
    assert.deepEqual(place.paths().slice(0, 4), ['/api', '/refresh', '/refresh/confirm', '/api'])
  })

  it('a lost request and a lost reply are repeated, and the second attempt succeeds', async () => {
    for (const fault of ['no request', 'no reply'] as const) {
      await place.pass(20 * MINUTE)
      place.proxy.next('/refresh', fault)
      await assertLoggedIn()
    }
    assert.equal(count('/refresh'), 4)
  })

  it('all replies lost for hours: the session goes on', async () => {
    await place.pass(20 * MINUTE)
    always('/refresh', 'no reply')
    assert.equal(await codeOf(client.fetch('/api')), 'unreachable')
    await place.pass(5 * 60 * MINUTE)
    assert.equal(await codeOf(client.session()), 'unreachable')
    place.proxy.decide = () => undefined
    await assertLoggedIn()
    await place.pass(20 * MINUTE)
    await assertLoggedIn()
  })

  it('a lost confirmation does no harm', async () => {
    for (const fault of ['no request', 'no reply', { status: 503 }] as const) {
      await place.pass(20 * MINUTE)
      place.proxy.next('/refresh/confirm', fault)
      await assertLoggedIn()
    }
  })

  it('only invalid_grant logs out: not 429, 5xx, HTML, an empty reply, a redirect, or other refusals', async () => {
    const html = { 'Content-Type': 'text/html' }
    const problem = (code: string) => JSON.stringify({ code, title: code })
    const faults: [Fault, string][] = [
      [{ status: 429 }, 'unreadable_reply'],
      [{ status: 429, headers: html, body: '<h1>Slow down</h1>' }, 'unreadable_reply'],
      [{ status: 429, body: problem('too_many_attempts') }, 'too_many_attempts'],
      [{ status: 500, body: problem('internal_error') }, 'internal_error'],
      [{ status: 502, headers: html, body: '<h1>Bad gateway</h1>' }, 'unreadable_reply'],
      [{ status: 503, body: problem('temporarily_unavailable') }, 'temporarily_unavailable'],
      [{ status: 200, headers: html, body: '<h1>Welcome to our hotel</h1>' }, 'unreadable_reply'],
      [{ status: 200, body: '{}' }, 'unreadable_reply'],
      [{ status: 200, body: 'null' }, 'unreadable_reply'],
      [{ status: 200, body: '{"access_token":"x.y.z","expires_in":"soon"}' }, 'unreadable_reply'],
      [{ status: 204 }, 'unreadable_reply'],
      [{ status: 302, headers: { Location: 'http://127.0.0.1:1/' } }, 'unreachable'],
      [{ status: 400, body: 'Bad Request' }, 'unreadable_reply'],
      [{ status: 401, headers: html, body: '<h1>Proxy authentication</h1>' }, 'unreadable_reply'],
      [{ status: 403, body: problem('csrf_failed') }, 'csrf_failed'],
      [{ status: 404, body: 'Not Found' }, 'unreadable_reply'],
      ['no request', 'unreachable'],
    ]
    await place.pass(20 * MINUTE)
    for (const [fault, code] of faults) {
      always('/refresh', fault)
      assert.equal(await codeOf(client.fetch('/api')), code, JSON.stringify(fault))
      assert.equal(await codeOf(client.session()), code)
    }
    place.proxy.decide = () => undefined
    await assertLoggedIn()
  })

  it('while the token is valid, requests succeed although no refresh does, and few are tried', async () => {
    always('/refresh', { status: 500 })
    await place.pass(14 * MINUTE)
    for (let i = 0; i < 20; i += 1) assert.equal((await client.fetch('/api')).status, 200)
    await until(() => count('/refresh') === 2)
    assert.equal((await client.fetch('/api')).status, 200)
    assert.equal(count('/refresh'), 2)
    place.proxy.decide = () => undefined
    moveClock(11_000)
    await assertLoggedIn()
    await until(() => count('/refresh') === 3)
  })

  it('a short Retry-After is waited for', async () => {
    await place.pass(20 * MINUTE)
    place.proxy.next('/refresh', { status: 503, headers: { 'Retry-After': '1' } })
    const started = performance.now()
    await assertLoggedIn()
    assert.ok(performance.now() - started > 1000)
  })

  it('a long Retry-After is an error at once, and the server is left alone until then, a minute at most', async () => {
    for (const [given, seconds] of [
      ['30', 30],
      ['3600', 60],
    ] as const) {
      await place.pass(20 * MINUTE)
      place.proxy.seen.splice(0)
      place.proxy.next('/refresh', { status: 429, headers: { 'Retry-After': given } })
      const error: ClientError = await client.fetch('/api').catch((thrown) => thrown)
      assert.ok(error instanceof ClientError)
      assert.deepEqual([error.status, error.retryAfter], [429, Number(given)])
      moveClock((seconds - 1) * 1000)
      assert.equal(await client.session().catch((thrown) => thrown), error)
      assert.equal(count('/refresh'), 1)
      moveClock(1001)
      await assertLoggedIn()
    }
  })

  it('a log-in does not wait for a Retry-After of a refresh', async () => {
    await place.pass(20 * MINUTE)
    place.proxy.next('/refresh', { status: 429, headers: { 'Retry-After': '60' } })
    assert.equal(await codeOf(client.fetch('/api')), 'unreadable_reply')
    await client.login(ADA)
    assert.equal((await client.fetch('/api')).status, 200)
  })

  it('invalid_grant logs out, whatever its reason, and the server is not asked again', async () => {
    const ends = [
      async (session: Session) => void (await place.auth.sessions.revoke(session.id)),
      async (session: Session) => void (await place.auth.users.disable(session.userId)),
    ]
    for (const [i, end] of ends.entries()) {
      const own = place.client()
      const { session } = (await own.register({
        ...{ email: `end${i}@example.com`, password: 'gravel tulip orchestra nine' },
      })) as { session: Session }
      const told: unknown[] = []
      own.onChange((now) => void told.push(now))
      await place.pass(20 * MINUTE)
      await end(session)
      place.proxy.seen.splice(0)
      assert.equal(await own.session(), undefined)
      assert.equal(await codeOf(own.fetch('/api')), 'logged_out')
      assert.deepEqual(told, [undefined])
      assert.equal(count('/refresh'), 1)
    }
  })

  it('a session that has expired is over', async () => {
    await place.pass(91 * 24 * 60 * MINUTE)
    assert.equal(await client.session(), undefined)
    assert.deepEqual(heard, [undefined])
  })

  it('a refresh that hangs is given up after 15 seconds, and the second attempt succeeds', async () => {
    await place.pass(20 * MINUTE)
    place.proxy.next('/refresh', { hold: 16_000 })
    const started = performance.now()
    await assertLoggedIn()
    const seconds = (performance.now() - started) / 1000
    assert.ok(seconds > 14.9 && seconds < 25, `${seconds}`)
  })

  it('a reply that a frozen page reads too late is not used', async () => {
    await place.pass(20 * MINUTE)
    place.proxy.next('/refresh', { hold: 300 })
    const reply = client.fetch('/api')
    await until(() => count('/refresh') === 1)
    moveClock(16_000)
    assert.equal((await reply).status, 200)
    assert.equal(count('/refresh'), 2)
  })

  it('logout during a refresh: the reply is not used', async () => {
    await place.pass(20 * MINUTE)
    place.proxy.next('/refresh', { hold: 400 })
    const reply = codeOf(client.fetch('/api'))
    await until(() => count('/refresh') === 1)
    await client.logout()
    assert.equal(await reply, 'logged_out')
    assert.equal(await client.session(), undefined)
    assert.deepEqual(heard, [undefined])
  })

  it('login as another user during a refresh: requests are sent as the new user', async () => {
    await place.pass(20 * MINUTE)
    place.proxy.next('/refresh', { hold: 400 })
    const reply = client.fetch('/api').then((got) => got.json())
    await until(() => count('/refresh') === 1)
    const { user } = await client.login(GRACE)
    assert.equal((await reply).subject, user.id)
    assert.equal((await client.me()).email, GRACE.email)
    assert.deepEqual(
      heard.map((session) => session?.userId),
      [user.id],
    )
  })

  it('a refresh waits for a log-in, and log-ins and log-outs wait for each other', async () => {
    await place.pass(20 * MINUTE)
    place.proxy.next('/login', { hold: 300 })
    const entering = client.login(GRACE)
    const reply = client.fetch('/api').then((got) => got.json())
    const { user } = await entering
    assert.equal((await reply).subject, user.id)
    const [, , last] = await Promise.all([client.login(ADA), client.logout(), client.login(GRACE)])
    assert.deepEqual(await client.session(), last.session)
    assert.equal((await client.me()).email, GRACE.email)
  })
})
