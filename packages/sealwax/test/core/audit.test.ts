import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findBucket, summarise } from '../../src/core/audit-counts.ts'
import type { AuditEvent } from '../../src/index.ts'
import { createAuth } from '../../src/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { startOAuth } from '../oauth/oauth.ts'
import { DAY, HOUR, MINUTE, PASSWORD, SECOND, SECRET, type Started, startAuth } from '../server.ts'
import { refresh, rotatedSession } from '../sessions/refreshing.ts'
import { NOW, STORES } from '../stores.ts'

const WRONG = 'not the right password'
const FAILURES = 48

/** Rows of the audit log, newest first, without keys, created users and successful log-ins. */
async function rows({ auth }: Pick<Started, 'auth'>) {
  const { data } = await auth.audit.list({ limit: 500 })
  return data.filter(({ type }) => !/^key\.|^user\.created|^client\.created|^session\.created/.test(type))
}

function failLogin({ call }: Started, email: string, ip: string): Promise<{ status: number }> {
  return call('/login', { json: { email, password: WRONG }, headers: { 'X-Forwarded-For': ip, 'User-Agent': ip } })
}

describe('the audit log under attack', () => {
  it('an account that presents a parent token with changing user agents writes one row a minute', async () => {
    await using server = await startAuth()
    server.clock.advance(50 * SECOND)
    const { id, parent } = await rotatedSession(server)
    const heard = server.events.length
    let sent = 0
    const flood = async (times: number) => {
      const agents = Array.from({ length: times }, () => {
        sent += 1
        return `thief ${'abcdefghij'[sent % 10]}${'klmnopqrst'[Math.floor(sent / 10)]}`
      })
      const replies = await Promise.all(agents.map((agent) => refresh(server, parent, agent)))
      assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]))
    }
    await flood(40)
    await flood(30)
    server.clock.advance(15 * SECOND)
    await flood(20)
    const written = await rows(server)
    assert.deepEqual(
      written.map(({ sessionId, subject, count }) => [sessionId, subject, count]),
      [
        [id, 'ann', 20],
        [id, 'ann', 70],
      ],
    )
    assert.match(written[1]?.userAgent ?? '', /^thief/)
    assert.match(written[1]?.repeats?.last.userAgent ?? '', /^thief/)
    assert.equal(server.events.length - heard, 90, 'onEvent receives every event')
  })

  it('repeated failed log-ins write one row per network and minute', async () => {
    await using server = await startAuth({ trustProxy: 1 })
    const { id } = await server.auth.users.create({ email: 'ann@example.com', password: PASSWORD })
    const attempts = Array.from({ length: FAILURES }, (_, i) =>
      failLogin(server, i % 12 === 0 ? 'ann@example.com' : `${i}@example.com`, `192.0.2.${i % 2}`),
    )
    const elsewhere = failLogin(server, 'nobody@example.com', '198.51.100.1')
    for (const { status } of await Promise.all([...attempts, elsewhere])) assert.equal(status, 401)
    await server.restart()
    await failLogin(server, 'ann@example.com', '192.0.2.200')
    server.clock.advance(MINUTE)
    await failLogin(server, 'nobody@example.com', '192.0.2.1')
    const written = await rows(server)
    assert.deepEqual(written.map(({ type, count }) => `${type} ${count}`).sort(), [
      'user.login_failed 1',
      'user.login_failed 1',
      `user.login_failed ${FAILURES + 1}`,
    ])
    const [found] = (await server.auth.audit.list({ subject: id, type: 'user.login_failed' })).data
    assert.equal(found?.count, FAILURES + 1)
    assert.deepEqual(found?.repeats, {
      last: { time: server.clock.time - MINUTE, ip: '192.0.2.200', userAgent: '192.0.2.200' },
      subjects: { [id]: FAILURES / 12 + 1 },
      ips: { '192.0.2.0': FAILURES / 2, '192.0.2.1': FAILURES / 2, '192.0.2.200': 1 },
    })
    assert.equal(server.events.filter(({ type }) => type === 'user.login_failed').length, FAILURES + 3)
  })

  it('a thousand failed client authentications write one row per reason, in a few commits', async () => {
    let commits = 0
    await using own = await startOAuth({}, async (file) => {
      const store = sqliteStore(file)
      const transaction: typeof store.transaction = (unit) => {
        commits += 1
        return store.transaction(unit)
      }
      return Object.assign(Object.create(store), { transaction })
    })
    const { id } = await own.machine()
    commits = 0
    const fail = (client: string) =>
      own.auth.fetch(
        new Request(`${own.url}/oauth/token`, {
          method: 'POST',
          body: new URLSearchParams({ grant_type: 'client_credentials', client_id: client, client_secret: 'x' }),
        }),
        { address: '192.0.2.7' },
      )
    const replies = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => fail(i % 4 === 0 ? id : `cli_${String(i).padStart(22, 'A')}`)),
    )
    assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([401]))
    assert.deepEqual((await rows(own)).map(({ data, subject, count }) => [data?.reason, subject, count]).sort(), [
      ['unknown_client', undefined, 750],
      ['wrong_secret', id, 250],
    ])
    assert.ok(commits < 50, `${commits} commits`)
  })

  it('the subject of a row is the account attacked most, regardless of which were tried first', () => {
    const failed = (subject: string | undefined) => ({ type: 'user.login_failed', time: NOW, subject }) as const
    const row = { id: 1, subject: 'own-0', ip: null, count: 1, repeats: null }
    const own = Array.from({ length: 60 }, (_, i) => failed(`own-${i % 10}`))
    const before = { ...row, ...summarise(row, own) }
    const attack = Array.from({ length: 60 }, (_, i) => [failed('victim'), failed(`decoy-${i}`), failed(undefined)])
    const { subject, repeats } = summarise(before, attack.flat())
    assert.equal(subject, 'victim')
    assert.ok((repeats?.subjects.victim ?? 0) >= 60)
    assert.equal(Object.keys(repeats?.subjects ?? {}).length, 10)
    const tie = summarise(row, [failed('bob'), failed('own-0'), failed('bob'), failed('__proto__')])
    assert.deepEqual(
      [tie.subject, Object.entries(tie.repeats?.subjects ?? {})],
      [
        'own-0',
        [
          ['own-0', 2],
          ['bob', 2],
          ['__proto__', 1],
        ],
      ],
    )
  })

  it('an attacker with many IPv6 networks gets one row', () => {
    const bucket = (ip?: string) => findBucket({ type: 'user.login_failed', time: NOW, ip })
    assert.equal(bucket('2001:db8:1:1::1'), bucket('2001:db8:1:ffff::2'))
    assert.notEqual(bucket('2001:db8:1::1'), bucket('2001:db8:2::1'))
    assert.equal(bucket('192.0.2.1'), bucket('192.0.2.255'))
    assert.notEqual(bucket('192.0.2.1'), bucket('192.0.3.1'))
    assert.equal(bucket(), bucket('no address'))
    assert.equal(findBucket({ type: 'session.created', time: NOW, sessionId: 's' }), undefined)
  })

  it('rows older than auditRetention are purged', async (t) => {
    const timers = t.mock.method(globalThis, 'setInterval')
    await using server = await startAuth({ auditRetention: '2d' })
    const hourly = timers.mock.calls.filter((each) => each.arguments[1] === HOUR)
    await failLogin(server, 'nobody@example.com', '192.0.2.1')
    server.clock.advance(2 * DAY)
    await failLogin(server, 'nobody@example.com', '192.0.2.1')
    server.clock.advance(1)
    for (const { arguments: given } of hourly) {
      const [start, , job] = given as unknown[] as [(job: unknown) => void, number, unknown]
      start(job)
    }
    // Closing waits for running jobs.
    await server.restart()
    assert.deepEqual(
      (await rows(server)).map(({ time }) => time),
      [server.clock.time - 1],
    )
  })
})

