import type { ValueOrPromise } from '../value-or-promise.ts'

/**
 * Remembers which proofs were used, so that each is accepted once (RFC 9449 §11.1). Processes that
 * serve the same API share one: with Redis, `add` is `SET key 1 NX PX …`.
 */
export interface ProofReplays {
  /**
   * Stores a proof.
   * @param key 43 characters that identify the proof: a hash, which contains nothing secret
   * @param until when it can be forgotten, in milliseconds since 1970
   * @param now milliseconds since 1970
   * @returns false if it was stored before, or may have been
   */
  add(key: string, until: number, now: number): ValueOrPromise<boolean>
}

/** Answers immediately. */
interface ProofMemory extends ProofReplays {
  add(key: string, until: number, now: number): boolean
}

/**
 * Remembers proofs in the memory of this process. If there are too many, it forgets those that
 * expire first, and from then on refuses every proof that expires as early: a used proof is never
 * accepted, and under a flood of proofs new ones still are.
 * @param most how many proofs are kept at most
 */
export function createProofMemory(most: number): ProofMemory {
  /** By the second in which they can be forgotten. */
  const seconds = new Map<number, Set<string>>()
  let size = 0
  /** Proofs that can be forgotten in this second or earlier may have been used, so are refused. */
  let floor = Number.NEGATIVE_INFINITY

  function forget(second: number): void {
    size -= seconds.get(second)?.size ?? 0
    seconds.delete(second)
  }

  return {
    add(key, until, now) {
      for (const second of seconds.keys()) if (second * 1000 < now) forget(second)
      const second = Math.ceil(until / 1000)
      if (second <= floor) return false
      const known = seconds.get(second) ?? new Set()
      if (known.has(key)) return false
      seconds.set(second, known.add(key))
      size += 1
      while (size > most) {
        floor = Math.max(floor, Math.min(...seconds.keys()))
        forget(floor)
      }
      return true
    },
  }
}
