import type { Config } from '../options.ts'
import type { SessionRow } from '../store/contract/sessions.ts'
import type { Client } from './context.ts'
import { agentOfOrigin, originOf } from './origin.ts'

/** What a genuine refresh token leads to. */
export type RefreshVerdict = 'kept' | 'rotated' | 'replayed' | 'forked' | 'fast_forwarded' | 'replay_detected'

/**
 * The part of a session that the table reads and writes. The leaves are the generations handed out since the last rotation: the current one alone,
 * or all from `forks.first` to it.
 */
export type RefreshState = Pick<
  SessionRow,
  'generation' | 'parent_generation' | 'rotated_at' | 'presented_at' | 'forks'
> &
  Pick<SessionRow, 'seen_ip' | 'seen_user_agent' | 'device'>

/** The state after a refresh, without the members that say who was seen last. */
type NextRefreshState = Pick<SessionRow, 'generation' | 'parent_generation' | 'rotated_at' | 'presented_at' | 'forks'>

/** Who presents a refresh token. `device` is the id that a client may have sent when the session began. */
export interface Presenter extends Pick<Client, 'ip' | 'userAgent'> {
  readonly device?: string | undefined
}

export type RefreshDecision =
  | { readonly verdict: 'replay_detected' }
  | {
      readonly verdict: Exclude<RefreshVerdict, 'replay_detected'>
      /** The generation of the refresh token that the presenter is handed. */
      readonly handed: number
      readonly next: NextRefreshState
      /** Whether a parent got a leaf after its window had passed, because no leaf had been presented: its reply was lost. */
      readonly recovered?: true
    }

type Limits = Pick<Config, 'refreshGrace' | 'refreshRecovery'>

/** Origins whose leaf is remembered. Any further origin is handed a new leaf each time. */
const MOST_ORIGINS = 4

const REPLAY: RefreshDecision = { verdict: 'replay_detected' }

/**
 * The refresh table. Only the row, the presented generation, who presents it and the time decide.
 *
 * Tabs, retries, lost and late replies converge: a client stores one token, so one of its leaves goes on. No two origins are handed the same leaf, and
 * a rotation displaces every other leaf, so two parties of different origins cannot both go on. `npm run torture -- --only search` tries all short histories of both kinds.
 */
export function decide(
  state: RefreshState,
  presented: number,
  presenter: Presenter,
  now: number,
  { refreshGrace: window, refreshRecovery: recovery }: Limits,
): RefreshDecision {
  // The store went back in time: a restored backup, or a failover that lost its last transactions.
  if (presented > state.generation) return rotate(presented, presented + 1, now, 'fast_forwarded')
  const age = state.rotated_at === null ? Infinity : now - state.rotated_at
  const sinceRotation = sinceOnThisClock(age)
  if (presented >= firstLeaf(state)) {
    if (sinceRotation >= 2 * window) return rotate(presented, state.generation + 1, now, 'rotated')
    return { verdict: 'kept', handed: presented, next: held(state, now) }
  }
  if (presented !== state.parent_generation) return REPLAY
  const origin = originOf(presenter)
  const sinceLeafWasHeld = state.presented_at === null ? Infinity : sinceOnThisClock(now - state.presented_at)
  if (Math.min(sinceRotation, sinceLeafWasHeld) < window) {
    const handed = originsOf(state).find(([known]) => known === origin)?.[1]
    if (handed !== undefined) return { verdict: 'replayed', handed, next: state }
    return fork(state, origin, {})
  }
  const replyWasLost = age < recovery && state.presented_at === null && isSameClient(state, origin, presenter)
  return replyWasLost ? { ...fork(state, origin, { rotated_at: now }), recovered: true } : REPLAY
}

/** How far ahead a clock may have been before it was set right; docs/decisions/0004 uses the same hour. */
const MOST_STEP = 3_600_000

/**
 * A clock that stepped back gives a negative age, which counts as inside the window. A step of more than an hour does not: a window would be open for
 * as long as the clock was ahead.
 */
function sinceOnThisClock(age: number): number {
  return age < -MOST_STEP ? Infinity : age
}

/**
 * What `POST /refresh/confirm` with a genuine token does. A client confirms a leaf once it has stored it, which counts as its first presentation. A
 * confirmation that comes after the next rotation, or that a restored store knows nothing of, changes nothing. Any older token is a replay
 * here, too: undefined.
 */
export function decideConfirmation(state: RefreshState, presented: number, now: number): RefreshState | undefined {
  if (presented > state.generation || presented === state.parent_generation) return state
  return presented >= firstLeaf(state) ? held(state, now) : undefined
}

/** The oldest generation that is a leaf. */
function firstLeaf({ forks, generation }: Pick<RefreshState, 'forks' | 'generation'>): number {
  return forks?.first ?? generation
}

/** Whether a request comes from an origin that was handed a leaf. */
export function isKnownOrigin(state: RefreshState, presenter: Presenter): boolean {
  const { forks, seen_ip, seen_user_agent } = state
  const { ip = null, userAgent = null } = presenter
  // The ordinary case, without a hash.
  if (forks === null && ip === seen_ip && userAgent === seen_user_agent) return true
  const origin = originOf(presenter)
  return originsOf(state).some(([known]) => known === origin)
}

function rotate(
  presented: number,
  generation: number,
  now: number,
  verdict: 'rotated' | 'fast_forwarded',
): RefreshDecision {
  const next = { generation, parent_generation: presented, rotated_at: now }
  return { verdict, handed: generation, next: { ...next, presented_at: null, forks: null } }
}

/** A new leaf beside those there are. `rotated_at` begins the windows anew. */
function fork(state: RefreshState, origin: string, anew: Partial<Pick<RefreshState, 'rotated_at'>>) {
  const { parent_generation, rotated_at, presented_at } = state
  const handed = state.generation + 1
  const origins = originsOf(state).filter(([known]) => known !== origin)
  if (origins.length < MOST_ORIGINS) origins.push([origin, handed])
  const forks = { first: firstLeaf(state), origins }
  const next = { parent_generation, rotated_at, presented_at, ...anew, generation: handed, forks }
  return { verdict: 'forked', handed, next } as const
}

/** The client is known to have a leaf: the recovery of the parent is over, its window lasts once more. */
function held({ presented_at, ...state }: RefreshState, now: number): RefreshState {
  return { ...state, presented_at: presented_at ?? now }
}

/** The origins that were handed a leaf, and which. Without a fork that is the one seen at the rotation. */
function originsOf(state: RefreshState): (readonly [origin: string, generation: number])[] {
  if (state.forks !== null) return [...state.forks.origins]
  const { seen_ip, seen_user_agent, generation } = state
  return [[originOf({ ip: seen_ip ?? undefined, userAgent: seen_user_agent ?? undefined }), generation]]
}

function isSameClient(state: RefreshState, origin: string, { device }: Presenter): boolean {
  if (device !== undefined && device === state.device) return true
  const agent = agentOfOrigin(origin)
  return agent !== '' && originsOf(state).some(([known]) => agentOfOrigin(known) === agent)
}
