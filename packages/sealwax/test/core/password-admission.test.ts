import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { networksOf } from '../../src/core/network.ts'
import { createPasswordAdmission, paceArrivals } from '../../src/core/password-admission.ts'

const nextTurn = () => new Promise((turn) => setImmediate(turn))

/** Calls `begin` when the request may start. */
function starting(): (begin: () => void, address?: string) => void {
  const admission = createPasswordAdmission({ elapsed: () => 0 })
  return (begin, address) => {
    const turn = admission.start(networksOf(address))
    if (turn === undefined) begin()
    else void turn.then(begin)
  }
}

describe('admission of requests that hash a password', () => {
  it('eight start in each turn of the event loop, in the order of arrival', async () => {
    const start = starting()
    const started: number[] = []
    for (let i = 0; i < 20; i += 1) start(() => started.push(i))
    const counts = [started.length]
    for (let turn = 0; turn < 3; turn += 1) {
      await nextTurn()
      counts.push(started.length)
    }
    assert.deepEqual(counts, [8, 16, 20, 20])
    assert.deepEqual(
      started,
      Array.from({ length: 20 }, (_, i) => i),
    )
  })

  it('networks take turns: one that arrives after a hundred of another network starts in the next turn', async () => {
    const start = starting()
    const started: string[] = []
    for (let i = 0; i < 100; i += 1) start(() => started.push('flood'), `203.0.113.${i}`)
    start(() => started.push('other'), '198.51.100.7')
    assert.equal(started.length, 8)
    await nextTurn()
    assert.deepEqual([started.length, started.includes('other')], [16, true])
  })

  it('few requests start immediately, turn after turn', async () => {
    const start = starting()
    let started = 0
    for (let turn = 1; turn <= 3; turn += 1) {
      for (let i = 0; i < 8; i += 1) start(() => (started += 1))
      assert.equal(started, 8 * turn)
      await nextTurn()
      await nextTurn()
    }
  })

  it('32 arrivals are handled in each turn of the event loop, in their order', async () => {
    const arrival = paceArrivals()
    const handled: number[] = []
    for (let i = 0; i < 70; i += 1) void arrival().then(() => handled.push(i))
    const counts = [handled.length]
    for (let turn = 0; turn < 3; turn += 1) {
      await nextTurn()
      counts.push(handled.length)
    }
    assert.deepEqual(counts, [0, 32, 64, 70])
    assert.deepEqual(
      handled,
      Array.from({ length: 70 }, (_, i) => i),
    )
    void arrival().then(() => handled.push(70))
    await nextTurn()
    assert.equal(handled.at(-1), 70)
  })
})
