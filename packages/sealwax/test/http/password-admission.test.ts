import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import { type NodeHandler, type NodeRequest, toNodeHandler } from '../../src/http/node.ts'
import type { AuthServer } from '../../src/index.ts'
import { call, listen, startAuth } from '../server.ts'

const nextTurn = () => new Promise((turn) => setImmediate(turn))

/**
 * Holds requests until all have arrived, and then handles them in one turn of the event loop.
 */
async function atOnce(
  count: number,
  path: string,
  handle: (request: NodeRequest, response: ServerResponse) => void,
): Promise<number[]> {
  const held: (() => void)[] = []
  await using app = await listen((request, response) => {
    held.push(() => handle(request, response))
    if (held.length === count) for (const go of held) go()
  })
  const calls = Array.from({ length: count }, (_, i) =>
    call(app.url, path, { json: {}, headers: { 'X-Request-Id': `request-${i}` } }),
  )
  return (await Promise.all(calls)).map(({ status }) => status)
}

/**
 * Sends forty requests at once, the last one forwarded for another address than all others.
 * @returns the request id of the last one
 */
async function lastOfForty(handler: NodeHandler): Promise<string> {
  let handled = 0
  let last = ''
  await atOnce(40, '/register', (request, response) => {
    handled += 1
    request.headers['x-forwarded-for'] = handled < 40 ? '203.0.113.9' : '198.51.100.7'
    last = request.headers['x-request-id'] as string
    handler(request, response)
  })
  return last
}

describe('toNodeHandler, when log-ins arrive together', () => {
  it('an app with its own fetch and handles around the server does not change the order', async () => {
    await using started = await startAuth({ trustProxy: 1 })
    const { auth } = started
    const answered: (string | null)[] = []
    const around: Pick<AuthServer, 'fetch' | 'handles'> = {
      handles: (path) => auth.handles(path),
      async fetch(request, platform) {
        const reply = await auth.fetch(request, platform)
        answered.push(request.headers.get('X-Request-Id'))
        return reply
      },
    }
    const last = await lastOfForty(toNodeHandler(around))
    const found = answered.indexOf(last)
    assert.ok(found >= 0 && found < 24, `${found}`)
  })

  for (const [trustProxy, position] of [
    [1, 'before most of the others'],
    [0, 'last'],
  ] as const) {
    it(`with trustProxy ${trustProxy}, the last one, forwarded for another address than all others, starts ${position}`, async () => {
      const started: unknown[] = []
      const info = (fields: object, message?: string) => {
        if (message === 'request') started.push((fields as { caller_request_id: string }).caller_request_id)
      }
      await using server = await startAuth({ trustProxy, logger: { debug() {}, info, warn() {}, error() {} } })
      const last = await lastOfForty(toNodeHandler(server.auth))
      const found = started.indexOf(last)
      assert.ok(trustProxy === 1 ? found < 24 : found > 31, `${found}`)
    })
  }

  it('a request whose connection has ended before its turn is not handled', async () => {
    await using started = await startAuth()
    let handled = 0
    const counting: Pick<AuthServer, 'fetch' | 'handles' | 'admit'> = {
      ...started.auth,
      fetch(...request) {
        handled += 1
        return started.auth.fetch(...request)
      },
    }
    const handler = toNodeHandler(counting)
    await using app = await listen((request, response) => {
      handler(request, response)
      if (request.headers['x-request-id'] === 'ends') request.socket.destroy()
    })
    await assert.rejects(call(app.url, '/login', { json: {}, headers: { 'X-Request-Id': 'ends' } }))
    assert.equal((await call(app.url, '/login', { json: {}, headers: { 'X-Request-Id': 'stays' } })).status, 422)
    assert.equal(handled, 1)
  })

  it('handles each request in its own async context', async () => {
    const context = new AsyncLocalStorage<string>()
    const seen: [unknown, unknown][] = []
    const info = (fields: object, message?: string) => {
      if (message === 'request')
        seen.push([(fields as { caller_request_id: string }).caller_request_id, context.getStore()])
    }
    await using started = await startAuth({ logger: { debug() {}, info, warn() {}, error() {} } })
    const handler = toNodeHandler(started.auth)
    await atOnce(20, '/login', (request, response) =>
      context.run(request.headers['x-request-id'] as string, () => handler(request, response)),
    )
    assert.equal(seen.length, 20)
    for (const [own, found] of seen) assert.equal(found, own)
  })

  it('uses the path that the request had when it was called, even if it changes later', async () => {
    await using started = await startAuth()
    const handler = toNodeHandler(started.auth)
    const later: (string | undefined)[] = []
    const statuses = await atOnce(20, '/mounted/login', (request, response) => {
      const { url } = request
      request.url = '/login'
      handler(request, response)
      request.url = url
      response.on('finish', () => later.push(request.url))
    })
    assert.deepEqual([...new Set(statuses)], [422])
    assert.deepEqual([...new Set(later)], ['/mounted/login'])
  })
})

describe('fetch, when log-ins arrive together', () => {
  it('starts one of another network in the next turn of the event loop', async () => {
    await using started = await startAuth()
    const answered: string[] = []
    const send = async (name: string, address: string) => {
      const headers = { 'Content-Type': 'application/json' }
      const request = new Request('http://127.0.0.1:5000/register', { method: 'POST', headers, body: '{}' })
      assert.equal((await started.auth.fetch(request, { address })).status, 422)
      answered.push(name)
    }
    const flood = Array.from({ length: 100 }, (_, i) => send('flood', `2001:db8:1:${i}::1`))
    await Promise.all([...flood, send('other', '2001:db8:2::1')])
    assert.ok(answered.indexOf('other') < 32, `${answered.indexOf('other')}`)
  })

  for (const basePath of ['', '/auth']) {
    it(`reads the bodies of two in a turn of the event loop, under the base path "${basePath}"`, async () => {
      await using started = await startAuth({ basePath })
      let read = 0
      const bodyOf = () =>
        new ReadableStream(
          {
            pull(controller) {
              read += 1
              controller.close()
            },
          },
          { highWaterMark: 0 },
        )
      const replies = Array.from({ length: 20 }, () =>
        started.auth.fetch(
          new Request(`http://127.0.0.1:5000${basePath}/register`, {
            ...{ method: 'POST', headers: { 'Content-Type': 'application/json' } },
            ...{ body: bodyOf(), duplex: 'half' as const },
          }),
        ),
      )
      const counts: number[] = []
      while (read < 20) {
        await nextTurn()
        counts.push(read)
      }
      for (const reply of replies) assert.equal((await reply).status, 422)
      assert.deepEqual(counts, [2, 4, 6, 8, 10, 12, 14, 16, 18, 20])
    })
  }
})
