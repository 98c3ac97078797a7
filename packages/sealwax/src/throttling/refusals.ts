import { perContext } from '../core/context.ts'
import type { CounterKind } from './limits.ts'

/** A refusal that the store has decided. */
export interface Refusal {
  readonly by: CounterKind
  /** When the attempt can be repeated, in milliseconds since 1970. */
  readonly until: number
}

/**
 * The latest refusals of the store, so that a flood of refused attempts does not reach it. It never
 * allows anything.
 */
interface Refusals {
  /** Returns the refusal of one of these counters that lasts longest, if there is any. */
  find(keys: readonly string[], now: number): Refusal | undefined
  /** Remembers a refusal. */
  add(key: string, refusal: Refusal, now: number): void
}

/** How many counters are remembered; then the oldest one is dropped. */
const MOST_REMEMBERED = 10_000

/** After this time the store is asked again: an operator may have cleared the counters. */
const REMEMBERED_FOR_MS = 2000

/** The refusals of this process. */
export const refusalsOf = perContext((): Refusals => {
  const remembered = new Map<string, Refusal & { readonly since: number }>()
  return {
    find(keys, now) {
      let longest: Refusal | undefined
      for (const key of keys) {
        const found = remembered.get(key)
        if (found === undefined) continue
        const isFresh = now >= found.since && now < Math.min(found.until, found.since + REMEMBERED_FOR_MS)
        if (!isFresh) remembered.delete(key)
        else if (longest === undefined || found.until > longest.until) longest = found
      }
      return longest
    },
    add(key, refusal, now) {
      remembered.delete(key)
      remembered.set(key, { ...refusal, since: now })
      const [oldest] = remembered.keys()
      if (remembered.size > MOST_REMEMBERED && oldest !== undefined) remembered.delete(oldest)
    },
  }
})
