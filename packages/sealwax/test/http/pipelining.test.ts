import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { toNodeHandler } from '../../src/http/node.ts'
import type { AuthServer } from '../../src/index.ts'
import { listen, sendRaw, startAuth } from '../server.ts'

const REQUESTS = 1000
const requests = (last: string) =>
  'GET /openapi HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(REQUESTS) +
  `GET ${last} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`

test('attack: a client that sends a thousand requests and never reads does not cause a thousand buffered responses', async () => {
  await using started = await startAuth()
  let made = 0
  const counting: AuthServer = {
    ...started.auth,
    fetch(...request) {
      made += 1
      return started.auth.fetch(...request)
    },
  }
  await using served = await listen(toNodeHandler(counting))
  const socket = connect(served.port, '127.0.0.1').pause()
  socket.write(requests('/me'))
  for (let before = -1; before < made || made === 0; await sleep(500)) before = made
  // Only as many responses as fit into the socket buffers of the kernel.
  assert.ok(made < REQUESTS / 2, `${made} responses`)
  socket.destroy()
})

test('pipelined requests on one connection are handled in order, one at a time, each in its own async context', async () => {
  const context = new AsyncLocalStorage<string>()
  await using started = await startAuth()
  let inside = 0
  const seen: [inside: number, path: string | undefined, context: string | undefined][] = []
  const watching: AuthServer = {
    ...started.auth,
    async fetch(request, platform) {
      inside += 1
      seen.push([inside, new URL(request.url).pathname, context.getStore()])
      const response = await started.auth.fetch(request, platform)
      inside -= 1
      return response
    },
  }
  const handler = toNodeHandler(watching)
  await using served = await listen((request, response) =>
    context.run(request.url ?? '', () => handler(request, response)),
  )
  const paths = ['/healthz', '/me', '/readyz', '/sessions', '/healthz']
  const body = (path: string, i: number) =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\n${i === paths.length - 1 ? 'Connection: close\r\n' : ''}\r\n`
  const replies = await sendRaw(served.port, paths.map(body).join(''))
  assert.deepEqual(
    [...replies.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status)),
    [200, 401, 200, 401, 200],
  )
  assert.deepEqual(
    seen,
    paths.map((path) => [1, path, path]),
  )
})
