import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import postgresClient from 'postgres'
import { features } from '../../src/features.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { startPostgres } from '../postgres.ts'
import { call, SECRET } from '../server.ts'
import { type LogLine, startServed } from './served.ts'

const BIN = join(import.meta.dirname, '../../bin/sealwax.js')
/** The documented limit of 2 s, plus 1 s for a busy machine. */
const SOON = 2000 + 1000

/** Opens a connection and sends something over it, but never reads from it. */
async function silent(port: number, bytes: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').pause()
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(bytes)
  return socket
}

test('SIGTERM: guards that wait for the feed get a response, and slow or idle clients do not delay the exit', async () => {
  await using served = await startServed()
  const { url, port } = served
  const { cursor } = JSON.parse((await call(url, '/.well-known/revocations')).text)
  const waiting = [1, 2, 3].map(() =>
    call(url, `/.well-known/revocations?after=${cursor}`, { headers: { Prefer: 'wait=25' } }),
  )
  const agent = new Agent({ keepAlive: true })
  await once(request({ agent, port, host: '127.0.0.1', path: '/healthz' }).end(), 'response')
  const page = 'GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'
  const sockets = [
    await silent(port, page.repeat(200)),
    await silent(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\n'),
    await silent(
      port,
      'POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
    ),
    await silent(port, ''),
  ]
  await sleep(500)
  const began = performance.now()
  served.signal('SIGTERM')
  for (const reply of await Promise.all(waiting)) {
    assert.deepEqual([reply.status, JSON.parse(reply.text).entries], [200, []])
    assert.equal(reply.headers.get('Connection'), 'close', 'the connection is not reused')
  }
  assert.ok(performance.now() - began < 1000, 'guards get their response immediately')
  assert.deepEqual(await served.ended, { code: 0, signal: null })
  const took = performance.now() - began
  assert.ok(took < SOON, `${took} ms`)
  for (const socket of sockets) socket.destroy()
  agent.destroy()
})

test('SIGTERM as PID 1, where signals have no default action, ends a start that waits for another server to migrate', {
  skip: process.getuid?.() !== 0 && 'only root can create a PID namespace',
}, async () => {
  const postgres = await startPostgres()
  try {
    const url = await postgres.createDatabase()
    const sql = postgresClient(url, { max: 1, onnotice() {} })
    await sql`select pg_advisory_lock(hashtext('sealwax migrations'))`
    const child = spawn('unshare', ['--pid', '--fork', '--kill-child', process.execPath, BIN, 'serve'], {
      env: {
        ...{ PATH: process.env.PATH ?? '', SEALWAX_ISSUER: 'https://auth.example.com', SEALWAX_AUDIENCE: 'api' },
        ...{ SEALWAX_SECRET: SECRET, SEALWAX_PORT: '0', SEALWAX_DATABASE_URL: url },
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'exit')
    const lines: LogLine[] = []
    for await (const text of createInterface(child.stdout)) {
      const line: LogLine = JSON.parse(text)
      lines.push(line)
      if (!line.msg.startsWith('waiting for the database')) continue
      process.kill(Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')), 'SIGTERM')
      lines.push({ ...line, msg: 'signalled' })
    }
    assert.deepEqual((await ended)[0], 0)
    assert.deepEqual(
      lines.slice(-3).map(({ msg }) => msg),
      ['signalled', 'shutting down', 'stopped'],
    )
    await sql.end()
  } finally {
    await postgres.remove()
  }
})

test('a start waits for its database, logs its address and the cause without the password, and then listens', async () => {
  const postgres = await startPostgres()
  try {
    const url = new URL(await postgres.createDatabase())
    url.password = 'hunter2-of-the-database'
    await postgres.stop()
    const starting = async (lines: LogLine[]) => {
      const waits = () => lines.find(({ msg }) => msg.startsWith('waiting: '))?.msg
      while (waits() === undefined) await sleep(50)
      assert.match(waits() ?? '', /the connection was refused/)
      assert.ok(waits()?.includes(`"${url.pathname.slice(1)}" at ${url.host}`))
      await postgres.start()
    }
    await using served = await startServed({ SEALWAX_DATABASE_URL: url.href }, { starting })
    assert.equal((await call(served.url, '/readyz')).status, 200)
    assert.ok(!JSON.stringify(served.lines).includes('hunter2'))
  } finally {
    await postgres.remove()
  }
})

test('the error names the cause of an unreachable database: unknown host, nothing listening, closed connection', async () => {
  const hangsUp = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  hangsUp.unref()
  await once(hangsUp, 'listening')
  const { port } = hangsUp.address() as AddressInfo
  for (const [where, reason] of [
    ['no-such-host.invalid:5432', /the host name (is unknown|cannot be looked up now)/],
    ['127.0.0.1:1', /the connection was refused: nothing listens there/],
    [`127.0.0.1:${port}`, /the connection was closed/],
  ] as const) {
    await assert.rejects(
      postgresStore(`postgres://bertha:hunter2@${where}/auth`).open({ features, migrate: 'auto' }),
      (error: Error) => {
        assert.ok(error.message.startsWith(`The database "auth" at ${where} cannot be used: `), error.message)
        assert.match(error.message, reason)
        assert.doesNotMatch(error.message, /bertha|hunter2/)
        return true
      },
    )
  }
  hangsUp.close()
})

test('attack: 400 half-open requests with 256 file descriptors do not block other clients', async () => {
  await using served = await startServed({}, { through: ['sh', '-c', 'ulimit -n 256; exec "$0" "$@"'] })
  const sockets: Socket[] = []
  for (let i = 0; i < 400; i += 1) {
    const body =
      i % 2 === 0
        ? 'GET /me HTTP/1.1\r\nHost: x\r\n'
        : 'POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{'
    sockets.push(await silent(served.port, body))
  }
  for (let i = 0; i < 5; i += 1) {
    assert.equal((await call(served.url, '/readyz', { headers: { Connection: 'close' } })).status, 200)
  }
  for (const socket of sockets) socket.destroy()
})
