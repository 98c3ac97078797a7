import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createProofMemory } from '../src/dpop/replays.ts'

test('a proof is accepted once until it can be forgotten', () => {
  const memory = createProofMemory(1000)
  assert.equal(memory.add('a', 60_000, 0, 'one'), true)
  assert.equal(memory.add('a', 60_000, 59_999, 'one'), false)
  assert.equal(memory.add('b', 60_000, 1, 'one'), true)
})

test('under a flood, proofs that expire early are refused, and new ones are accepted', () => {
  const memory = createProofMemory(1000)
  for (let i = 0; i < 1000; i += 1) assert.equal(memory.add(`early ${i}`, 10_000, 0, 'one'), true)
  assert.equal(memory.add('late', 20_000, 0, 'one'), true)
  assert.equal(memory.add('early 0', 10_000, 0, 'one'), false, 'it was used')
  assert.equal(memory.add('early new', 10_000, 0, 'one'), false, 'it may have been used')
  assert.equal(memory.add('another late', 20_000, 0, 'one'), true)
  assert.equal(memory.add('late', 20_000, 0, 'one'), false)
})

test('a client that floods the memory does not harm the others', () => {
  const memory = createProofMemory(1000)
  assert.equal(memory.add('honest before', 60_000, 0, 'honest'), true)
  for (let i = 0; i < 5000; i += 1) memory.add(`flood ${i}`, 120_000, 0, 'flood')
  for (let i = 0; i < 500; i += 1) assert.equal(memory.add(`honest ${i}`, 60_000 + i, 0, 'honest'), true)
  assert.equal(memory.add('honest before', 60_000, 0, 'honest'), false)
  assert.equal(memory.add('flood 4999', 120_000, 0, 'flood'), false)
})

test('no proof is ever accepted twice within its time, however many there are', () => {
  const step = fc.record({
    key: fc.integer({ min: 0, max: 400 }),
    life: fc.integer({ min: 1, max: 120 }),
    pass: fc.integer({ min: 0, max: 3 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
      const memory = createProofMemory(20)
      const accepted = new Map<string, number>()
      let now = 0
      for (const { key, life, pass } of steps) {
        now += pass * 1000
        // The same proof has the same end of its time.
        const until = accepted.get(String(key)) ?? now + life * 1000
        if (until < now) {
          accepted.delete(String(key))
          continue
        }
        const isNew = memory.add(String(key), until, now, `client ${key % 3}`)
        assert.ok(!(isNew && accepted.has(String(key))), `${key} was accepted twice`)
        if (isNew) accepted.set(String(key), until)
      }
    }),
    { numRuns: 300 },
  )
})
