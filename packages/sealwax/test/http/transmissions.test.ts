import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { type TestContext, test } from 'node:test'
import { createTransmissions } from '../../src/http/transmissions.ts'

const OPEN = new AbortController().signal
const PLACES = 50

/** A response whose client reads nothing. */
function response() {
  const events = new EventEmitter()
  const one = {
    destroyed: false,
    once: (event: 'close', listener: () => void) => events.once(event, listener),
    destroy() {
      one.destroyed = true
      events.emit('close')
    },
    sent: () => events.emit('close'),
  }
  return one
}

async function full(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const transmit = createTransmissions()
  const responses = Array.from({ length: PLACES }, response)
  for (const one of responses) await transmit('192.0.2.1', OPEN, one)
  return { transmit, responses }
}

test('long responses: one that is not read within ten seconds is aborted', async (t) => {
  const { responses } = await full(t)
  t.mock.timers.tick(9999)
  assert.ok(responses.every(({ destroyed }) => !destroyed))
  t.mock.timers.tick(1)
  assert.ok(responses.every(({ destroyed }) => destroyed))
})

test('long responses: while requests wait, one that is not read within a second is aborted', async (t) => {
  const { transmit, responses } = await full(t)
  const waiting = transmit('198.51.100.1', OPEN, response())
  t.mock.timers.tick(999)
  assert.ok(responses.every(({ destroyed }) => !destroyed))
  t.mock.timers.tick(1)
  await waiting
  assert.ok(responses.some(({ destroyed }) => destroyed))
})

test('long responses: a request that arrives after that second does not wait', async (t) => {
  const { transmit, responses } = await full(t)
  t.mock.timers.tick(500)
  const began = performance.now()
  while (performance.now() - began < 1010) await new Promise((turn) => setImmediate(turn))
  await transmit('198.51.100.1', OPEN, response())
  assert.ok(responses.every(({ destroyed }) => destroyed))
})

test('long responses: a sent one frees its slot for a waiting request; a disconnected client takes no slot', async (t) => {
  const { transmit, responses } = await full(t)
  const gone = new AbortController()
  const left = transmit('198.51.100.1', gone.signal, response())
  gone.abort()
  await assert.rejects(left, { code: 'temporarily_unavailable' })
  const waiting = transmit('198.51.100.1', OPEN, response())
  responses[0]?.sent()
  await waiting
  assert.ok(responses.every(({ destroyed }) => !destroyed))
})

test('long responses: if the queue is full, the next request of the same network gets Retry-After', async (t) => {
  const { transmit } = await full(t)
  const gone = new AbortController()
  const waiting = Array.from({ length: 150 }, () => transmit('192.0.2.1', gone.signal, response()))
  await assert.rejects(transmit('192.0.2.1', OPEN, response()), { code: 'temporarily_unavailable', retryAfter: 2 })
  gone.abort()
  assert.equal((await Promise.allSettled(waiting)).filter(({ status }) => status === 'rejected').length, 150)
})
