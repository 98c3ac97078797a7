import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decide } from '../src/engine/refresh.ts'
import { AuthError } from '../src/index.ts'
import { BROWSER } from './refreshing.ts'
import { DAY, MINUTE, type Started, startAuth } from './server.ts'

const GRACE = 30_000
const RECOVERY = 24 * 3_600_000

interface Situation {
  generation: number
  parent: number | null
  presented: number
  /** Milliseconds since the rotation; null: never rotated. */
  age: number | null
  /** Whether the current generation was presented since. */
  used: boolean
  sameAgent: boolean
  recovery: number
}

const NOW = 1_800_000_000_000

function verdictOf({ generation, parent, presented, age, used, sameAgent, recovery }: Situation): string {
  const session = {
    generation,
    parent_generation: parent,
    rotated_at: age === null ? null : NOW - age,
    presented: used,
    seen_user_agent: 'browser',
  }
  const limits = { refreshGrace: GRACE, refreshRecovery: recovery }
  return decide(session, presented, sameAgent ? 'browser' : 'other', NOW, limits)
}

/** The table of the design, row by row; the first that applies. */
function model(s: Situation): string {
  const young = s.age !== null && s.age < GRACE
  const rows: [applies: boolean, verdict: string][] = [
    [s.presented > s.generation, 'fast_forwarded'],
    [s.presented === s.generation && young, 'kept'],
    [s.presented === s.generation, 'rotated'],
    [s.presented === s.parent && young, 'replayed'],
    [s.presented === s.parent && (s.age ?? Infinity) < s.recovery && !s.used && s.sameAgent, 'recovered'],
    [true, 'replay_detected'],
  ]
  return rows.find(([applies]) => applies)?.[1] ?? ''
}

const ages = fc.oneof(
  fc.constantFrom(null, -RECOVERY, -1, 0, 1, GRACE - 1, GRACE, GRACE + 1, RECOVERY - 1, RECOVERY, RECOVERY + 1),
  fc.integer({ min: -2 * RECOVERY, max: 2 * RECOVERY }),
)

const situations: fc.Arbitrary<Situation> = fc
  .record({
    generation: fc.nat(6),
    behind: fc.option(fc.integer({ min: 1, max: 3 })),
    presented: fc.nat(8),
    age: ages,
    used: fc.boolean(),
    sameAgent: fc.boolean(),
    recovery: fc.constantFrom(0, RECOVERY),
  })
  .map(({ behind, ...rest }) => {
    const parent = behind === null || rest.age === null ? null : rest.generation - behind
    return { ...rest, parent: parent !== null && parent >= 0 ? parent : null }
  })

describe('the table of refresh', () => {
  it('decides every situation as its rows say', () => {
    fc.assert(
      fc.property(situations, (situation) => {
        assert.equal(verdictOf(situation), model(situation))
      }),
      { numRuns: 5000 },
    )
  })

  const parentLater = {
    generation: 3,
    parent: 2,
    presented: 2,
    age: 3_600_000,
    used: false,
    sameAgent: true,
    recovery: RECOVERY,
  }
  const rows: [behaviour: string, situation: Partial<Situation>, verdict: string][] = [
    ['a first refresh rotates at once', { generation: 0, parent: null, presented: 0, age: null }, 'rotated'],
    ['the current token inside the window is kept', { presented: 3, age: 29_999 }, 'kept'],
    ['the current token rotates when the window ends', { presented: 3, age: 30_000 }, 'rotated'],
    ['the parent inside the window gets its successor', { age: 29_999 }, 'replayed'],
    ['a clock that stepped back leaves the parent inside the window', { age: -3_600_000 }, 'replayed'],
    ['a used successor does not shut out the parent inside the window', { age: 5, used: true }, 'replayed'],
    ['another user agent does not shut out the parent inside the window', { age: 5, sameAgent: false }, 'replayed'],
    ['the parent is recovered after the window', {}, 'recovered'],
    ['no recovery from another user agent', { sameAgent: false }, 'replay_detected'],
    ['no recovery once the successor was presented', { used: true }, 'replay_detected'],
    ['no recovery after a day', { age: RECOVERY }, 'replay_detected'],
    ['no recovery when it is off', { recovery: 0 }, 'replay_detected'],
    [
      'a displaced successor is a replay even inside the window',
      { generation: 4, presented: 3, age: 5 },
      'replay_detected',
    ],
    ['an old generation is a replay even inside the window', { presented: 1, age: 5 }, 'replay_detected'],
    ['a generation ahead means that the store went back', { presented: 9 }, 'fast_forwarded'],
  ]
  for (const [behaviour, situation, verdict] of rows) {
    it(`${behaviour} (${verdict})`, () => {
      assert.equal(verdictOf({ ...parentLater, ...situation }), verdict)
    })
  }
})

describe('histories', () => {
  const refreshed = async ({ auth }: Started, token: string) => {
    try {
      return (await auth.sessions.refresh(token, { userAgent: BROWSER })).refresh_token
    } catch (error) {
      assert.ok(error instanceof AuthError && error.code === 'invalid_grant', String(error))
      return undefined
    }
  }
  const start = async ({ auth }: Started) =>
    (await auth.sessions.create({ subject: 'ann', client: { userAgent: BROWSER } })).refresh_token

  it('a client that loses any replies is never logged out', async () => {
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

  it('a thief and the owner cannot share a session: it ends when the first of them comes back', async () => {
    await using server = await startAuth()
    const turns = fc.array(fc.record({ thief: fc.boolean(), wait: fc.integer({ min: 30_000, max: DAY - 1 }) }), {
      maxLength: 10,
    })
    const stolen = fc.asyncProperty(turns, async (history) => {
      const token = await start(server)
      const holds = { thief: token, owner: token }
      const switches: string[] = []
      for (const { thief, wait } of history) {
        server.clock.advance(wait)
        const who = thief ? 'thief' : 'owner'
        if (switches.at(-1) !== who) switches.push(who)
        const answered = await refreshed(server, holds[who])
        assert.ok(switches.length < 3 || answered === undefined, 'both go on')
        if (answered === undefined) return
        holds[who] = answered
      }
    })
    await fc.assert(stolen, { numRuns: 60 })
  })
})
