import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { warmUp } from '../../src/cli/warm-up.ts'

/** Returns the open resources, after the turns of the event loop in which connections close. */
async function opened(): Promise<readonly string[]> {
  await turn()
  await turn()
  return process.getActiveResourcesInfo()
}

test('warm-up: sends a thousand requests on loopback and leaves nothing open', async () => {
  const before = await opened()
  let requests = 0
  const count = () => {
    requests += 1
  }
  subscribe('http.server.request.start', count)
  await warmUp()
  unsubscribe('http.server.request.start', count)
  assert.equal(requests, 1000)
  assert.deepEqual(await opened(), before)
})

test('warm-up: rejects after its time limit and leaves nothing open', async () => {
  const before = await opened()
  await assert.rejects(warmUp(1), { name: 'AbortError' })
  assert.deepEqual(await opened(), before)
})
