import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { ADA, GRACE } from '../../src/learn/demo.ts'
import { startLesson } from '../../src/learn/server.ts'

const lesson = await startLesson(0)
after(() => lesson.close())
const { origin, port } = new URL(lesson.url)

interface Asked {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly json?: unknown
  readonly agent?: Agent
}

/** Not `fetch`, which does not allow another Host. */
async function ask(path: string, { method = 'GET', headers = {}, json, agent }: Asked = {}) {
  const outgoing = request(`${origin}${path}`, {
    ...{ method, agent },
    headers: { ...(json !== undefined && { 'Content-Type': 'application/json' }), ...headers },
  })
  outgoing.end(json === undefined ? undefined : JSON.stringify(json))
  const [response] = await once(outgoing, 'response')
  const body = await text(response)
  const isJson = /json/.test(response.headers['content-type'] ?? '')
  return { status: response.statusCode as number, headers: response.headers, body: isJson ? JSON.parse(body) : body }
}

async function tokenOf({ email, password }: typeof ADA, base = ''): Promise<string> {
  const { status, body } = await ask(`${base}/login`, { method: 'POST', json: { email, password } })
  assert.equal(status, 200)
  return body.access_token
}

const bearing = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } })

test('lesson: the page, the printed page and all files they name are served', async () => {
  assert.equal((await ask('/')).headers.location, '/learn')
  for (const [path, base] of [
    ['/learn', '/'],
    ['/learn/text', '/learn/'],
  ] as const) {
    const page = await ask(path)
    assert.equal(page.status, 200)
    assert.match(String(page.headers['content-security-policy']), /^default-src 'none'; (?!.*unsafe)/)
    const named = [...String(page.body).matchAll(/(?:src|href)="([^"#:]+\.(?:js|css))"/g)].map((match) => match[1])
    assert.ok(named.length > 0)
    for (const name of named) assert.equal((await ask(new URL(name as string, origin + base).pathname)).status, 200)
  }
})

test('lesson: the printed page contains no script', async () => {
  assert.doesNotMatch(String((await ask('/learn/text')).body), /<script|javascript:/i)
})

test('lesson: a request for another host or port is refused, whatever it asks for', async () => {
  for (const host of [
    'rebound.example.com',
    `rebound.example.com:${port}`,
    '127.0.0.1',
    '127.0.0.1:1',
    `[::1]:${port}`,
  ]) {
    for (const path of ['/learn', '/learn/api/demo', '/login', '/.well-known/jwks.json', '/assets/none.js']) {
      const { status, body } = await ask(path, { headers: { Host: host } })
      assert.deepEqual([status, body], [421, `This server answers only to ${origin}\n`], `${host} ${path}`)
    }
  }
})

test('lesson: under the name localhost its pages lead to 127.0.0.1', async () => {
  for (const path of ['/learn', '/learn/text']) {
    const { status, headers } = await ask(path, { headers: { Host: `localhost:${port}` } })
    assert.deepEqual([status, headers.location], [302, `${origin}${path}`])
  }
})

test('lesson: the profile is refused without a token and with a changed one, and served with one', async () => {
  assert.equal((await ask('/learn/api/profile')).status, 401)
  const token = await tokenOf(ADA)
  const { status, body } = await ask('/learn/api/profile', bearing(token))
  assert.deepEqual([status, body.user, body.roles], [200, 'ada', ['student']])
  const [header, payload, signature] = token.split('.') as [string, string, string]
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'grace' })).toString('base64url')
  const refused = await ask('/learn/api/profile', bearing(`${header}.${changed}.${signature}`))
  assert.deepEqual([refused.status, refused.body.code], [401, 'token_signature_invalid'])
})

test('lesson: the grades are for teachers', async () => {
  assert.equal((await ask('/learn/api/grades', bearing(await tokenOf(ADA)))).status, 403)
  assert.equal((await ask('/learn/api/grades', bearing(await tokenOf(GRACE)))).status, 200)
})

test('lesson: the second service accepts a token until its session has ended', async () => {
  const token = await tokenOf(ADA)
  assert.equal((await ask('/learn/api/second-service', bearing(token))).status, 200)
  assert.equal((await ask('/logout', { method: 'POST', ...bearing(token) })).status, 204)
  const deadline = performance.now() + 5000
  let status = 200
  while (status === 200 && performance.now() < deadline) {
    status = (await ask('/learn/api/second-service', bearing(token))).status
  }
  assert.equal(status, 401)
})

test('lesson: tokens of the second issuer are valid for ten seconds, and only there', async () => {
  const token = await tokenOf(ADA, '/brief')
  const { iss, iat, exp } = JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString())
  assert.deepEqual([iss, exp - iat], [`${origin}/brief`, 10])
  assert.equal((await ask('/learn/api/brief', bearing(token))).status, 200)
  assert.equal((await ask('/learn/api/profile', bearing(token))).status, 401)
})

test('lesson: a guard that tolerates 30 seconds accepts an expired token for so long', async (t) => {
  const token = await tokenOf(ADA, '/brief')
  const statusesAfter = async (seconds: number) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + seconds * 1000 })
    const replies = [
      await ask('/learn/api/brief', bearing(token)),
      await ask('/learn/api/brief-tolerant', bearing(token)),
    ]
    t.mock.timers.reset()
    return replies.map(({ status }) => status)
  }
  assert.deepEqual(await statusesAfter(5), [200, 200])
  assert.deepEqual(await statusesAfter(15), [401, 200])
  assert.deepEqual(await statusesAfter(45), [401, 401])
})

test('lesson: its cookies do not replace those of another installation on this computer', async () => {
  const { email, password } = ADA
  for (const base of ['', '/brief']) {
    const { headers } = await ask(`${base}/login`, { method: 'POST', json: { email, password, mode: 'cookie' } })
    const [cookie = ''] = headers['set-cookie'] ?? []
    assert.match(cookie, base === '' ? /^lesson=/ : /^lesson-brief=/)
  }
})

test('lesson: the audit log shows what happened, newest first, and contains no token', async () => {
  const token = await tokenOf(GRACE)
  const { body } = await ask('/learn/api/events')
  assert.equal(body.data[0].type, 'session.created')
  assert.ok(!JSON.stringify(body).includes(token))
})

test('lesson: a request that arrives before it is open gets its reply', async () => {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port: early } = free.address() as AddressInfo
  await new Promise((resolve) => free.close(resolve))
  let isOpen = false
  const starting = startLesson(early).then((started) => {
    isOpen = true
    return started
  })
  const socket = await connectWhenListening(early)
  const wasOpen = isOpen
  socket.write(`GET /learn/api/demo HTTP/1.1\r\nHost: 127.0.0.1:${early}\r\nConnection: close\r\n\r\n`)
  const reply = await text(socket)
  await (await starting).close()
  assert.equal(wasOpen, false, 'the request came too late to test anything')
  assert.match(reply, /^HTTP\/1\.1 200 /)
})

async function connectWhenListening(target: number) {
  for (;;) {
    const socket = connect(target, '127.0.0.1')
    const [outcome] = await Promise.race([once(socket, 'connect').then(() => ['connected']), once(socket, 'error')])
    if (outcome === 'connected') return socket
  }
}

test('lesson: closing does not wait for idle connections', async () => {
  const other = await startLesson(0)
  const agent = new Agent({ keepAlive: true })
  const socket = connect(Number(new URL(other.url).port), '127.0.0.1')
  await once(socket, 'connect')
  const before = performance.now()
  await other.close()
  assert.ok(performance.now() - before < 1000)
  agent.destroy()
  socket.destroy()
})
