import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  afterFailure,
  asOf,
  type Counter,
  type Counters,
  decide,
  GROWING,
  STEADY,
  UNUSED,
} from '../../src/throttling/limits.ts'

const BEGIN = 1_800_000_000_000
const HOUR = 3_600_000

test('limits: guesses that were checked at the same moment are paid for, one a minute', () => {
  let counter: Counter = UNUSED
  let checked = 0
  for (; checked < 1000; checked += 1) {
    const { wait, next } = decide({ address: counter }, BEGIN, 'guess')
    if (wait > 0) break
    counter = next.address as Counter
  }
  for (let wrong = 0; wrong < checked; wrong += 1) counter = afterFailure('address', counter, BEGIN)
  const waitAt = (time: number) => {
    const stored = { ...counter, expires_at: counter.at }
    return decide({ address: asOf('address', stored, time) }, time, 'guess').wait
  }
  assert.equal(checked, STEADY.address.burst * 10)
  assert.ok(waitAt(BEGIN + 4 * HOUR) > 0)
  assert.equal(waitAt(BEGIN + 5 * HOUR), 0)
})

test('limits: free attempts never wait for each other, even if the clock of the next server is behind', () => {
  let counters: Counters = { account: UNUSED, caller: UNUSED }
  let now = BEGIN
  for (let attempt = 0; attempt < GROWING.caller.free; attempt += 1) {
    now -= 1000
    const { wait, next } = decide(counters, now, 'guess')
    assert.equal(wait, 0)
    counters = { ...counters, ...next }
  }
  assert.equal(decide(counters, now, 'guess').wait, GROWING.caller.first)
})
