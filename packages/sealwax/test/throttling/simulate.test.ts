import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AuthError } from '../../src/index.ts'
import { LONGEST_WAIT } from '../../src/throttling/limits.ts'
import { simulate } from '../../src/throttling/simulate.ts'
import { readTrace, type TraceEntry } from '../../src/throttling/trace.ts'
import { HOUR, MINUTE, SECOND } from '../server.ts'

const START = Date.UTC(2026, 0, 15, 9)
const OWNER = { account: 'ann@example.com', network: '192.0.2.7', device: 'laptop', ok: true }
/** With more, not every network can be promised a turn within 15 minutes. */
const MOST_NETWORKS = 44

interface Attack {
  readonly networks: number
  /** Milliseconds between two guesses of one network. */
  readonly every: number
  /** How long the guesses go on, in milliseconds. */
  readonly length: number
}

/** Guesses at the account of the owner, from networks that begin one after the other. */
function attack({ networks, every, length }: Attack, address = (i: number) => `10.0.${i}.1`): TraceEntry[] {
  return Array.from({ length: networks }, (_, i) =>
    Array.from({ length: Math.floor(length / every) }, (_, n) => ({
      ...{ account: OWNER.account, network: address(i), device: undefined, ok: false },
      time: START + i * 37 + n * every,
    })),
  ).flat()
}

const attacks = (networks: number) =>
  fc.record({
    networks: fc.integer({ min: 1, max: networks }),
    every: fc.integer({ min: 2 * SECOND, max: 30 * SECOND }),
    length: fc.integer({ min: MINUTE, max: 30 * MINUTE }),
  })

describe('simulation', () => {
  it('an owner on a known device waits at most 2 s, whatever attackers do', () => {
    fc.assert(
      fc.property(
        attacks(80),
        fc.boolean(),
        fc.integer({ min: 0, max: 40 * MINUTE }),
        fc.integer({ min: 0, max: 5 }),
        (attackers, isSameNetwork, later, typos) => {
          const guesses = attack(attackers, isSameNetwork ? () => OWNER.network : undefined)
          const mistyped = Array.from({ length: typos }, () => ({ ...OWNER, ok: false, time: START + later }))
          const first = { ...OWNER, time: START - HOUR }
          const found = simulate([first, ...guesses, ...mistyped, { ...OWNER, time: START + later }])
          assert.equal(found.ownerLogins, 2)
          assert.ok(found.longestOwnerWait <= 2, `waited ${found.longestOwnerWait} s`)
        },
      ),
      { numRuns: 25 },
    )
  })

  it(`an owner on a new device waits at most 15 minutes while ${MOST_NETWORKS} other networks guess`, () => {
    const waitOf = (attackers: Attack, later: number) => {
      const found = simulate([...attack(attackers), { ...OWNER, time: START + later }])
      assert.equal(found.ownerLogins, 1)
      // `Retry-After` is in whole seconds.
      assert.ok(found.longestOwnerWait <= LONGEST_WAIT / SECOND + 1, `waited ${found.longestOwnerWait} s`)
      return found.longestOwnerWait
    }
    const later = fc.integer({ min: 0, max: 40 * MINUTE })
    fc.assert(
      fc.property(attacks(MOST_NETWORKS), later, (attackers, later) => void waitOf(attackers, later)),
      { numRuns: 25 },
    )
    // The bound is nearly reached, so the attacks above are hard enough.
    assert.ok(waitOf({ networks: MOST_NETWORKS, every: SECOND, length: HOUR }, 50 * MINUTE) > 800)
  })

  it('one network reaches 17 guesses in an hour and 109 in a day, thirty reach 188 in an hour', () => {
    const checked = (networks: number, length: number) =>
      simulate(attack({ networks, every: SECOND, length })).guessesChecked
    assert.deepEqual([checked(1, HOUR), checked(1, 24 * HOUR), checked(30, HOUR)], [17, 109, 188])
  })

  it('a trace is read from CSV and from JSON lines, with times in seconds or ISO 8601', () => {
    const read = [
      { time: 1_768_467_600_000, account: 'ann@example.com', network: '192.0.2.7', device: 'laptop', ok: true },
      { time: 1_768_467_601_500, account: 'ann@example.com', network: '2001:db8::1', device: undefined, ok: false },
    ]
    const csv = `time,account,network,device,ok
2026-01-15T09:00:00Z,ann@example.com,192.0.2.7,laptop,true

1768467601.5,ann@example.com,2001:db8::1,,false
`
    const lines = read.map(({ time, ...entry }) => JSON.stringify({ time: time / 1000, ...entry }))
    assert.deepEqual(readTrace(csv), read)
    assert.deepEqual(readTrace(lines.join('\n')), read)
    assert.deepEqual(readTrace(''), [])
  })

  for (const [what, text, message] of [
    ['a missing column', 'time,account\n', 'Line 1 of the trace: the column network is missing'],
    ['a wrong time', 'time,account,network\nsoon,a,10.0.0.1', 'Line 2 of the trace: time must be'],
    ['a name instead of an address', 'time,account,network\n1,a,home', 'Line 2 of the trace: network must be'],
    ['a missing account', '{"time":1,"network":"10.0.0.1"}', 'Line 1 of the trace: account must be'],
    ['an unknown result', 'time,account,network,ok\n1,a,10.0.0.1,perhaps', 'Line 2 of the trace: ok must be'],
    ['broken JSON', '{"time":1,"account":"a","network":"10.0.0.1"}\n{', 'Line 2 of the trace: it is not JSON'],
  ] as const) {
    it(`refuses a trace with ${what}, and names the line`, () => {
      assert.throws(
        () => readTrace(text),
        (error: unknown) =>
          error instanceof AuthError && error.code === 'validation_failed' && error.message.startsWith(message),
      )
    })
  }
})
