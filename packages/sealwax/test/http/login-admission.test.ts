import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import { createLoginAdmission } from '../../src/http/login-admission.ts'
import { type NodeRequest, toNodeHandler } from '../../src/http/node.ts'
import type { AuthServer } from '../../src/index.ts'
import { call, listen, startAuth } from '../server.ts'

/** Tells of each log-in when it begins. */
function entrance(): (path: string, begin: () => void, address?: string) => void {
  const { add, enter } = createLoginAdmission()
  for (const path of ['/login', '/auth/register']) add(path)
  return (path, begin, address) => {
    const turn = enter(path, () => address)
    if (turn === undefined) begin()
    else void turn.then(begin)
  }
}

const nextTurn = () => new Promise((turn) => setImmediate(turn))

describe('log-ins that arrive together', () => {
  it('begin eight in a turn of the event loop, in the order they came', async () => {
    const enter = entrance()
    const begun: number[] = []
    for (let i = 0; i < 20; i += 1) enter('/login', () => begun.push(i))
    const counts = [begun.length]
    for (let turn = 0; turn < 3; turn += 1) {
      await nextTurn()
      counts.push(begun.length)
    }
    assert.deepEqual(counts, [8, 16, 20, 20])
    assert.deepEqual(
      begun,
      Array.from({ length: 20 }, (_, i) => i),
    )
  })

  it('hold up no other request, and one that comes later waits behind those before it', async () => {
    const enter = entrance()
    const begun: string[] = []
    for (let i = 0; i < 9; i += 1) enter('/auth/register', () => begun.push('early'))
    enter('/me', () => begun.push('other'))
    enter('/login', () => begun.push('late'))
    assert.deepEqual(begun.slice(8), ['other'])
    await nextTurn()
    assert.deepEqual(begun.slice(8), ['other', 'early', 'late'])
  })

  it('begin network by network: one that comes after a hundred of another begins in the next turn', async () => {
    const enter = entrance()
    const begun: string[] = []
    for (let i = 0; i < 100; i += 1) enter('/login', () => begun.push('flood'), `203.0.113.${i}`)
    enter('/login', () => begun.push('other'), '198.51.100.7')
    assert.equal(begun.length, 8)
    await nextTurn()
    assert.deepEqual([begun.length, begun.includes('other')], [16, true])
  })

  it('begin at once while they are few, turn after turn', async () => {
    const enter = entrance()
    let begun = 0
    for (let turn = 1; turn <= 3; turn += 1) {
      for (let i = 0; i < 8; i += 1) enter('/login', () => (begun += 1))
      assert.equal(begun, 8 * turn)
      await nextTurn()
      await nextTurn()
    }
  })
})

/**
 * Requests as Node hands them over, held until all have come: what is done with them then is done
 * in one turn of the event loop.
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

describe('toNodeHandler, when log-ins arrive together', () => {
  it('makes nothing of a log-in before its turn', async () => {
    await using started = await startAuth()
    let made = 0
    const counting: AuthServer = {
      ...started.auth,
      fetch(...request) {
        made += 1
        return started.auth.fetch(...request)
      },
    }
    const handler = toNodeHandler(counting)
    const counts: number[] = []
    let handled = 0
    await atOnce(20, '/register', (request, response) => {
      handler(request, response)
      handled += 1
      if (handled === 20) counts.push(made)
    })
    assert.deepEqual([counts, made], [[8], 20])
  })

  it('an app with its own fetch and handles around the server changes nothing about the order', async () => {
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
    const handler = toNodeHandler(around)
    let handled = 0
    let last: unknown
    await atOnce(40, '/register', (request, response) => {
      handled += 1
      request.headers['x-forwarded-for'] = handled < 40 ? '203.0.113.9' : '198.51.100.7'
      last = request.headers['x-request-id']
      handler(request, response)
    })
    const found = answered.indexOf(last as string)
    assert.ok(found >= 0 && found < 24, `${found}`)
  })

  for (const [trustProxy, place] of [
    [1, 'before most of them'],
    [0, 'in its turn'],
  ] as const) {
    it(`with trustProxy ${trustProxy}, one that was forwarded for another address than all before it begins ${place}`, async () => {
      await using started = await startAuth({ trustProxy })
      const made: (string | null)[] = []
      const watching: AuthServer = {
        ...started.auth,
        fetch(request, platform) {
          made.push(request.headers.get('X-Request-Id'))
          return started.auth.fetch(request, platform)
        },
      }
      const handler = toNodeHandler(watching)
      let handled = 0
      let last: unknown
      await atOnce(40, '/register', (request, response) => {
        handled += 1
        request.headers['x-forwarded-for'] = handled < 40 ? '203.0.113.9' : '198.51.100.7'
        last = request.headers['x-request-id']
        handler(request, response)
      })
      const found = made.indexOf(last as string)
      assert.ok(trustProxy === 1 ? found < 16 : found === 39, `${found}`)
    })
  }

  it('answers each in its own async context', async () => {
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

  it('goes by the path it was called with, whatever stands there afterwards', async () => {
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
  it('begins with that of another network in the next turn of the event loop', async () => {
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
    it(`reads the bodies of eight in a turn of the event loop, under the base path "${basePath}"`, async () => {
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
      // Eight at once, and eight in each turn of the event loop after that.
      assert.deepEqual(counts, [16, 20])
    })
  }
})
