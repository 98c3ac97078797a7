import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type AuthServer, createAuth } from 'sealwax'
import { toNodeHandler } from 'sealwax/node'
import { sqliteStore } from 'sealwax/sqlite'

const AUDIENCE = 'flask-service'
const ALEX = { email: 'alex@example.com', password: 'a password nobody guesses' }
const HOUR = 3_600_000

/** The interpreter of the system has Debian's packages, also where another one comes first. */
const python = [process.env.PYTHON ?? 'python3', '/usr/bin/python3'].find(
  (path) => spawnSync(path, ['-c', 'import flask, cryptography, jwt; jwt.PyJWKClient']).status === 0,
)
const missing =
  'python3 cannot import flask, jwt and cryptography (Debian: apt-get install python3-flask python3-jwt python3-cryptography)'

if (python === undefined) {
  it('Flask service', { skip: `SKIPPED: ${missing}` }, () => assert.fail(missing))
} else {
  describe('Flask service', () => suite(python))
}

function suite(interpreter: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'sealwax-flask-'))
  let flask: ChildProcess | undefined
  let url = ''
  let printed = ''
  let issuer = ''
  let server: Server | undefined
  let auth: AuthServer
  let ago = 0

  /** Servers with the same keys, as several processes of one installation are. */
  const open = (audience: string) =>
    createAuth({
      issuer,
      audience,
      secret: 'test value: 5f0c2a7e9b4d1836c0a1f2e3d4b5968778695a4b3c2d1e0f',
      store: sqliteStore(join(folder, 'auth.db')),
      now: () => Date.now() - ago,
    })

  const profile = async (token?: string, path = '/profile') => {
    const headers: HeadersInit = token === undefined ? {} : { Authorization: `Bearer ${token}` }
    const reply = await fetch(url + path, { headers })
    return { status: reply.status, headers: reply.headers, body: await reply.json() }
  }
  const refusedAs = async (code: string, token?: string) => {
    const { status, headers, body } = await profile(token)
    assert.deepEqual([status, body.code], [401, code], printed)
    assert.match(headers.get('WWW-Authenticate') ?? '', /^Bearer realm="api"/)
  }
  const logIn = async () => {
    const headers = { 'Content-Type': 'application/json' }
    const reply = await fetch(`${issuer}/login`, { method: 'POST', headers, body: JSON.stringify(ALEX) })
    assert.equal(reply.status, 200)
    return (await reply.json()) as { access_token: string; refresh_token: string }
  }

  before(async () => {
    const [own, port] = [await freePort(), await freePort()]
    issuer = `http://127.0.0.1:${port}`
    url = `http://127.0.0.1:${own}`
    const env = { ...process.env, ISSUER: issuer, AUDIENCE, PORT: String(own) }
    flask = spawn(interpreter, [join(import.meta.dirname, '../app.py')], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const note = (chunk: Buffer) => {
      printed += chunk
    }
    for (const stream of [flask.stdout, flask.stderr]) stream?.on('data', note)
    while (!(await fetch(url).then(Boolean, () => false))) {
      if (flask.exitCode !== null) throw new Error(`app.py ended:\n${printed}`)
      await delay(50)
    }
  })
  after(async () => {
    flask?.kill('SIGKILL')
    server?.close()
    server?.closeAllConnections()
    await auth?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('replies 503 while the auth server has not started, and accepts tokens when it has', async () => {
    ago = HOUR // its first key is an hour old, as are the tokens that it makes now
    auth = await open(AUDIENCE)
    await auth.users.create({ id: 'user-123', ...ALEX })
    const old = await auth.sessions.create({ subject: 'user-123' })

    const early = await profile(old.access_token)
    assert.deepEqual([early.status, early.body.code], [503, 'keys_unavailable'])
    assert.equal(early.headers.get('Retry-After'), '1')

    server = createServer(toNodeHandler(auth)).listen(Number(new URL(issuer).port), '127.0.0.1')
    await once(server, 'listening')
    await delay(1100)
    await refusedAs('token_expired', old.access_token)

    ago = 0
    const { access_token } = await logIn()
    const { status, body } = await profile(access_token)
    assert.deepEqual([status, body], [200, { user_id: 'user-123' }])
  })

  it('refuses a request without a token, and one with another scheme', async () => {
    await refusedAs('token_missing')
    const reply = await fetch(`${url}/profile`, { headers: { Authorization: 'Basic YTpi' } })
    assert.equal(reply.status, 401)
  })

  it('refuses a token of the same keys for another audience', async () => {
    const other = await open('another-service')
    try {
      const { access_token } = await other.sessions.create({ subject: 'user-123' })
      await refusedAs('token_audience_invalid', access_token)
    } finally {
      await other.close()
    }
  })

  it('refuses a refresh token', async () => {
    await refusedAs('token_malformed', (await logIn()).refresh_token)
  })

  it('refuses tokens that were altered or forged', async () => {
    const { access_token } = await logIn()
    const [head = '', body = '', signature = ''] = access_token.split('.')
    const header = JSON.parse(decode(head))
    const claims = JSON.parse(decode(body))
    const asTeacher = encode({ ...claims, roles: ['teacher'] })
    await refusedAs('token_signature_invalid', `${head}.${asTeacher}.${signature}`)
    await refusedAs('token_signature_invalid', `${head}.${body}.${Buffer.alloc(64, 1).toString('base64url')}`)
    await refusedAs('token_type_invalid', `${encode({ ...header, typ: 'JWT' })}.${body}.${signature}`)
    await refusedAs('token_key_unknown', `${encode({ ...header, kid: 'other' })}.${body}.${signature}`)
    await refusedAs('token_malformed', `${access_token}.${signature}`)

    const none = `${encode({ ...header, alg: 'none' })}.${asTeacher}.`
    await refusedAs('token_algorithm_not_allowed', none)
    const unsigned = `${encode({ ...header, alg: 'HS256' })}.${asTeacher}`
    const jwks = (await (await fetch(`${issuer}/.well-known/jwks.json`)).json()) as { keys: { x: string }[] }
    const mac = createHmac('sha256', jwks.keys[0]?.x ?? '').update(unsigned)
    await refusedAs('token_algorithm_not_allowed', `${unsigned}.${mac.digest('base64url')}`)
  })

  it('checks the role of a route', async () => {
    const without = await profile((await logIn()).access_token, '/reports')
    assert.deepEqual([without.status, without.body.code], [403, 'insufficient_role'])
    await auth.users.setRoles('user-123', ['teacher'])
    assert.equal((await profile((await logIn()).access_token, '/reports')).status, 200)
  })

  it('asks for the keys at most once in 30 seconds, whatever the kids of tokens are', async () => {
    const requests: string[] = []
    server?.on('request', ({ url: path = '' }) => requests.push(path))
    const [head = '', ...rest] = (await logIn()).access_token.split('.')
    const header = JSON.parse(decode(head))
    for (let n = 0; n < 20; n += 1) {
      await refusedAs('token_key_unknown', [encode({ ...header, kid: `invented-${n}` }), ...rest].join('.'))
    }
    assert.ok(requests.filter((path) => path.endsWith('/jwks.json')).length <= 1, requests.join(' '))
  })

  it('goes on with the keys that it has when the auth server is gone', async () => {
    const { access_token } = await logIn()
    server?.close()
    server?.closeAllConnections()
    assert.equal((await profile(access_token)).status, 200)
  })
}

const decode = (part: string) => Buffer.from(part, 'base64url').toString()
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
