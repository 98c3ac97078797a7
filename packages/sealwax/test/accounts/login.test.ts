import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { availableParallelism } from 'node:os'
import { describe, it } from 'node:test'
import { hash } from '@node-rs/argon2'
import { unsafeDecode } from '@sealwax/jwt'
import { createPasswords } from '../../src/accounts/password-hashing.ts'
import { networksOf } from '../../src/core/network.ts'
import { createPasswordAdmission } from '../../src/core/password-admission.ts'
import { DAY, PASSWORD, type Reply, type Started, standing, startAuth } from '../server.ts'

const EMAIL = 'ann@example.com'
const WRONG = 'quite another passphrase'

function login({ call }: Started, email: string, password: string): Promise<Reply> {
  return call('/login', { json: { email, password } })
}

/** The same in process, without opening a connection. */
async function attempt({ auth }: Started, email: string, password: string): Promise<Omit<Reply, 'text'>> {
  const response = await auth.fetch(
    new Request('http://127.0.0.1:5000/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email, password }),
    }),
  )
  return { status: response.status, headers: response.headers, body: await response.json() }
}

/** What a caller sees of a refusal, except the request id and the date. */
function visible({ status, headers, body }: Reply): unknown {
  const { request_id, ...rest } = body
  const shown = [...headers].filter(([name]) => name !== 'x-request-id' && name !== 'date')
  assert.ok(request_id)
  return { status, shown, rest }
}

