import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ADA, codeOf, GRACE, MINUTE, type Place, startPlace, until } from './place.ts'

// In Node the proxy keeps the cookies. `npm run test:browser` shows the same with real ones.
describe('a client in cookie mode', () => {
  let place: Place
  before(async () => {
    place = await startPlace()
  })
  beforeEach(() => {
    place.closeClients()
    place.proxy.cookies = new Map()
    place.proxy.seen.splice(0)
  })
  after(() => place[Symbol.asyncDispose]())

  const create = () => place.client({ mode: 'cookie' })
  const count = (path: string) => place.paths().filter((seen) => seen === path).length

  it('without a cookie nobody is logged in, and that is no error', async () => {
    assert.equal(await create().session(), undefined)
    assert.equal(await codeOf(create().fetch('/api')), 'logged_out')
    await create().logout()
  })

  it('login, refresh and logout: the refresh token is in the cookie only', async () => {
    const client = create()
    const { session } = await client.login(ADA)
    assert.match(place.proxy.cookies?.get('sealwax') ?? '', /^swr_/)
    await place.pass(20 * MINUTE)
    assert.equal((await client.me()).email, ADA.email)
    assert.deepEqual(await create().session(), session)
    assert.ok(place.proxy.seen.every(({ body }) => body.refresh_token === undefined))
    await client.logout()
    assert.equal(place.proxy.cookies?.has('sealwax'), false)
    assert.equal(await create().session(), undefined)
  })

  it('the device is known at the next log-in, by its cookie', async () => {
    const client = create()
    await client.login(ADA)
    await client.logout()
    assert.equal(place.proxy.cookies?.has('sealwax-device'), true)
    await client.login(ADA)
    assert.equal(place.proxy.seen.at(-1)?.body.device_token, undefined)
  })

  it('logout without the server: the promise rejects, and the user is still logged in', async () => {
    const client = create()
    await client.login(ADA)
    const heard: unknown[] = []
    client.onChange((session) => void heard.push(session))
    place.proxy.next('/logout', 'no request')
    assert.equal(await codeOf(client.logout()), 'unreachable')
    assert.equal((await client.me()).email, ADA.email)
    assert.deepEqual(heard, [])
    await client.logout()
    assert.deepEqual(heard, [undefined])
    assert.equal(await client.session(), undefined)
  })

  it('requests during a log-out do not bring the session back', async () => {
    const client = create()
    await client.login(ADA)
    await place.pass(20 * MINUTE)
    place.proxy.next('/logout', { hold: 300 })
    const leaving = client.logout()
    const code = await codeOf(client.fetch('/api'))
    await leaving
    assert.equal(code, 'logged_out')
    assert.equal(await client.session(), undefined)
  })

  it('login interrupts a refresh, whose late cookie would replace the new one', async () => {
    const client = create()
    await client.login(ADA)
    await place.pass(20 * MINUTE)
    place.proxy.next('/refresh', { hold: 500 })
    const reply = client.fetch('/api').then((got) => got.json())
    await until(() => count('/refresh') === 1)
    const { user } = await client.login(GRACE)
    assert.equal((await reply).subject, user.id)
    const cookie = place.proxy.cookies?.get('sealwax')
    await delay(600)
    assert.equal(place.proxy.cookies?.get('sealwax'), cookie)
    await place.pass(20 * MINUTE)
    assert.equal((await client.me()).email, GRACE.email)
  })

  it('login in another tab interrupts a refresh, too, and the next one waits for it', async () => {
    const [tab, other] = [create(), create()]
    await tab.login(ADA)
    await other.session()
    await place.pass(20 * MINUTE)
    place.proxy.seen.splice(0)
    place.proxy.next('/refresh', { hold: 500 })
    place.proxy.next('/login', { hold: 200 })
    const reply = other.fetch('/api').then((got) => got.json())
    await until(() => count('/refresh') === 1)
    const { user } = await tab.login(GRACE)
    assert.equal((await reply).subject, user.id)
    await delay(600)
    await place.pass(20 * MINUTE)
    assert.equal((await tab.me()).email, GRACE.email)
    assert.equal((await other.me()).email, GRACE.email)
  })

  it('a log-in in another tab that fails, or is never over, holds up no request for long', async () => {
    const [tab, other] = [create(), create()]
    await tab.login(ADA)
    await other.session()
    const heard: unknown[] = []
    other.onChange((session) => void heard.push(session))
    await place.pass(20 * MINUTE)
    const [code, user] = await Promise.all([codeOf(tab.login({ ...ADA, password: 'not the password' })), other.me()])
    assert.deepEqual([code, user.email, heard], ['invalid_credentials', ADA.email, []])
    await place.pass(20 * MINUTE)
    const channel = new BroadcastChannel(`sealwax.${place.url.replace(/\W+/g, '_')}`)
    channel.postMessage('entering')
    await delay(20)
    const started = performance.now()
    assert.equal((await other.me()).email, ADA.email)
    assert.ok(performance.now() - started < 16_000)
    channel.close()
  })

  it('other tabs hear of log-in and log-out', async () => {
    const [one, other] = [create(), create()]
    const heard: unknown[] = []
    other.onChange((session) => void heard.push(session?.userId))
    const { user } = await one.login(ADA)
    await until(() => heard.length === 1)
    await one.logout()
    await until(() => heard.length === 2)
    assert.deepEqual(heard, [user.id, undefined])
  })

  it('deleteMe: the cookie is deleted', async () => {
    await place.auth.users.create({ email: 'gone@example.com', password: ADA.password })
    const client = create()
    await client.login({ ...ADA, email: 'gone@example.com' })
    await client.deleteMe({ password: ADA.password })
    assert.equal(place.proxy.cookies?.has('sealwax'), false)
    assert.equal(await client.session(), undefined)
  })

  it('twenty tabs that wake up at once: nobody is logged out', async () => {
    const tabs = Array.from({ length: 20 }, create)
    await tabs[0]?.login(ADA)
    for (let night = 0; night < 3; night += 1) {
      await place.pass(8 * 60 * MINUTE)
      place.proxy.next('/refresh', 'no reply', 'no request', 'no reply')
      const users = await Promise.all(tabs.map((tab) => tab.me()))
      assert.ok(users.every(({ email }) => email === ADA.email))
    }
  })
})
