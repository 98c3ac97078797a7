import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { networksOf } from '../../src/core/network.ts'
import { createPasswordAdmission } from '../../src/core/password-admission.ts'

const nextTurn = () => new Promise((turn) => setImmediate(turn))

/** Calls `begin` when the request may start. */
function starting(): (begin: () => void, address?: string) => void {
  const { start } = createPasswordAdmission({ elapsed: () => 0 })
  return (begin, address) => void start(() => networksOf(address)).then(begin)
}

describe('admission of requests that hash a password', () => {
  it('two start in each turn of the event loop, in the order of arrival', async () => {
    const start = starting()
    const started: number[] = []
    for (let i = 0; i < 5; i += 1) start(() => started.push(i))
    const counts = [started.length]
    for (let turn = 0; turn < 3; turn += 1) {
      await nextTurn()
      counts.push(started.length)
    }
    assert.deepEqual(counts, [0, 2, 4, 5])
    assert.deepEqual(
      started,
      Array.from({ length: 5 }, (_, i) => i),
    )
  })

  it('networks take turns: one that arrives after a hundred of another network starts in the next turn', async () => {
    const start = starting()
    const started: string[] = []
    for (let i = 0; i < 100; i += 1) start(() => started.push('flood'), `203.0.113.${i}`)
    start(() => started.push('other'), '198.51.100.7')
    await nextTurn()
    assert.deepEqual([started.length, started.includes('other')], [2, false])
    await nextTurn()
    assert.deepEqual([started.length, started.includes('other')], [4, true])
  })

  it('two requests start in the next turn, and so do two more after it', async () => {
    const start = starting()
    let started = 0
    for (let turn = 1; turn <= 3; turn += 1) {
      for (let i = 0; i < 2; i += 1) start(() => (started += 1))
      await nextTurn()
      assert.equal(started, 2 * turn)
      await nextTurn()
    }
  })

  it('128 arrivals are sorted by network in each turn: one of another network after 256 starts in the third', async () => {
    const start = starting()
    const started: string[] = []
    for (let i = 0; i < 256; i += 1) start(() => started.push('flood'), `203.0.113.${i % 256}`)
    start(() => started.push('other'), '198.51.100.7')
    await nextTurn()
    await nextTurn()
    assert.deepEqual([started.length, started.includes('other')], [4, false])
    await nextTurn()
    assert.deepEqual([started.length, started.includes('other')], [6, true])
  })
})
