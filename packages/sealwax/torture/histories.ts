import fc from 'fast-check'
import { BROWSER } from './http.ts'
import type { Place, StoreName } from './place.ts'
import type { Run } from './run.ts'
import { createWorld, type Outcome, type World } from './world.ts'

const GRACE = 30_000
const HOUR = 3_600_000
const RECOVERY = 24 * HOUR
const IDLE = 14 * RECOVERY
const ABSOLUTE = 90 * RECOVERY

/** A session as DESIGN's table sees it. */
interface Model {
  generation: number
  parent: number | undefined
  rotatedAt: number
  presented: boolean
  agent: string
  idleUntil: number
  endsAt: number
  ended: boolean
}

/** The table, in ten lines: what presenting a generation answers, and what it does. */
function present(m: Model, token: number, agent: string, now: number): Outcome {
  if (m.ended) return 'session_revoked'
  if (now >= Math.min(m.idleUntil, m.endsAt)) return 'expired'
  const age = now - m.rotatedAt
  const again = (token === m.generation || token === m.parent) && age < GRACE
  const recovered = token === m.parent && age < RECOVERY && !m.presented && agent === m.agent
  m.ended = !again && !recovered && token < m.generation
  if (m.ended) return 'replayed'
  m.idleUntil = now + IDLE
  if (again) m.presented ||= token === m.generation
  else
    Object.assign(m, {
      generation: Math.max(token, m.generation) + 1,
      parent: token,
      rotatedAt: now,
      presented: false,
      agent,
    })
  return m.generation
}

type Step =
  | { readonly do: 'present'; readonly who: number; readonly back: number; readonly lost: boolean }
  | { readonly do: 'present any'; readonly who: number; readonly token: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'steal' | 'copy' | 'restore' }
  | { readonly do: 'forge'; readonly bit: number }

/** The owner in two tabs, and a thief. */
const AGENTS = [BROWSER, BROWSER, 'curl/8 (thief)']
const THIEF = 2

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('present' as const), who: fc.nat(2), back: fc.nat(2), lost: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('present any' as const), who: fc.nat(2), token: fc.nat() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(1, GRACE - 1, GRACE, GRACE + 1, -HOUR, HOUR) },
        { weight: 4, arbitrary: fc.integer({ min: -GRACE, max: 2 * GRACE }) },
        { weight: 2, arbitrary: fc.integer({ min: GRACE, max: RECOVERY + HOUR }) },
        { weight: 1, arbitrary: fc.constantFrom(RECOVERY - 1, RECOVERY, IDLE - HOUR, IDLE) },
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('steal' as const, 'copy' as const, 'restore' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forge' as const), bit: fc.nat(53 * 8 - 1) }) },
)

/** Random histories of several actors, a moving clock and a store that is restored, against the model. */
export async function histories(run: Run, place: Place, store: StoreName): Promise<void> {
  await using world = await createWorld(await place.database(store))
  const numRuns = run.times(store === 'sqlite' ? { full: 3000, short: 25 } : { full: 600, short: 6 })
  const agree = fc.asyncProperty(fc.array(steps, { minLength: 6, maxLength: 40 }), (history) =>
    play(run, world, history),
  )
  const agreed = await fc.check(agree, { seed: run.seed, numRuns })
  run.count('histories', agreed.numRuns)
  run.check(!agreed.failed, `the store and the model disagree: ${fc.defaultReportMessage(agreed)}`)
  await thieves(run, world)
  await honestClients(run, world)
}

/** Plays one history on both sides. */
async function play(run: Run, world: World, history: readonly Step[]): Promise<void> {
  const token = await world.begin(BROWSER)
  const now = world.now()
  let model: Model = {
    ...{ generation: 0, parent: undefined, rotatedAt: Number.NEGATIVE_INFINITY, presented: false, agent: BROWSER },
    ...{ idleUntil: now + IDLE, endsAt: now + ABSOLUTE, ended: false },
  }
  let copy: Model | undefined
  const held: number[][] = [[0], [0], []]
  const issued = new Map([[0, token]])
  const show = async (who: number, generation: number | undefined, lost: boolean) => {
    const shown = generation === undefined ? undefined : issued.get(generation)
    if (generation === undefined || shown === undefined) return
    const agent = AGENTS[who] as string
    const expected = present(model, generation, agent, world.now())
    const { outcome, refreshToken } = await world.present(shown, agent)
    run.count('tokens presented')
    run.count(typeof outcome === 'number' ? 'refreshes granted' : `refused: ${outcome}`)
    if (outcome !== expected) throw new Error(`generation ${generation} gave ${outcome}, the model says ${expected}`)
    if (outcome === 'replayed') {
      const standing = await world.standing()
      if (standing === 'accepted') throw new Error('the access token of a session ended by a replay is accepted')
      run.count('access tokens refused after a replay')
    }
    if (typeof outcome !== 'number' || refreshToken === undefined) return
    issued.set(outcome, refreshToken)
    if (!lost) held[who]?.push(outcome)
  }
  for (const step of history) {
    if (step.do === 'wait') world.wait(step.ms)
    else if (step.do === 'present') await show(step.who, held[step.who]?.at(-1 - step.back), step.lost)
    else if (step.do === 'present any') await show(step.who, [...issued.keys()][step.token % issued.size], false)
    else if (step.do === 'forge') await forge(run, world, [...issued.values()].at(-1) as string, step.bit)
    else if (step.do === 'steal') held[THIEF] = [...(held[0] as number[])]
    else if (step.do === 'copy') {
      await world.copy()
      copy = { ...model }
    } else if (copy !== undefined) {
      await world.restore()
      model = { ...copy }
      run.count('stores restored')
    }
  }
}

