import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AuthError } from '../../src/index.ts'
import { decide, decideConfirmation, type Presenter, type RefreshState } from '../../src/sessions/refresh-decision.ts'
import { DAY, MINUTE, type Started, startAuth } from '../server.ts'
import { BROWSER } from './refreshing.ts'

const WINDOW = 30_000
const RECOVERY = 24 * 3_600_000
const NOW = 1_800_000_000_000

const AGENT = 'Mozilla/5.0 Chrome/140.0'
const HOME: Presenter = { ip: '192.0.2.7', userAgent: AGENT }
const PHONE: Presenter = { ip: '198.51.100.4', userAgent: AGENT }
const CURL: Presenter = { ip: '192.0.2.7', userAgent: 'curl/8' }
const at = (network: number): Presenter => ({ ip: `10.0.${network}.1`, userAgent: AGENT })

/** A session rotated `age` ms ago from HOME. Generation 1 is the parent, 2 the leaf. */
function rotated(age: number, changes: Partial<RefreshState> = {}): RefreshState {
  return {
    ...{ generation: 2, parent_generation: 1, rotated_at: NOW - age, presented_at: null, forks: null },
    ...{ seen_ip: '192.0.2.7', seen_user_agent: AGENT, device: null },
    ...changes,
  }
}

function present(state: RefreshState, token: number, presenter = HOME, { recovery = RECOVERY, now = NOW } = {}) {
  return decide(state, token, presenter, now, { refreshGrace: WINDOW, refreshRecovery: recovery })
}

/** The verdict and the generation in the reply. */
function outcome(...given: Parameters<typeof present>): [verdict: string, handed?: number] {
  const decision = present(...given)
  return decision.verdict === 'replay_detected' ? [decision.verdict] : [decision.verdict, decision.handed]
}

/** The state after each presenter has presented the parent, which forks each time. */
function forkedBy(...presenters: Presenter[]): RefreshState {
  let state = rotated(5)
  for (const presenter of presenters) {
    const decision = present(state, 1, presenter)
    assert.ok(decision.verdict === 'forked')
    state = { ...state, ...decision.next }
  }
  return state
}

describe('the refresh table', () => {
  const rows: [behaviour: string, given: Parameters<typeof present>, expected: [verdict: string, handed?: number]][] = [
    [
      'a first refresh rotates immediately',
      [rotated(0, { rotated_at: null, parent_generation: null }), 2],
      ['rotated', 3],
    ],
    ['a leaf is kept for two windows', [rotated(2 * WINDOW - 1), 2], ['kept', 2]],
    ['a leaf rotates after two windows', [rotated(2 * WINDOW), 2], ['rotated', 3]],
    ['a leaf is also kept from another origin', [rotated(5), 2, PHONE], ['kept', 2]],
    ['the parent gets its leaf again within a window', [rotated(WINDOW - 1), 1], ['replayed', 2]],
    [
      'a new address in the same network is the same origin',
      [rotated(5), 1, { ...HOME, ip: '192.0.2.200' }],
      ['replayed', 2],
    ],
    [
      'a browser update is the same origin',
      [rotated(5), 1, { ...HOME, userAgent: 'Mozilla/6.0 Chrome/141.2.1' }],
      ['replayed', 2],
    ],
    ['a clock that stepped back leaves the parent inside the window', [rotated(-3_600_000), 1], ['replayed', 2]],
    [
      'a clock that stepped back by a day does not extend the window: a leaf rotates',
      [rotated(-DAY), 2],
      ['rotated', 3],
    ],
    [
      'a clock that stepped back by a day: the parent is refused from another client',
      [rotated(-DAY), 1, CURL],
      ['replay_detected'],
    ],
    ['a clock that stepped back by a day: a lost reply is recovered', [rotated(-DAY), 1], ['forked', 3]],
    [
      'the window of the parent starts again when its leaf is first presented',
      [rotated(50_000, { presented_at: NOW - WINDOW + 1 }), 1],
      ['replayed', 2],
    ],
    [
      'the window of the parent starts again only once',
      [rotated(80_000, { presented_at: NOW - WINDOW }), 1],
      ['replay_detected'],
    ],
    ['another network within the window gets its own leaf', [rotated(5), 1, PHONE], ['forked', 3]],
    ['another user agent within the window gets its own leaf', [rotated(5), 1, CURL], ['forked', 3]],
    ['a lost reply is recovered after the window', [rotated(WINDOW), 1], ['forked', 3]],
    [
      'a lost reply is recovered by the same user agent in another network',
      [rotated(DAY - MINUTE), 1, PHONE],
      ['forked', 3],
    ],
    ['a lost reply is not recovered by another user agent', [rotated(DAY - MINUTE), 1, CURL], ['replay_detected']],
    ['a lost reply is not recovered after a day', [rotated(RECOVERY), 1], ['replay_detected']],
    [
      'a lost reply is not recovered when recovery is off',
      [rotated(WINDOW), 1, HOME, { recovery: 0 }],
      ['replay_detected'],
    ],
    [
      'a lost reply is not recovered after a leaf was presented or confirmed',
      [rotated(DAY / 2, { presented_at: NOW - DAY / 2 }), 1],
      ['replay_detected'],
    ],
    [
      'a lost reply is not recovered without a user agent, even if the session has none',
      [rotated(WINDOW, { seen_user_agent: null }), 1, { ip: '192.0.2.7' }],
      ['replay_detected'],
    ],
    [
      'a lost reply is recovered by the same device id with another user agent',
      [rotated(WINDOW, { device: 'tv' }), 1, { ...CURL, device: 'tv' }],
      ['forked', 3],
    ],
    [
      'a lost reply is not recovered by another device id',
      [rotated(WINDOW, { device: 'tv' }), 1, { ...CURL, device: 'tw' }],
      ['replay_detected'],
    ],
    [
      'a lost reply is not recovered by a device id that the session does not have',
      [rotated(WINDOW), 1, { ...CURL, device: 'tv' }],
      ['replay_detected'],
    ],
    ['an older generation is a replay even within the window', [rotated(5), 0], ['replay_detected']],
    ['a displaced leaf is a replay even within the window', [rotated(5, { generation: 4 }), 3], ['replay_detected']],
    ['a generation ahead of the store is fast-forwarded', [rotated(5), 9], ['fast_forwarded', 10]],
  ]
  for (const [behaviour, given, expected] of rows) {
    it(`${behaviour} (${expected[0]})`, () => assert.deepEqual(outcome(...given), expected))
  }

  it('up to four origins get their own leaf again; a further one gets a new leaf each time', () => {
    const full = forkedBy(at(1), at(2), at(3))
    assert.deepEqual(
      [HOME, at(1), at(2), at(3)].map((presenter) => outcome(full, 1, presenter)),
      [2, 3, 4, 5].map((leaf) => ['replayed', leaf]),
    )
    assert.deepEqual(outcome(full, 1, at(4)), ['forked', 6])
    assert.deepEqual(outcome(forkedBy(at(1), at(2), at(3), at(4)), 1, at(4)), ['forked', 7])
  })

  it('a fork within the window does not extend it; a recovery restarts the windows', () => {
    const fork = present(rotated(20_000), 1, PHONE)
    const recovery = present(rotated(DAY / 2), 1)
    assert.ok(fork.verdict === 'forked' && recovery.verdict === 'forked')
    assert.deepEqual([fork.next.rotated_at, recovery.next.rotated_at], [NOW - 20_000, NOW])
  })

  it('every leaf is kept, and the first that rotates displaces the others', () => {
    const state = forkedBy(at(1), at(2))
    const later = { now: NOW + 2 * WINDOW }
    for (const leaf of [2, 3, 4]) {
      assert.deepEqual(outcome(state, leaf), ['kept', leaf])
      const decision = present(state, leaf, HOME, later)
      assert.ok(decision.verdict === 'rotated' && decision.handed === 5)
      const after = { ...state, ...decision.next }
      for (const other of [2, 3, 4].filter((one) => one !== leaf)) {
        assert.deepEqual(outcome(after, other, HOME, later), ['replay_detected'])
      }
    }
  })

  it('a confirmation counts as the first presentation of a leaf', () => {
    const confirmed = decideConfirmation(rotated(50_000), 2, NOW)
    assert.equal(confirmed?.presented_at, NOW)
    assert.deepEqual(outcome({ ...rotated(50_000), ...confirmed }, 1, HOME, { now: NOW + WINDOW }), ['replay_detected'])
    const again = rotated(50_000, { presented_at: NOW - 5 })
    assert.equal(decideConfirmation(again, 2, NOW)?.presented_at, NOW - 5)
  })

  it('a late confirmation of the parent or of an older token, or one ahead of a restored store, changes nothing', () => {
    for (const token of [0, 1, 3]) assert.deepEqual(decideConfirmation(rotated(5), token, NOW), rotated(5))
    const later = rotated(5, { generation: 4 })
    assert.deepEqual(decideConfirmation(later, 3, NOW), later)
  })
})

