import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { turnstile } from '../src/http/turnstile.ts'

const nextTurn = () => new Promise((turn) => setImmediate(turn))

describe('log-ins that arrive together', () => {
  it('begin eight in a turn of the event loop, in the order they came', async () => {
    const enter = turnstile()
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
    const enter = turnstile()
    const begun: string[] = []
    for (let i = 0; i < 9; i += 1) enter('/auth/register', () => begun.push('early'))
    enter('/me', () => begun.push('other'))
    enter('/login', () => begun.push('late'))
    assert.deepEqual(begun.slice(8), ['other'])
    await nextTurn()
    assert.deepEqual(begun.slice(8), ['other', 'early', 'late'])
  })

  it('begin at once while they are few, turn after turn', async () => {
    const enter = turnstile()
    let begun = 0
    for (let turn = 1; turn <= 3; turn += 1) {
      for (let i = 0; i < 8; i += 1) enter('/login', () => (begun += 1))
      assert.equal(begun, 8 * turn)
      await nextTurn()
      await nextTurn()
    }
  })
})
