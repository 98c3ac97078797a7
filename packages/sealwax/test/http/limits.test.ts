import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLimitedServer } from '../../src/cli/limits.ts'
import { type NodeHandler, toNodeHandler } from '../../src/http/node.ts'
import { type AuthServer, createAuth } from '../../src/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { makeCertificate } from '../cli/served.ts'
import { call, SECRET, tempDir } from '../server.ts'

const ISSUER = 'http://127.0.0.1:5000'
/** Tolerance for a busy machine. Without the limits it would take at least 30 s longer. */
const LATE = 12_000

const dir = tempDir()
let auth: AuthServer

before(async () => {
  const store = sqliteStore(join(dir.path, 'auth.db'))
  auth = await createAuth({ issuer: ISSUER, audience: 'api', secret: SECRET, store })
})
after(async () => {
  await auth.close()
  dir[Symbol.dispose]()
})

/**
 * Serves a handler like `serve` does, with the real limits. Only `timeout` can be shortened, so
 * that the tests do not take a minute.
 */
async function limited(
  handler: NodeHandler,
  {
    tls,
    timeout,
    keepAlive = 72_000,
  }: { tls?: { cert: Buffer; key: Buffer }; timeout?: number; keepAlive?: number } = {},
) {
  const server = createLimitedServer(handler, { tls, issuer: ISSUER, keepAlive })
  if (timeout !== undefined) {
    assert.equal(server.timeout, 30_000)
    server.timeout = timeout
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
  return { server, port, [Symbol.asyncDispose]: close }
}

/**
 * Sends `first`, then `more` every second. Returns how many milliseconds it took until the server
 * closed the connection, and what the server sent.
 */
async function trickle(port: number, first: string, more: string): Promise<{ took: number; said: string }> {
  const began = performance.now()
  let said = ''
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  socket.on('data', (chunk) => {
    said += chunk
  })
  socket.on('error', () => {})
  socket.write(first)
  const sending = setInterval(() => socket.write(more), 1000)
  await new Promise((closed) => socket.once('close', closed))
  clearInterval(sending)
  return { took: performance.now() - began, said }
}

function assertAbout(took: number, milliseconds: number): void {
  assert.ok(took > milliseconds - 1500 && took < milliseconds + LATE, `after ${Math.round(took)} ms`)
}

async function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => server.getConnections((error, n) => (error ? reject(error) : resolve(n))))
}

/** Waits at most 30 s until the server has no connections. Returns the milliseconds it took. */
async function untilEmpty(server: Server): Promise<number> {
  const began = performance.now()
  while ((await connectionsOf(server)) > 0 && performance.now() - began < 30_000) await sleep(100)
  return performance.now() - began
}

describe('the limits of serve', { concurrency: true }, () => {
  it('attack: a connection with an endless request head is closed after 10 s, not 40 s', async () => {
    await using served = await limited(toNodeHandler(auth))
    const { took, said } = await trickle(served.port, 'GET /me HTTP/1.1\r\nHost: x\r\n', 'X: x\r\n')
    assertAbout(took, 10_000)
    assert.match(said, /^HTTP\/1\.1 408 /)
  })

  it('attack: a connection with an endless request body is closed after 15 s, not 45 s', async () => {
    await using served = await limited(toNodeHandler(auth))
    const head = 'POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{'
    assertAbout((await trickle(served.port, head, ' ')).took, 15_000)
  })

  it('attack: a connection that sends nothing is closed after 10 s, with and without TLS', async () => {
    await using plain = await limited(toNodeHandler(auth))
    const files = makeCertificate(dir.path, 'silent')
    const tls = { cert: readFileSync(files.cert), key: readFileSync(files.key) }
    await using secure = await limited(toNodeHandler(auth), { tls })
    const silent = [connect(plain.port, '127.0.0.1'), connect(secure.port, '127.0.0.1')]
    const ended = silent.map(async (socket) => {
      socket.on('error', () => {}).resume()
      const began = performance.now()
      await new Promise((closed) => socket.once('close', closed))
      return performance.now() - began
    })
    for (const took of await Promise.all(ended)) assertAbout(took, 10_000)
  })

  it('attack: a client that sends requests and never reads is disconnected within twice the timeout', async () => {
    await using served = await limited((_request, response) => void response.end(Buffer.alloc(1024 * 1024)), {
      timeout: 5000,
    })
    const socket: Socket = connect(served.port, '127.0.0.1').pause()
    socket.on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100))
    await sleep(1000)
    assert.equal(await connectionsOf(served.server), 1)
    // At a timeout, Node closes the connection only if no data was written since the last one.
    const took = await untilEmpty(served.server)
    socket.destroy()
    assert.ok(took > 3000 && took < 10_000 + LATE, `after ${took} ms`)
  })

  it('a slow reader gets the whole response, even if it takes longer than the timeout', async () => {
    const size = 48 * 1024 * 1024
    await using served = await limited((_request, response) => void response.end(Buffer.alloc(size)), { timeout: 5000 })
    const socket = connect(served.port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    let read = 0
    for (let i = 0; i < 8; i += 1) {
      for (let some = 0; some < 2 * 1024 * 1024; ) {
        const chunk: Buffer | null = socket.read()
        if (chunk === null) await once(socket, 'readable')
        else some += chunk.length
        read += chunk?.length ?? 0
      }
      await sleep(1500)
    }
    read += (await buffer(socket)).length
    assert.ok(read > size, `${read} of ${size}`)
  })

  it('a guard that waits for the feed gets a response after 25 s', async () => {
    await using served = await limited(toNodeHandler(auth))
    const url = `http://127.0.0.1:${served.port}`
    const { cursor } = JSON.parse((await call(url, '/.well-known/revocations')).text)
    const began = performance.now()
    const reply = await call(url, `/.well-known/revocations?after=${cursor}`, { headers: { Prefer: 'wait=25' } })
    assert.deepEqual([reply.status, JSON.parse(reply.text).entries], [200, []])
    assertAbout(performance.now() - began, 25_000)
  })
})
