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

/** A client that presents a token. */
interface Actor {
  readonly ip: string
  readonly userAgent: string
}

/** A session as the refresh table sees it. */
interface Model {
  /** The leaves are the generations from `first` to `latest`. */
  first: number
  latest: number
  parent: number | undefined
  windowsFrom: number
  heldAt: number | undefined
  handed: Map<Actor, number>
  idleUntil: number
  endsAt: number
  ended: boolean
}

/**
 * A second implementation of the refresh table, written from its description. Returns the outcome
 * of presenting a generation, and updates the model.
 */
function present(m: Model, token: number, actor: Actor, now: number): Outcome {
  if (m.ended) return 'session_revoked'
  if (now >= Math.min(m.idleUntil, m.endsAt)) return 'expired'
  const outcome = handOut(m, token, actor, now)
  m.ended = outcome === undefined
  if (outcome === undefined) return 'replayed'
  m.idleUntil = now + IDLE
  return outcome
}

function handOut(m: Model, token: number, actor: Actor, now: number): number | undefined {
  const age = now - m.windowsFrom
  const sinceRotation = windowAge(age)
  if (token > m.latest) return rotate(m, token, token + 1, actor, now)
  if (token >= m.first) {
    if (sinceRotation >= 2 * GRACE) return rotate(m, token, m.latest + 1, actor, now)
    m.heldAt ??= now
    return token
  }
  if (token !== m.parent) return undefined
  const isYoung = sinceRotation < GRACE || (m.heldAt !== undefined && windowAge(now - m.heldAt) < GRACE)
  if (isYoung && m.handed.has(actor)) return m.handed.get(actor)
  const isSameAgent = [...m.handed.keys()].some(({ userAgent }) => userAgent === actor.userAgent)
  if (!isYoung && !(age < RECOVERY && m.heldAt === undefined && isSameAgent)) return undefined
  if (!isYoung) m.windowsFrom = now
  m.latest += 1
  m.handed.delete(actor)
  if (m.handed.size < 4) m.handed.set(actor, m.latest)
  return m.latest
}

/** A clock that steps back by more than an hour closes the window, and does not extend it. */
function windowAge(age: number): number {
  return age < -HOUR ? Number.POSITIVE_INFINITY : age
}

function rotate(m: Model, parent: number, leaf: number, actor: Actor, now: number): number {
  const handed = new Map([[actor, leaf]])
  Object.assign(m, { first: leaf, latest: leaf, parent, windowsFrom: now, heldAt: undefined, handed })
  return leaf
}

type Step =
  | { readonly do: 'present'; readonly who: number; readonly back: number; readonly lost: boolean }
  | { readonly do: 'present any'; readonly who: number; readonly token: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'steal' | 'copy' | 'restore' }
  | { readonly do: 'forge'; readonly bit: number }

const HOME: Actor = { ip: '192.0.2.1', userAgent: BROWSER }
const ELSEWHERE: Actor = { ip: '203.0.113.66', userAgent: BROWSER }

