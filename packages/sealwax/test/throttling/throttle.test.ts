import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createAuth } from '../../src/index.ts'
import { assertProblem, createClock, MINUTE, PASSWORD, SECRET, type Started, startAuth } from '../server.ts'
import { STORES } from '../stores.ts'

const EMAIL = 'ann@example.com'

const login = (server: Started, password: string, { ip = '192.0.2.1', email = EMAIL, device_token = '' } = {}) =>
  server.call('/login', {
    json: { email, password, ...(device_token !== '' && { device_token }) },
    headers: { 'X-Forwarded-For': ip },
  })

async function start() {
  const server = await startAuth({ trustProxy: 1 })
  await server.auth.users.create({ email: EMAIL, password: PASSWORD })
  return server
}

describe('log-ins', () => {
  it('after five wrong passwords wait, with the same reply for an address that does not exist', async () => {
    await using server = await start()
    const replies = []
    for (const email of [EMAIL, 'nobody@example.com']) {
      for (let guess = 0; guess < 5; guess += 1) assert.equal((await login(server, 'wrong', { email })).status, 401)
      const refused = await login(server, 'wrong', { email })
      assertProblem(refused, [429, 'too_many_attempts'])
      const { request_id: _, ...body } = refused.body
      replies.push([body, refused.headers.get('Retry-After')])
    }
    assert.deepEqual(replies[0], replies[1])
  })

  it('the right password waits, too, but not on a known device', async () => {
    await using server = await start()
    const { device_token } = JSON.parse((await login(server, PASSWORD)).text)
    for (let guess = 0; guess < 5; guess += 1) await login(server, 'wrong')
    assertProblem(await login(server, PASSWORD), [429, 'too_many_attempts'])
    assert.equal((await login(server, PASSWORD, { device_token })).status, 200)
    assert.equal((await login(server, PASSWORD, { device_token, ip: '198.51.100.1' })).status, 200)
  })

  it('a forged device token and that of another user are the same as none', async () => {
    await using server = await start()
    await server.auth.users.create({ email: 'bob@example.com', password: PASSWORD })
    const { device_token: bobs } = JSON.parse((await login(server, PASSWORD, { email: 'bob@example.com' })).text)
    for (let guess = 0; guess < 5; guess += 1) await login(server, 'wrong')
    for (const device_token of [bobs, `swd_${'A'.repeat(64)}`, 'swd_x']) {
      assertProblem(await login(server, PASSWORD, { device_token }), [429, 'too_many_attempts'])
    }
  })

  it('a stolen device token gives its thief ten guesses, and the owner on another device does not wait', async () => {
    await using server = await start()
    const { device_token: stolen } = JSON.parse((await login(server, PASSWORD)).text)
    const { device_token: own } = JSON.parse((await login(server, PASSWORD, { ip: '203.0.113.9' })).text)
    for (let guess = 0; guess < 10; guess += 1)
      assert.equal((await login(server, 'wrong', { device_token: stolen })).status, 401)
    assertProblem(await login(server, 'wrong', { device_token: stolen }), [429, 'too_many_attempts'])
    assert.equal((await login(server, PASSWORD, { device_token: own })).status, 200)
  })

  it('a known device logs in before the guesses that fill the queue for passwords', async () => {
    await using server = await start()
    const { device_token } = JSON.parse((await login(server, PASSWORD)).text)
    let checked = 0
    const guesses = Array.from({ length: 100 }, async (_, i) => {
      const { status } = await login(server, 'wrong', { email: `user-${i}@example.com`, ip: `10.0.${i}.1` })
      checked += 1
      return status
    })
    // When the first is done, the others wait.
    await Promise.race(guesses)
    assert.equal((await login(server, PASSWORD, { device_token, ip: '203.0.113.9' })).status, 200)
    assert.ok(checked < guesses.length / 2, `${checked} guesses were checked before`)
    assert.deepEqual([...new Set(await Promise.all(guesses))], [401])
  })

  it('in cookie mode the device is known by a cookie that scripts cannot read', async () => {
    await using server = await start()
    const { headers } = await server.call('/login', { json: { email: EMAIL, password: PASSWORD, mode: 'cookie' } })
    const set = headers.getSetCookie().find((cookie) => cookie.startsWith('sealwax-device=')) ?? ''
    assert.match(set, /HttpOnly/)
    assert.match(set, /SameSite=Strict/)
    for (let guess = 0; guess < 5; guess += 1) await login(server, 'wrong')
    const known = await server.call('/login', {
      json: { email: EMAIL, password: PASSWORD },
      headers: { Cookie: set.split(';')[0] as string, 'X-Forwarded-For': '192.0.2.1' },
    })
    assert.equal(known.status, 200)
  })

  it('an office behind one address can log in at the same moment', async () => {
    await using server = await start()
    for (let i = 0; i < 40; i += 1) await server.auth.users.create({ email: `u${i}@example.com`, password: PASSWORD })
    for (let i = 0; i < 40; i += 1)
      assert.equal((await login(server, PASSWORD, { email: `u${i}@example.com` })).status, 200)
  })

  it('a network that guesses at many accounts is slowed down', async () => {
    await using server = await start()
    const statuses: number[] = []
    for (let i = 0; i < 40; i += 1) statuses.push((await login(server, 'wrong', { email: `u${i}@example.com` })).status)
    assert.deepEqual(statuses.slice(0, 30), Array(30).fill(401))
    assert.ok(
      statuses.slice(34).every((status) => status === 429),
      statuses.join(),
    )
    server.clock.advance(5 * MINUTE)
    assert.equal((await login(server, 'wrong', { email: 'later@example.com' })).status, 401)
  })

  it('an operator sees and clears the counters of an account', async () => {
    await using server = await start()
    for (let guess = 0; guess < 6; guess += 1) await login(server, 'wrong')
    await server.restart()
    assertProblem(await login(server, PASSWORD), [429, 'too_many_attempts'])
  })
})

for (const [name, openStore] of Object.entries(STORES)) {
  it(`counters hold over servers and restarts: ${name}`, async () => {
    await using opened = await openStore()
    const clock = createClock()
    const options = { issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET, now: () => clock.time }
    const one = await createAuth({ ...options, store: await opened.another() })
    await one.users.create({ email: EMAIL, password: PASSWORD })
    const other = await createAuth({ ...options, store: await opened.another() })
    const guess = (auth: typeof one) => auth.login({ email: EMAIL, password: 'wrong' }, { ip: '192.0.2.1' })
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, i) => guess(i % 2 === 0 ? one : other).catch(({ code }) => code)),
    )
    assert.equal(outcomes.filter((code) => code === 'invalid_credentials').length, 5)
    assert.equal(outcomes.filter((code) => code === 'too_many_attempts').length, 25)
    await one.close()
    await other.close()
    const later = await createAuth({ ...options, store: await opened.another() })
    await assert.rejects(guess(later), { code: 'too_many_attempts' })
    await later.close()
  })
}
