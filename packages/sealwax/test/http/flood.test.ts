import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { PASSWORD, SECRET, tempDir } from '../server.ts'

const BIN = join(import.meta.dirname, '../../bin/sealwax.js')
const EMAIL = 'ann@example.com'
const SERVED_WITHIN_MS = 2000

/**
 * Where other programs want the cores, too, one check may take a second: then a log-in waits no
 * longer than for so many checks.
 */
const SERVED_WITHIN_CHECKS = 10

const directory = tempDir()
const environment = {
  PATH: process.env.PATH ?? '',
  SEALWAX_ISSUER: 'https://auth.example.com',
  SEALWAX_AUDIENCE: 'https://api.example.com',
  SEALWAX_SECRET: SECRET,
  SEALWAX_DATABASE_URL: `sqlite:${join(directory.path, 'auth.db')}`,
  SEALWAX_PORT: '0',
}
let server: ChildProcess
let port: number

before(async () => {
  const create = [BIN, 'users', 'create', '--email', EMAIL]
  execFileSync(process.execPath, create, { env: environment, input: `${PASSWORD}\n`, stdio: 'pipe' })
  server = spawn(process.execPath, [BIN, 'serve'], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: server.stdout as NonNullable<ChildProcess['stdout']> })
  const url = new Promise<string>((found) => {
    lines.on('line', (line) => line.includes('"msg":"listening"') && found(JSON.parse(line).url))
  })
  port = Number(new URL(await url).port)
})

after(async () => {
  const ended = once(server, 'exit')
  server.kill('SIGKILL')
  await ended
  directory[Symbol.dispose]()
})

/** Connections that send a log-in again as soon as the last one was answered. */
async function flood(connections: number, addresses: readonly string[]) {
  const statuses: Record<string, number> = {}
  let accounts = 0
  // Each guesses at another account, so that only the limits of its network refuse it.
  const login = () => {
    accounts += 1
    const body = JSON.stringify({ email: `user-${accounts}@example.com`, password: 'a wrong password' })
    const head = `POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
    return `${head}\r\n\r\n${body}`
  }
  const opening = Array.from({ length: connections }, async (_, i) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: addresses[i % addresses.length] as string })
    // Node takes one new connection in each turn of its event loop: all are open before the first
    // log-in.
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'data')
    return socket
  })
  const sockets: Socket[] = await Promise.all(opening)
  const full = new Promise<void>((found) => {
    for (const socket of sockets) {
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        const [status] = /(?<=^HTTP\/1\.1 )\d+/.exec(chunk.toString('latin1')) ?? []
        if (status === undefined) return
        statuses[status] = (statuses[status] ?? 0) + 1
        if (status === '503' || status === '429') found()
        socket.write(login())
      })
      socket.write(login())
    }
  })
  await full
  return {
    statuses,
    open: () => sockets.filter(({ readyState }) => readyState === 'open').length,
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** A log-in over a connection of its own, and how long it took. */
async function login(localAddress: string): Promise<[status: number, ms: number]> {
  const started = performance.now()
  const body = JSON.stringify({ email: EMAIL, password: PASSWORD })
  const headers = { 'Content-Type': 'application/json' }
  const sent = request({ host: '127.0.0.1', port, path: '/login', method: 'POST', localAddress, headers, agent: false })
  sent.end(body)
  const [reply] = await once(sent, 'response')
  reply.resume()
  await once(reply, 'end')
  return [reply.statusCode, Math.round(performance.now() - started)]
}

describe('attack: sealwax serve, flooded with log-ins', () => {
  const floods: [name: string, connections: number, addresses: string[]][] = [
    ['two hundred connections of one address', 200, ['127.0.1.1']],
    ['four hundred connections from three networks', 400, ['127.0.1.1', '127.0.2.1', '127.0.3.1', '127.0.3.2']],
  ]
  for (const [name, connections, addresses] of floods) {
    it(`serves another network's log-ins within two seconds under ${name}`, async (t) => {
      using hostile = await flood(connections, addresses)
      const served: [number, number][] = []
      const started = performance.now()
      for (let i = 1; i <= 10; i += 1) served.push(await login('127.0.4.1'))
      const pace = (performance.now() - started) / (served.length + (hostile.statuses[401] ?? 0))
      const limit = Math.max(SERVED_WITHIN_MS, SERVED_WITHIN_CHECKS * pace)
      const times = served.map(([, ms]) => ms).join(' ')
      t.diagnostic(`${JSON.stringify(hostile.statuses)}; a check in ${Math.round(pace)} ms; served after ${times} ms`)
      assert.deepEqual(
        served.filter(([status, ms]) => status !== 200 || ms > limit),
        [],
      )
      assert.equal(hostile.open(), connections)
      const { 429: throttled = 0, 503: overloaded = 0 } = hostile.statuses
      assert.ok(throttled + overloaded > connections, 'there was a flood')
    })
  }
})