describe('refresh histories', () => {
  const HOME_IP = '192.0.2.7'
  const refreshed = async ({ auth }: Started, token: string, ip = HOME_IP) => {
    try {
      return (await auth.sessions.refresh(token, { ip, userAgent: BROWSER })).refresh_token
    } catch (error) {
      assert.ok(error instanceof AuthError && error.code === 'invalid_grant', String(error))
      return undefined
    }
  }
  const start = async ({ auth }: Started) =>
    (await auth.sessions.create({ subject: 'ann', client: { ip: HOME_IP, userAgent: BROWSER } })).refresh_token

  it('a client that loses arbitrary replies is never logged out', async () => {
    await using server = await startAuth()
    const steps = fc.array(fc.record({ wait: fc.integer({ min: 0, max: DAY - MINUTE }), lost: fc.boolean() }), {
      maxLength: 12,
    })
    const shortWaits = fc.array(fc.record({ wait: fc.nat(MINUTE), lost: fc.boolean() }), { maxLength: 12 })
    const honest = fc.asyncProperty(fc.oneof(steps, shortWaits), async (history) => {
      let token = await start(server)
      for (const { wait, lost } of history) {
        server.clock.advance(wait)
        const answered = await refreshed(server, token)
        assert.ok(answered !== undefined)
        if (!lost) token = answered
      }
    })
    await fc.assert(honest, { numRuns: 40 })
  })

  it('a thief in another network with the user agent of the owner cannot continue together with the owner', async () => {
    await using server = await startAuth()
    const turns = fc.array(fc.record({ thief: fc.boolean(), wait: fc.integer({ min: 60_000, max: DAY - 1 }) }), {
      maxLength: 12,
    })
    const stolen = fc.asyncProperty(turns, async (history) => {
      const token = await start(server)
      const holds = { thief: token, owner: token }
      const turnsServed: string[] = []
      for (const { thief, wait } of history) {
        server.clock.advance(wait)
        const who = thief ? 'thief' : 'owner'
        const answered = await refreshed(server, holds[who], thief ? '198.51.100.66' : HOME_IP)
        if (answered === undefined) return
        if (turnsServed.at(-1) !== who) turnsServed.push(who)
        assert.ok(turnsServed.length < 4, `both continue: ${turnsServed.join(', ')}`)
        holds[who] = answered
      }
    })
    await fc.assert(stolen, { numRuns: 60 })
  })
})