/** The owner in two tabs and on another network, and a thief with two user agents. */
const ACTORS: readonly Actor[] = [
  HOME,
  HOME,
  { ip: '198.51.100.1', userAgent: BROWSER },
  ELSEWHERE,
  { ...ELSEWHERE, userAgent: 'curl/8 (thief)' },
]
const THIEVES = [3, 4]

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('present' as const), who: fc.nat(4), back: fc.nat(2), lost: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('present any' as const), who: fc.nat(4), token: fc.nat() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(
        {
          weight: 6,
          arbitrary: fc.constantFrom(1, GRACE - 1, GRACE, GRACE + 1, 2 * GRACE - 1, 2 * GRACE, -HOUR, HOUR),
        },
        { weight: 4, arbitrary: fc.integer({ min: -GRACE, max: 2 * GRACE }) },
        { weight: 2, arbitrary: fc.integer({ min: GRACE, max: RECOVERY + HOUR }) },
        { weight: 1, arbitrary: fc.constantFrom(RECOVERY - 1, RECOVERY, IDLE - HOUR, IDLE) },
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('steal' as const, 'copy' as const, 'restore' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forge' as const), bit: fc.nat(53 * 8 - 1) }) },
)

/**
 * Compares the server with the model, in random histories of several actors with a moving clock and
 * a store that is restored.
 */
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

/** Plays one history on the server and on the model. */
async function play(run: Run, world: World, history: readonly Step[]): Promise<void> {
  const token = await world.begin(HOME)
  const now = world.now()
  let model: Model = {
    ...{ first: 0, latest: 0, parent: undefined, windowsFrom: Number.NEGATIVE_INFINITY, heldAt: undefined },
    handed: new Map([[HOME, 0]]),
    ...{ idleUntil: now + IDLE, endsAt: now + ABSOLUTE, ended: false },
  }
  let copy: Model | undefined
  const held: number[][] = [[0], [0], [0], [], []]
  const issued = new Map([[0, token]])
  const show = async (who: number, generation: number | undefined, lost: boolean) => {
    const shown = generation === undefined ? undefined : issued.get(generation)
    if (generation === undefined || shown === undefined) return
    const actor = ACTORS[who] as Actor
    const expected = present(model, generation, actor, world.now())
    const { outcome, refreshToken } = await world.present(shown, actor)
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
    else if (step.do === 'steal') for (const thief of THIEVES) held[thief] = [...(held[0] as number[])]
    else if (step.do === 'copy') {
      await world.copy()
      copy = copyOf(model)
    } else if (copy !== undefined) {
      await world.restore()
      model = copyOf(copy)
      run.count('stores restored')
    }
  }
}

function copyOf(model: Model): Model {
  return { ...model, handed: new Map(model.handed) }
}

/** A token with one changed bit is refused, regardless of the state of its session. */
async function forge(run: Run, world: World, token: string, bit: number): Promise<void> {
  const bytes = Buffer.from(token.slice(4), 'base64url')
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
  const { outcome } = await world.present(`swr_${bytes.toString('base64url')}`, HOME)
  run.count('forged tokens presented')
  // A changed session id names a session that does not exist. Any other change breaks the MAC.
  const expected = bit >> 3 >= 1 && bit >> 3 <= 16 ? 'session_revoked' : 'malformed'
  if (outcome !== expected) throw new Error(`a forged token (bit ${bit}) gave ${outcome}, not ${expected}`)
}

/**
 * Owner and thief have the same token. The thief is in another network and may have the user agent
 * of the owner. Their refreshes are at least two windows apart. After each of them has been served
 * in turn, and the first one again, the session must end: there is no fourth turn.
 */
async function thieves(run: Run, world: World): Promise<void> {
  const turn = fc.record({
    thief: fc.boolean(),
    lost: fc.boolean(),
    wait: fc.integer({ min: 2 * GRACE, max: RECOVERY - 1 }),
  })
  const property = fc.asyncProperty(fc.array(turn, { maxLength: 14 }), fc.boolean(), async (turns, sameAgent) => {
    const token = await world.begin(HOME)
    const holds = { thief: token, owner: token }
    const thiefActor = sameAgent ? ELSEWHERE : (ACTORS.at(-1) as Actor)
    const served: string[] = []
    for (const { thief, lost, wait } of turns) {
      world.wait(wait)
      const who = thief ? 'thief' : 'owner'
      const { refreshToken } = await world.present(holds[who], thief ? thiefActor : HOME)
      if (refreshToken === undefined || lost) continue
      holds[who] = refreshToken
      if (served.at(-1) !== who) served.push(who)
    }
    run.count('thefts')
    if (served.length >= 2) run.count('thefts in which both were served')
    if (served.length > 3) throw new Error(`served in turn: ${served.join(', ')}`)
  })
  const shared = await fc.check(property, { seed: run.seed, numRuns: run.times({ full: 1500, short: 12 }) })
  run.check(!shared.failed, `a thief and an owner share a session: ${fc.defaultReportMessage(shared)}`)
}

/**
 * One honest client, which loses responses and waits for up to a day, is never logged out, even
 * when the store is restored from an older copy.
 */
async function honestClients(run: Run, world: World): Promise<void> {
  const turn = fc.record({
    wait: fc.oneof(fc.integer({ min: 0, max: 2 * GRACE }), fc.integer({ min: 0, max: RECOVERY - 1 })),
    lost: fc.boolean(),
    store: fc.constantFrom('copy', 'restore', 'nothing', 'nothing', 'nothing', 'nothing'),
  })
  const property = fc.asyncProperty(fc.array(turn, { maxLength: 16 }), async (turns) => {
    let token = await world.begin(HOME)
    await world.copy()
    // A client that receives no response is recovered for a day after its first request. A restored
    // store may contain the time of that request.
    let patience = RECOVERY - 1
    for (const { wait: wish, lost, store } of turns) {
      const wait = Math.min(wish, patience)
      patience -= wait
      world.wait(wait)
      if (store === 'copy') await world.copy()
      if (store === 'restore') await world.restore()
      const { outcome, refreshToken } = await world.present(token, HOME)
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