describe('login', () => {
  it('returns tokens with amr pwd, and the user', async () => {
    await using server = await startAuth()
    const { id } = await server.auth.users.create({ email: EMAIL, password: PASSWORD, roles: ['teacher'] })
    const { status, headers, body } = await login(server, EMAIL, PASSWORD)
    assert.equal(status, 200)
    assert.equal(headers.get('Cache-Control'), 'no-store')
    assert.deepEqual([body.token_type, body.expires_in, body.refresh_expires_in], ['Bearer', 900, 14 * 86_400])
    assert.deepEqual([body.user.id, body.user.email, body.user.roles], [id, EMAIL, ['teacher']])
    assert.match(body.refresh_token, /^swr_[\w-]{40,}$/)
    const { header, payload } = unsafeDecode(body.access_token)
    assert.equal(header.typ, 'at+jwt')
    assert.deepEqual([payload.sub, payload.sid, payload.iss], [id, body.session.id, 'http://127.0.0.1:5000'])
    assert.deepEqual([payload.aud, payload.amr, payload.roles], ['api', ['pwd'], ['teacher']])
    assert.equal(Number(payload.exp) - Number(payload.iat), 900)
    assert.equal(await standing(server.auth, body.access_token), 'accepted')
    const again = await login(server, EMAIL, PASSWORD)
    assert.notEqual(again.body.session.id, body.session.id)
  })

  it('refuses an unknown user and a wrong password identically', async () => {
    await using server = await startAuth()
    const { id } = await server.auth.users.create({ email: EMAIL, password: PASSWORD })
    const off = await server.auth.users.create({ email: 'off@example.com', password: PASSWORD })
    await server.auth.users.disable(off.id)
    const wrong = visible(await login(server, EMAIL, WRONG))
    assert.deepEqual(visible(await login(server, 'nobody@example.com', WRONG)), wrong)
    assert.deepEqual(visible(await login(server, 'not an address', WRONG)), wrong)
    assert.deepEqual(visible(await login(server, 'off@example.com', WRONG)), wrong)
    assert.deepEqual(visible(await login(server, EMAIL, 'x')), wrong)
    assert.deepEqual(visible(await login(server, EMAIL, 'x'.repeat(1000))), wrong)
    const { status, headers, body } = await login(server, EMAIL, '')
    assert.deepEqual([status, body.code, body.error], [401, 'invalid_credentials', 'Invalid credentials'])
    assert.equal(
      headers.get('WWW-Authenticate'),
      'Bearer realm="api"',
      'required by RFC 9110 §15.5.2; browsers show no dialog for Bearer',
    )
    assert.deepEqual(
      server.events
        .filter(({ type }) => type === 'user.login_failed')
        .map(({ subject }) => subject)
        .slice(0, 2),
      [id, undefined],
    )
  })

  it('the event and the log line of a new session have its subject and amr', async () => {
    await using server = await startAuth()
    const { id } = await server.auth.users.create({ email: EMAIL, password: PASSWORD })
    await server.call('/login', { json: { email: EMAIL, password: PASSWORD } })
    await server.auth.sessions.create({ subject: 'bob', amr: ['hwk', 'mfa'], client: { by: 'usr_admin' } })
    await server.auth.sessions.create({ subject: 'cleo' })
    const events = server.events.filter(({ type }) => type === 'session.created')
    const expected = [
      [id, { amr: ['pwd'] }],
      ['bob', { amr: ['hwk', 'mfa'], by: 'usr_admin' }],
      ['cleo', { amr: [] }],
    ] as const
    assert.deepEqual(
      events.map(({ subject, data }) => [subject, data]),
      expected,
    )
    const lines = server.lines.filter(({ message }) => message === 'session created')
    assert.deepEqual(
      lines.map(({ fields }) => fields),
      events.map(({ sessionId, subject, data }) => ({ session: sessionId, subject, amr: data?.amr })),
    )
    assert.deepEqual((await server.auth.audit.list({ type: 'session.created' })).data.at(-1)?.data, { amr: ['pwd'] })
  })

  it('does a full password check for users that do not exist', async () => {
    await using server = await startAuth()
    await server.auth.users.create({ email: EMAIL, password: PASSWORD })
    const attempts: [email: string, password: string][] = [
      [EMAIL, WRONG],
      ['nobody@example.com', WRONG],
      ['no address', WRONG],
      [EMAIL, 'x'.repeat(999)],
    ]
    // The quickest of several rounds, since other load on the machine only adds time.
    const quickest = attempts.map(() => Infinity)
    for (let round = 0; round < 6; round += 1) {
      for (const [i, [email, password]] of attempts.entries()) {
        const started = performance.now()
        await login(server, email, password)
        quickest[i] = Math.min(quickest[i] ?? 0, performance.now() - started)
      }
      // Otherwise the next round is refused without a check.
      server.clock.advance(DAY)
    }
    const [known = 0, ...others] = quickest
    for (const other of others) assert.ok(other > known / 2 && other < known * 2, `${other} ms against ${known} ms`)
  })

  it('reports that a user is disabled only after a correct password', async () => {
    await using server = await startAuth()
    const { id } = await server.auth.users.create({ email: EMAIL, password: PASSWORD })
    await server.auth.users.disable(id)
    assert.equal((await login(server, EMAIL, WRONG)).status, 401)
    const { status, body } = await login(server, EMAIL, PASSWORD)
    assert.deepEqual([status, body.code], [403, 'user_disabled'])
    assert.deepEqual(await server.auth.sessions.list(id), [])
    await server.auth.users.enable(id)
    assert.equal((await login(server, EMAIL, PASSWORD)).status, 200)
  })

  it('a login in progress gets no session if the user is disabled or deleted, and a valid one if all sessions are ended', async () => {
    await using server = await startAuth()
    const { auth } = server
    const races: [string, (id: string) => Promise<unknown>, status: number, sessions: number][] = [
      ['revoke', (id) => auth.sessions.revokeAll(id), 200, 1],
      ['disable', (id) => auth.users.disable(id), 403, 0],
      ['delete', (id) => auth.users.delete(id), 401, 0],
    ]
    for (const [name, act, status, sessions] of races) {
      const email = `${name}@example.com`
      const { id } = await auth.users.create({ email, password: PASSWORD })
      // All cores are hashing, so the late login has read its user and waits while the change is
      // made.
      const crowd = Array.from({ length: 4 * availableParallelism() }, () => attempt(server, EMAIL, PASSWORD))
      const late = attempt(server, email, PASSWORD)
      await new Promise((soon) => setTimeout(soon, 10))
      await act(id)
      const reply = await late
      assert.deepEqual([name, reply.status, (await auth.sessions.list(id)).length], [name, status, sessions])
      if (status === 200) assert.equal(await standing(auth, reply.body.access_token), 'accepted')
      await Promise.all(crowd)
    }
  })

  it('a password change ends all sessions, and the old password is refused', async () => {
    await using server = await startAuth()
    const { id } = await server.auth.users.create({ email: EMAIL, password: PASSWORD })
    const { body } = await login(server, EMAIL, PASSWORD)
    const [late] = await Promise.all([
      login(server, EMAIL, PASSWORD),
      server.auth.users.update(id, { password: WRONG }),
    ])
    assert.equal(await standing(server.auth, body.access_token), 'token_revoked')
    if (late.status === 200) assert.equal(await standing(server.auth, late.body.access_token), 'token_revoked')
    assert.deepEqual(await server.auth.sessions.list(id), [])
    assert.equal((await login(server, EMAIL, PASSWORD)).status, 401)
    assert.equal((await login(server, EMAIL, WRONG)).status, 200)
  })
})