for (const [name, open] of Object.entries(STORES)) {
  it(`fifty concurrent failed log-ins at two servers are all refused and all counted: ${name}`, async () => {
    await using opened = await open()
    const heard: AuditEvent[] = []
    const options = { issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET, now: () => NOW }
    const onEvent = (event: AuditEvent) => void heard.push(event)
    const first = await createAuth({ ...options, onEvent, store: opened.store })
    const second = await createAuth({ ...options, onEvent, store: await opened.another() })
    const { id } = await first.users.create({ email: 'ann@example.com', password: PASSWORD })
    const attempts = Array.from({ length: 50 }, (_, i) =>
      (i % 2 === 0 ? first : second).fetch(
        new Request('http://127.0.0.1:5000/login', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ email: 'ann@example.com', password: WRONG }),
        }),
        { address: '192.0.2.7' },
      ),
    )
    const replies = await Promise.all(attempts)
    const statuses = replies.map(({ status }) => status).sort()
    assert.deepEqual(statuses, [...Array(5).fill(401), ...Array(45).fill(429)])
    const { data } = await first.audit.list({ type: 'user.login_failed' })
    assert.deepEqual(
      data.map(({ subject, count, repeats }) => [subject, count, repeats?.subjects]),
      [[id, 5, { [id]: 5 }]],
    )
    const refused = (await first.audit.list({ type: 'throttle.refused' })).data
    assert.deepEqual(
      refused.map(({ count, data }) => [count, data]),
      [[45, { action: 'login', counter: 'caller' }]],
    )
    const heardOf = (type: string) => heard.filter((event) => event.type === type).length
    assert.deepEqual([heardOf('user.login_failed'), heardOf('throttle.refused')], [5, 45])
    await Promise.all([first.close(), second.close()])
  })
}
