import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { GROWING, LONGEST_WAIT } from '../../src/throttling/limits.ts'
import { simulate } from '../../src/throttling/simulate.ts'
import { readTrace, type TraceEntry } from '../../src/throttling/trace.ts'

const OWNER = 'ann@example.com'
const HOUR = 3_600_000
const BEGIN = 1_800_000_000_000
const MOST_SECONDS = (LONGEST_WAIT + GROWING.account.most) / 1000

/** Wrong guesses at the account of the owner, from networks that are not the owner's. */
const guesses = fc
  .array(fc.record({ network: fc.nat(39), time: fc.nat(2 * HOUR) }), { minLength: 50, maxLength: 600 })
  .map((list) =>
    list.map(
      ({ network, time }): TraceEntry => ({
        ...{ time: BEGIN + time, account: OWNER, network: `10.0.${network}.1`, device: undefined, ok: false },
      }),
    ),
  )

const login = (time: number, device?: string): TraceEntry => ({
  ...{ time: BEGIN + time, account: OWNER, network: '203.0.113.7', device, ok: true },
})

describe('whatever attackers in up to 40 networks do', () => {
  it('the owner never waits on a device that has logged in before', () => {
    fc.assert(
      fc.property(guesses, fc.nat(2 * HOUR), (attack, time) => {
        const { ownerLogins, longestOwnerWait } = simulate([login(-HOUR, 'laptop'), ...attack, login(time, 'laptop')])
        assert.deepEqual([ownerLogins, longestOwnerWait], [2, 0])
      }),
    )
  })

  it('the owner waits at most the stated time on a new device', () => {
    fc.assert(
      fc.property(guesses, fc.nat(2 * HOUR), (attack, time) => {
        const { ownerLogins, longestOwnerWait } = simulate([...attack, login(time, 'phone')])
        assert.equal(ownerLogins, 1)
        assert.ok(longestOwnerWait <= MOST_SECONDS, `${longestOwnerWait} s`)
      }),
    )
  })

  it('an account gets few guesses an hour', () => {
    const hour = Array.from({ length: 3600 }, (_, second) =>
      [0, 1, 2].map((network): TraceEntry => {
        return {
          time: BEGIN + second * 1000,
          account: OWNER,
          network: `10.0.${network}.1`,
          device: undefined,
          ok: false,
        }
      }),
    ).flat()
    const { guessesChecked, guessesRefused } = simulate(hour)
    assert.equal(guessesChecked + guessesRefused, hour.length)
    assert.ok(guessesChecked < 200, String(guessesChecked))
  })
})

describe('a trace', () => {
  it('is JSON lines or CSV, and both give the same', () => {
    const csv =
      'time,account,network,device,ok\n1800000000,a@example.com,192.0.2.1,,false\n2027-01-15T08:00:01Z,a@example.com,192.0.2.1,phone,true\n'
    const lines = [
      '{"time":1800000000,"account":"a@example.com","network":"192.0.2.1"}',
      '{"time":"2027-01-15T08:00:01Z","account":"a@example.com","network":"192.0.2.1","device":"phone","ok":true}',
    ].join('\n')
    assert.deepEqual(readTrace(csv), readTrace(lines))
    assert.deepEqual(simulate(readTrace(csv)), {
      ...{ attempts: 2, guessesChecked: 1, guessesRefused: 0, ownerLogins: 1, ownerWaited: 0, longestOwnerWait: 0 },
      refusedBy: {},
    })
  })

  it('with a wrong line is refused with its number', () => {
    for (const [text, message] of [
      ['time,account\n', 'Line 1 of the trace: the column network is missing'],
      ['{"time":1', 'Line 1 of the trace: it is not JSON'],
      [
        'time,account,network\n1,a,192.0.2.1\nsoon,a,192.0.2.1',
        'Line 3 of the trace: time must be seconds since 1970 or ISO 8601',
      ],
      ['time,account,network\n1,a,example.com', 'Line 2 of the trace: network must be an IP address'],
      ['time,account,network,ok\n1,a,192.0.2.1,yes', 'Line 2 of the trace: ok must be true or false'],
    ] as const) {
      assert.throws(() => readTrace(text), { code: 'validation_failed', message })
    }
  })
})
