import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { warmUp } from '../../src/cli/warm-up.ts'

/** What is still open once the turns have passed in which connections close. */
async function opened(): Promise<readonly string[]> {
  await turn()
  await turn()
  return process.getActiveResourcesInfo()
}

test('the warm-up sends a thousand requests to itself and leaves nothing open', async () => {
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

test('a warm-up that takes too long is given up, and leaves nothing open', async () => {
  const before = await opened()
  await assert.rejects(warmUp(1), { name: 'AbortError' })
  assert.deepEqual(await opened(), before)
})
