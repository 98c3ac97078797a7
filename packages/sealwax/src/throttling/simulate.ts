import { namesOf } from './counter-names.ts'
import { afterFailure, afterSuccess, asOf, type Counter, type CounterKind, decide, expiryOf, UNUSED } from './limits.ts'
import type { TraceEntry } from './trace.ts'

/** What throttling would have done with the attempts of a trace. */
export interface Simulation {
  /** The attempts in the trace. */
  readonly attempts: number
  /** Wrong guesses whose password would be checked. */
  readonly guessesChecked: number
  /** Wrong guesses that would be refused. */
  readonly guessesRefused: number
  /** Refusals by the kind of the counter, with those of the owners. */
  readonly refusedBy: Readonly<Partial<Record<CounterKind, number>>>
  /** The attempts with the right password. */
  readonly ownerLogins: number
  /** How many of them would have to wait. */
  readonly ownerWaited: number
  /** The longest of these waits in seconds, if they come again when `Retry-After` says. */
  readonly longestOwnerWait: number
}

interface Waiting extends TraceEntry {
  /** When it was first tried. */
  readonly since: number
}

/**
 * Runs attempts through the limits, with the same decisions as a server. A device is known to an
 * account after the first log-in with it in the trace. An owner who is refused comes again when
 * `Retry-After` says.
 */
export function simulate(trace: readonly TraceEntry[]): Simulation {
  const counters = createCounters()
  const known = new Set<string>()
  const retries: Waiting[] = []
  const refusedBy: Partial<Record<CounterKind, number>> = {}
  const result = { guessesChecked: 0, guessesRefused: 0, ownerLogins: 0, ownerWaited: 0, longestOwnerWait: 0 }
  const coming = trace.map((entry): Waiting => ({ ...entry, since: entry.time })).sort((a, b) => a.time - b.time)
  for (let i = 0; i < coming.length || retries.length > 0; ) {
    const isRetry = retries[0] !== undefined && retries[0].time <= (coming[i]?.time ?? Infinity)
    const entry = (isRetry ? retries.shift() : coming[i]) as Waiting
    if (!isRetry) i += 1
    const device = JSON.stringify([entry.account.toLowerCase(), entry.device])
    const { wait, by } = counters.attempt(entry, known.has(device))
    if (by !== undefined) {
      refusedBy[by] = (refusedBy[by] ?? 0) + 1
      if (entry.ok) insert(retries, { ...entry, time: entry.time + Math.max(1, Math.ceil(wait / 1000)) * 1000 })
      else result.guessesRefused += 1
    } else if (entry.ok) {
      const waited = (entry.time - entry.since) / 1000
      if (entry.device !== undefined) known.add(device)
      result.ownerLogins += 1
      result.ownerWaited += waited > 0 ? 1 : 0
      result.longestOwnerWait = Math.max(result.longestOwnerWait, waited)
    } else result.guessesChecked += 1
  }
  return { attempts: trace.length, ...result, refusedBy }
}

/** Keeps the list sorted by time. */
function insert(list: Waiting[], entry: Waiting): void {
  const later = list.findIndex(({ time }) => time > entry.time)
  list.splice(later < 0 ? list.length : later, 0, entry)
}

/** Counters in memory. */
function createCounters() {
  const stored = new Map<string, Counter & { readonly expires_at: number }>()
  return {
    /** Decides and counts an attempt. Checking its password takes no time. */
    attempt(
      { account, network, device, ok, time }: TraceEntry,
      isKnown: boolean,
    ): { wait: number; by: CounterKind | undefined } {
      const names = namesOf({ action: 'login', account, ip: network, ...(isKnown && { device }) })
      const kinds = Object.entries(names).map(([kind, { key }]) => [kind as CounterKind, key] as const)
      const read = (kind: CounterKind, key: string): Counter => {
        const row = stored.get(key)
        return row === undefined ? UNUSED : asOf(kind, row, time)
      }
      const before = Object.fromEntries(kinds.map(([kind, key]) => [kind, read(kind, key)]))
      const { wait, refusedBy: by, next } = decide(before, time, 'guess')
      const counted = { before, after: next, nature: 'guess' } as const
      for (const [kind, key] of kinds) {
        let counter = next[kind]
        if (by === undefined) {
          const current = counter ?? read(kind, key)
          counter = ok ? afterSuccess(kind, current, counted) : afterFailure(kind, current, time)
        }
        if (counter !== undefined) stored.set(key, { ...counter, expires_at: expiryOf(kind, counter, time) })
      }
      return { wait, by }
    },
  }
}
