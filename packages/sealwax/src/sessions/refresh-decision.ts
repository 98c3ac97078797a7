import type { Config } from '../core/options.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import type { SessionRow } from './contract.ts'
import { parseAgent, toOrigin } from './origin.ts'

/** The outcome of a refresh with a genuine token. */
export type RefreshVerdict = 'kept' | 'rotated' | 'replayed' | 'forked' | 'fast_forwarded' | 'replay_detected'

/**
 * The part of a session that the table reads. The leaves are the generations issued since the last
 * rotation: only the current one, or all from `forks.first` to it.
 */
export type RefreshState = Pick<
  SessionRow,
  'generation' | 'parent_generation' | 'rotated_at' | 'presented_at' | 'forks'
> &
  Pick<SessionRow, 'seen_ip' | 'seen_user_agent' | 'device'>

/** The state after a refresh, without the client that was seen last. */
type NextRefreshState = Pick<SessionRow, 'generation' | 'parent_generation' | 'rotated_at' | 'presented_at' | 'forks'>

/** The client that presents a refresh token. */
export interface Presenter extends Pick<RequestOrigin, 'ip' | 'userAgent'> {
  /** The device id, if the client sends one. */
  readonly device?: string | undefined
}

/** What the table decides. */
export type RefreshDecision =
  | { readonly verdict: 'replay_detected' }
  | {
      readonly verdict: Exclude<RefreshVerdict, 'replay_detected'>
      /** The generation of the refresh token in the reply. */
      readonly handed: number
      /** The state to store. */
      readonly next: NextRefreshState
      /** Set if a parent got another leaf after its window, because its reply was lost. */
      readonly recovered?: true
    }

type Limits = Pick<Config, 'refreshGrace' | 'refreshRecovery'>

/** How many origins are stored with their leaf. Further origins get a new leaf each time. */
const MOST_ORIGINS = 4

const REPLAY: RefreshDecision = { verdict: 'replay_detected' }

/**
 * The refresh table. It depends only on the session, the presented generation, the client and the
 * time.
 *
 * Tabs, retries, lost and late replies converge: a client stores one token, so one of its leaves is
 * used next. Two origins never get the same leaf, and a rotation invalidates all other leaves, so
 * two parties from different origins cannot both continue. `npm run torture -- --only search` tries
 * all short histories of both kinds.
 */
export function decide(
  state: RefreshState,
  presented: number,
  presenter: Presenter,
  now: number,
  { refreshGrace: window, refreshRecovery: recovery }: Limits,
): RefreshDecision {
  // The database lost this generation: a restored backup, or a failover without the last commits.
  if (presented > state.generation) return rotate(presented, presented + 1, now, 'fast_forwarded')
  const age = state.rotated_at === null ? Infinity : now - state.rotated_at
  const sinceRotation = correctAge(age)
  if (presented >= firstLeaf(state)) {
    if (sinceRotation >= 2 * window) return rotate(presented, state.generation + 1, now, 'rotated')
    return { verdict: 'kept', handed: presented, next: markPresented(state, now) }
  }
  if (presented !== state.parent_generation) return REPLAY
  const origin = toOrigin(presenter)
  const sincePresented = state.presented_at === null ? Infinity : correctAge(now - state.presented_at)
  if (Math.min(sinceRotation, sincePresented) < window) {
    const handed = listOrigins(state).find(([known]) => known === origin)?.[1]
    if (handed !== undefined) return { verdict: 'replayed', handed, next: state }
    return fork(state, origin, {})
  }
  const replyWasLost = age < recovery && state.presented_at === null && isSameClient(state, origin, presenter)
  return replyWasLost ? { ...fork(state, origin, { rotated_at: now }), recovered: true } : REPLAY
}

/** How far ahead a clock may have been before it was corrected, as in docs/decisions/0004. */
const MOST_STEP = 3_600_000

/**
 * A negative age, after the clock stepped back, counts as inside the window. After a step of more
 * than an hour it does not: otherwise the window would be open for as long as the clock was ahead.
 */
function correctAge(age: number): number {
  return age < -MOST_STEP ? Infinity : age
}

/**
 * Decides `POST /refresh/confirm` with a genuine token. Confirming a leaf counts as its first
 * presentation. A late confirmation of a token that was replaced since, or one of a generation that
 * a restored database does not have, changes nothing: nobody gets a token by it, and a browser may
 * send it when a frozen page wakes up.
 *
 * @returns the state to store
 */
export function decideConfirmation(state: RefreshState, presented: number, now: number): RefreshState {
  const isLeaf = presented >= firstLeaf(state) && presented <= state.generation
  return isLeaf ? markPresented(state, now) : state
}

/** The oldest generation that is a leaf. */
function firstLeaf({ forks, generation }: Pick<RefreshState, 'forks' | 'generation'>): number {
  return forks?.first ?? generation
}

/** Whether a request comes from an origin that received a leaf. */
export function isKnownOrigin(state: RefreshState, presenter: Presenter): boolean {
  const { forks, seen_ip, seen_user_agent } = state
  const { ip = null, userAgent = null } = presenter
  // The usual case, without hashing.
  if (forks === null && ip === seen_ip && userAgent === seen_user_agent) return true
  const origin = toOrigin(presenter)
  return listOrigins(state).some(([known]) => known === origin)
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

/** Adds a leaf. A new `rotated_at` restarts the windows. */
function fork(state: RefreshState, origin: string, anew: Partial<Pick<RefreshState, 'rotated_at'>>) {
  const { parent_generation, rotated_at, presented_at } = state
  const handed = state.generation + 1
  const origins = listOrigins(state).filter(([known]) => known !== origin)
  if (origins.length < MOST_ORIGINS) origins.push([origin, handed])
  const forks = { first: firstLeaf(state), origins }
  const next = { parent_generation, rotated_at, presented_at, ...anew, generation: handed, forks }
  return { verdict: 'forked', handed, next } as const
}

/**
 * Notes that the client has a leaf: the parent is accepted for one more window and not recovered
 * later.
 */
function markPresented({ presented_at, ...state }: RefreshState, now: number): RefreshState {
  return { ...state, presented_at: presented_at ?? now }
}

/**
 * The origins that received a leaf, with its generation. Without forks, that is the origin seen
 * last.
 */
function listOrigins(state: RefreshState): (readonly [origin: string, generation: number])[] {
  if (state.forks !== null) return [...state.forks.origins]
  const { seen_ip, seen_user_agent, generation } = state
  return [[toOrigin({ ip: seen_ip ?? undefined, userAgent: seen_user_agent ?? undefined }), generation]]
}

function isSameClient(state: RefreshState, origin: string, { device }: Presenter): boolean {
  if (device !== undefined && device === state.device) return true
  const agent = parseAgent(origin)
  return agent !== '' && listOrigins(state).some(([known]) => parseAgent(known) === agent)
}
