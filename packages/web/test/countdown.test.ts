import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sawExpiry, secondsLeft, spellLeft, timesOf } from '../src/learn/steps/countdown.ts'
import { STRANGER } from '../src/learn/steps/sealed-token.ts'

test('countdown: a token has the times of its claims, and none if it is not a token', () => {
  assert.deepEqual(timesOf(STRANGER), { iat: 1735725600, exp: 1735729200 })
  assert.equal(timesOf('swr_abc'), undefined)
})

test('countdown: the last second lasts until exp, where the token has expired', () => {
  const times = { iat: 1000, exp: 1010 }
  const spelled = (now: number) => spellLeft(secondsLeft(times, now))
  assert.equal(spelled(1_000_000), '10 seconds left')
  assert.equal(spelled(1_008_999), '2 seconds left')
  assert.equal(spelled(1_009_000), '1 second left')
  assert.equal(spelled(1_009_999), '1 second left')
  assert.equal(spelled(1_010_000), 'Expired')
  assert.equal(spelled(1_010_999), 'Expired')
  assert.equal(spelled(1_011_000), 'Expired 1 second ago')
  assert.equal(spelled(1_013_500), 'Expired 3 seconds ago')
})

const accepted = { left: 5, status: 200, code: undefined }
const expired = { left: -1, status: 401, code: 'token_expired' }

test('expiry was seen only if the token was accepted first and refused as expired later', () => {
  assert.equal(sawExpiry([]), false)
  assert.equal(sawExpiry([accepted]), false)
  assert.equal(sawExpiry([expired]), false)
  assert.equal(sawExpiry([expired, accepted]), false)
  assert.equal(sawExpiry([accepted, { ...expired, code: 'token_key_unknown' }]), false)
  assert.equal(sawExpiry([accepted, { ...expired, status: undefined, code: undefined }]), false)
  assert.equal(sawExpiry([accepted, accepted, expired]), true)
})
