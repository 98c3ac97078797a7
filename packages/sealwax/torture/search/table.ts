import { decide, type Presenter, type RefreshDecision, type RefreshState } from '../../src/sessions/refresh-decision.ts'

/** A refresh table, as it is used in the searches. Times are in ticks. */
export type Table = (state: RefreshState, presented: number, presenter: Presenter, now: number) => RefreshDecision

/** The table that the server uses, with a window of the given number of ticks. */
export function tableOf(window: number): Table {
  const limits = { refreshGrace: window, refreshRecovery: Number.MAX_SAFE_INTEGER }
  return (state, presented, presenter, now) => decide(state, presented, presenter, now, limits)
}

/**
 * The former table, which gave the same successor to every client that presented the parent within
 * the window. A search that finds no fault in it proves nothing.
 */
export function formerTableOf(window: number): Table {
  return (state, presented, presenter, now) => {
    const age = state.rotated_at === null ? Infinity : now - state.rotated_at
    const { generation, parent_generation } = state
    const moved = {
      ...{ generation: generation + 1, parent_generation: presented, rotated_at: now },
      ...{ presented_at: null, forks: null },
    }
    if (presented === generation && age < window) {
      return { verdict: 'kept', handed: generation, next: { ...state, presented_at: now } }
    }
    if (presented === generation) return { verdict: 'rotated', handed: generation + 1, next: moved }
    if (presented !== parent_generation) return { verdict: 'replay_detected' }
    if (age < window) return { verdict: 'replayed', handed: generation, next: state }
    const recovered = state.presented_at === null && presenter.userAgent === state.seen_user_agent
    return recovered ? { verdict: 'forked', handed: generation + 1, next: moved } : { verdict: 'replay_detected' }
  }
}

/** A session that has just started. Its first refresh token has generation 1. */
export function begun(owner: Presenter): RefreshState {
  return {
    ...{ generation: 1, parent_generation: null, rotated_at: null, presented_at: null, forks: null },
    ...{ seen_ip: owner.ip ?? null, seen_user_agent: owner.userAgent ?? null, device: null },
  }
}

/** The state after a decision, as the server writes it. */
export function written(state: RefreshState, decision: RefreshDecision, presenter: Presenter): RefreshState {
  if (decision.verdict === 'replay_detected') return state
  if (decision.verdict === 'kept' || decision.verdict === 'replayed') return { ...state, ...decision.next }
  return { ...state, ...decision.next, seen_ip: presenter.ip ?? null, seen_user_agent: presenter.userAgent ?? null }
}

/**
 * The part of a state that determines the future, with relative times and generations, so that
 * equivalent situations are searched once.
 */
export function keyOf(state: RefreshState, now: number, window: number, name: (ip: string | null) => string): string {
  const since = (at: number | null) => (at === null ? '-' : Math.min(now - at, 2 * window))
  const from = (generation: number | null) => (generation === null ? '-' : state.generation - generation)
  const origins = state.forks?.origins.map(([origin, leaf]) => `${name(ipOf(origin))}${from(leaf)}`).join()
  return [
    ...[from(state.parent_generation), since(state.rotated_at), since(state.presented_at)],
    ...(state.forks === null ? [name(state.seen_ip)] : [from(state.forks.first), origins]),
  ].join(' ')
}

function ipOf(origin: string): string {
  return `${origin.slice(0, origin.indexOf(' '))}.1`
}
