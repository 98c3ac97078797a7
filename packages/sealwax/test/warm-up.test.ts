import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { warmUp } from '../src/cli/warm-up.ts'

test('the warm-up sends a thousand requests to itself and leaves nothing open', async () => {
  const before = process.getActiveResourcesInfo()
  let requests = 0
  const count = () => {
    requests += 1
  }
  subscribe('http.server.request.start', count)
  await warmUp()
  unsubscribe('http.server.request.start', count)
  assert.equal(requests, 1000)
  await turn()
  await turn()
  assert.deepEqual(process.getActiveResourcesInfo(), before)
})