describe('the queue of password checks', () => {
  const stopped = () => 0
  /** A clock that goes on with each reading. It is read twice when a check ends. */
  const clock = (step: number) => {
    let time = 0
    return () => {
      time += step
      return time
    }
  }

  it('refuses checks beyond its limit, and continues afterwards', async () => {
    const passwords = createPasswords(createPasswordAdmission({ elapsed: stopped, concurrency: 1, queueLimit: 2 }))
    const checks = await Promise.allSettled(Array.from({ length: 5 }, () => passwords.matches(PASSWORD, undefined)))
    assert.deepEqual(
      checks.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'],
    )
    const [refusal] = checks.filter((check) => check.status === 'rejected')
    assert.equal(refusal?.reason.code, 'overloaded')
    assert.equal(await passwords.matches(PASSWORD, await passwords.hash(PASSWORD)), true)
  })

  it('releases finished checks in groups of up to 16 while others wait, and the rest with the last one', async () => {
    assert.deepEqual(await handedOn({ concurrency: 1, checks: 20 }), [16, 4])
  })

  it('delays no check when there is no queue', async () => {
    assert.deepEqual(await handedOn({ concurrency: 1, checks: 2 }), [1, 1])
  })

  it('a slow check does not delay checks that finished before it', async () => {
    const passwords = createPasswords(createPasswordAdmission({ elapsed: stopped, concurrency: 2, queueLimit: 20 }))
    const slow = await hash(PASSWORD, { algorithm: 2, memoryCost: 19_456, timeCost: 50, parallelism: 1 })
    let slowEnded = false
    const long = passwords.matches(PASSWORD, slow).then(() => {
      slowEnded = true
    })
    await Promise.all(Array.from({ length: 3 }, () => passwords.matches(PASSWORD, undefined)))
    await new Promise((turn) => setImmediate(turn))
    assert.equal(slowEnded, false)
    await long
  })

  it('a finished check waits at most a tenth of a second for others', async () => {
    assert.deepEqual(await handedOn({ concurrency: 1, checks: 15, elapsed: clock(10) }), [5, 5, 5])
    assert.deepEqual(await handedOn({ concurrency: 1, checks: 3, elapsed: clock(60) }), [1, 1, 1])
  })

  /** How many checks ended in the same turn of the event loop, turn after turn. */
  async function handedOn({
    concurrency,
    checks,
    elapsed = stopped,
  }: {
    concurrency: number
    checks: number
    elapsed?: () => number
  }): Promise<number[]> {
    const passwords = createPasswords(createPasswordAdmission({ elapsed, concurrency, queueLimit: 20 }))
    let turn = 0
    const turns: number[] = []
    const count = () => {
      turn += 1
      if (turns.length < checks) setImmediate(count)
    }
    count()
    await Promise.all(
      Array.from({ length: checks }, async () => {
        await passwords.matches(PASSWORD, undefined)
        turns.push(turn)
      }),
    )
    return [...Map.groupBy(turns, (each) => each).values()].map(({ length }) => length)
  }

  it('divides its places by network, and the application has its own share', async () => {
    const passwords = createPasswords(createPasswordAdmission({ elapsed: stopped, concurrency: 1, queueLimit: 11 }))
    const order: string[] = []
    const check = async (name: string, ip: string) => {
      await passwords.matches(PASSWORD, undefined, passwords.enter(networksOf(ip)))
      order.push(name)
    }
    const flood = Array.from({ length: 12 }, () => check('flood', '203.0.113.9'))
    const other = check('other', '198.51.100.7')
    const own = passwords.hash(PASSWORD).then(() => order.push('own'))
    const refused = (await Promise.allSettled(flood)).filter(({ status }) => status === 'rejected')
    await Promise.all([other, own])
    assert.equal(refused.length, 2)
    assert.deepEqual(order.slice(0, 4).toSorted(), ['flood', 'flood', 'other', 'own'])
  })

  it('the application is never refused, even with many calls at once, and log-ins keep their places', async () => {
    // So slow that each check is released alone, in the order in which they end.
    const elapsed = clock(60)
    const passwords = createPasswords(createPasswordAdmission({ elapsed, concurrency: 1, queueLimit: 4 }))
    const order: string[] = []
    const created = Array.from({ length: 12 }, (_, i) => passwords.hash(PASSWORD).then(() => order.push(`own ${i}`)))
    const logins = Array.from({ length: 3 }, async (_, i) => {
      await passwords.matches(PASSWORD, undefined, passwords.enter(networksOf(`203.0.${i}.9`)))
      order.push('login')
    })
    await Promise.all([...created, ...logins])
    assert.ok(order.lastIndexOf('login') < 7, `log-ins waited behind the application: ${order}`)
    assert.deepEqual(
      order.filter((name) => name !== 'login'),
      Array.from({ length: 12 }, (_, i) => `own ${i}`),
      'in the order of the calls',
    )
  })

  it('log-ins from many networks that fill every place do not block the application', async () => {
    const passwords = createPasswords(createPasswordAdmission({ elapsed: stopped, concurrency: 1, queueLimit: 4 }))
    const check = (i: number) => passwords.matches(PASSWORD, undefined, passwords.enter(networksOf(`203.0.${i}.9`)))
    const order: string[] = []
    const logins = Array.from({ length: 5 }, (_, i) => check(i).then(() => order.push('login')))
    const created = passwords.hash(PASSWORD).then(() => order.push('own'))
    await assert.rejects(async () => check(9), { code: 'overloaded' })
    await Promise.all([...logins, created])
    assert.equal(order.length, 6)
  })

  it('the application can create 150 users at once while a user logs in', async () => {
    await using server = await startAuth()
    const users = Array.from({ length: 150 }, (_, i) =>
      server.auth.users.create({ email: `user-${i}@example.com`, password: PASSWORD }),
    )
    const [{ id } = { id: '' }] = await Promise.all([users[0]])
    assert.match(id, /^usr_/)
    assert.equal((await login(server, 'user-0@example.com', PASSWORD)).status, 200)
    const isDone = await Promise.race([Promise.all(users).then(() => true), Promise.resolve(false)])
    assert.equal(isDone, false, 'the log-in did not wait for all of them')
    await Promise.all([...users, server.auth.users.update(id, { password: `${PASSWORD}!` })])
    assert.equal((await server.auth.users.list({ limit: 500 })).length, 150)
  })

  it('a place that is left unused blocks no other check', async () => {
    const passwords = createPasswords(createPasswordAdmission({ elapsed: stopped, concurrency: 1, queueLimit: 2 }))
    const network = networksOf('203.0.113.9')
    const checked = passwords.matches(PASSWORD, undefined, passwords.enter(network))
    const unused = passwords.enter(network)
    await unused.turn
    unused.leave()
    assert.equal(await checked, false)
  })

  it('a stored hash that cannot be read matches nothing, and its check frees its place', async () => {
    const passwords = createPasswords(createPasswordAdmission({ elapsed: stopped, concurrency: 1, queueLimit: 1 }))
    for (let i = 0; i < 3; i += 1) assert.equal(await passwords.matches(PASSWORD, 'no PHC string'), false)
    assert.equal(await passwords.matches(PASSWORD, undefined), false)
  })

  it('a flood of logins gets 503 with Retry-After, and other routes respond meanwhile', async () => {
    await using server = await startAuth()
    const { access_token } = await server.auth.sessions.create({ subject: 'ann' })
    let answered = 0
    // In process, so that all arrive at the same time. Connections are opened one by one, and on a
    // busy machine the checks would keep up.
    const flood = Array.from({ length: 150 }, async (_, i) => {
      const reply = await attempt(server, `user-${i}@example.com`, WRONG)
      answered += 1
      return reply
    })
    await Promise.race(flood)
    assert.equal((await server.call('/me', { token: access_token })).status, 200)
    assert.ok(answered < flood.length, 'the flood is still in progress')
    const replies = await Promise.all(flood)
    const refused = replies.filter(({ status }) => status !== 401)
    assert.ok(refused.length > 0 && replies.length - refused.length >= 100, `${refused.length} refused`)
    for (const { status, headers, body } of refused) {
      assert.deepEqual([status, body.code, Number(headers.get('Retry-After')) > 0], [503, 'overloaded', true])
    }
    assert.equal((await login(server, EMAIL, WRONG)).status, 401)
  })

  it('a request behind a flood of logins does not wait until they are done', async () => {
    await using server = await startAuth()
    const open = async () => {
      const socket = connect(server.port, '127.0.0.1')
      await once(socket, 'connect')
      // A server accepts one new connection per turn of the event loop. Without this request, the
      // flood and the last request would not arrive together.
      socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
      await once(socket, 'data')
      return socket
    }
    const sockets = await Promise.all(Array.from({ length: 400 }, open))
    const last = await open()
    let answered = 0
    const flood = sockets.map(async (socket, i) => {
      const json = JSON.stringify({ email: `user-${i}@example.com`, password: WRONG })
      const head = `POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${json.length}`
      socket.write(`${head}\r\n\r\n${json}`)
      const [reply] = await once(socket, 'data')
      answered += 1
      return /^HTTP\/1.1 (401|429|503) /.exec(String(reply))?.[1]
    })
    last.write('GET /me HTTP/1.1\r\nHost: x\r\n\r\n')
    assert.match(String(await once(last, 'data')), /^HTTP\/1.1 401 /)
    assert.ok(answered < 100, `${answered} log-ins got a response first`)
    const statuses = await Promise.all(flood)
    for (const socket of [...sockets, last]) socket.destroy()
    // 429 if the failures of this network are counted before the last of its requests starts.
    assert.deepEqual([...new Set(statuses)].filter((status) => status !== '429').sort(), ['401', '503'])
  })
})