/** A token with one bit changed is no token, whatever the state of the session that it names. */
async function forge(run: Run, world: World, token: string, bit: number): Promise<void> {
  const bytes = Buffer.from(token.slice(4), 'base64url')
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
  const { outcome } = await world.present(`swr_${bytes.toString('base64url')}`, BROWSER)
  run.count('forged tokens presented')
  // A changed session id names a session that there is not; the rest is caught by the MAC.
  const expected = bit >> 3 >= 1 && bit >> 3 <= 16 ? 'session_revoked' : 'malformed'
  if (outcome !== expected) throw new Error(`a forged token (bit ${bit}) gave ${outcome}, not ${expected}`)
}

/**
 * Owner and thief hold one token. Once one of them, the other, and the first again would have been served (with more than the grace window between
 * them), the session must have ended: nobody is served a third time.
 */
async function thieves(run: Run, world: World): Promise<void> {
  const turn = fc.record({
    thief: fc.boolean(),
    lost: fc.boolean(),
    wait: fc.integer({ min: GRACE, max: RECOVERY - 1 }),
  })
  const property = fc.asyncProperty(fc.array(turn, { maxLength: 14 }), fc.boolean(), async (turns, sameAgent) => {
    const token = await world.begin(BROWSER)
    const holds = { thief: token, owner: token }
    const served: string[] = []
    for (const { thief, lost, wait } of turns) {
      world.wait(wait)
      const who = thief ? 'thief' : 'owner'
      const { refreshToken } = await world.present(
        holds[who],
        thief && !sameAgent ? (AGENTS[THIEF] as string) : BROWSER,
      )
      if (refreshToken === undefined || lost) continue
      holds[who] = refreshToken
      if (served.at(-1) !== who) served.push(who)
    }
    run.count('thefts')
    if (served.length >= 2) run.count('thefts in which both were served')
    if (served.length > 2) throw new Error(`served in turn: ${served.join(', ')}`)
  })
  const shared = await fc.check(property, { seed: run.seed, numRuns: run.times({ full: 1500, short: 12 }) })
  run.check(!shared.failed, `a thief and an owner share a session: ${fc.defaultReportMessage(shared)}`)
}

/** One honest client, which loses replies and waits up to a day, is never logged out, also when the store is restored from an older copy. */
async function honestClients(run: Run, world: World): Promise<void> {
  const turn = fc.record({
    wait: fc.oneof(fc.integer({ min: 0, max: 2 * GRACE }), fc.integer({ min: 0, max: RECOVERY - 1 })),
    lost: fc.boolean(),
    store: fc.constantFrom('copy', 'restore', 'nothing', 'nothing', 'nothing', 'nothing'),
  })
  const property = fc.asyncProperty(fc.array(turn, { maxLength: 16 }), async (turns) => {
    let token = await world.begin(BROWSER)
    await world.copy()
    // A client that never gets a reply is recovered for a day, from the first time it asked: a restored store may remember that time.
    let patience = RECOVERY - 1
    for (const { wait: wish, lost, store } of turns) {
      const wait = Math.min(wish, patience)
      patience -= wait
      world.wait(wait)
      if (store === 'copy') await world.copy()
      if (store === 'restore') await world.restore()
      const { outcome, refreshToken } = await world.present(token, BROWSER)
      if (refreshToken === undefined) throw new Error(`an honest client was refused: ${outcome}`)
      if (lost) continue
      token = refreshToken
      patience = RECOVERY - 1
    }
    run.count('honest clients')
  })
  const kept = await fc.check(property, { seed: run.seed, numRuns: run.times({ full: 600, short: 6 }) })
  run.check(!kept.failed, `an honest client was logged out: ${fc.defaultReportMessage(kept)}`)
}
