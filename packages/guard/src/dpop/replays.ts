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
   * @param jkt the thumbprint of the key that made it
   * @returns true if it was not stored before
   */
  add(key: string, until: number, now: number, jkt: string): ValueOrPromise<boolean>
}

/** Answers immediately. */
interface ProofMemory extends ProofReplays {
  add(key: string, until: number, now: number, jkt: string): boolean
}

/** The proofs of one client. */
interface Client {
  /** By the second in which they can be forgotten. */
  readonly seconds: Map<number, Set<string>>
  size: number
  /** Proofs that can be forgotten in this second or earlier may have been used: refused. */
  floor: number
}

/**
 * Remembers proofs in the memory of this process. If there are too many, it forgets those of the
 * client with the most that expire first, and from then on refuses all of this client that expire
 * as early: a used proof is never accepted, and the other clients notice nothing.
 * @param most how many proofs are kept at most
 */
export function createProofMemory(most: number): ProofMemory {
  const clients = new Map<string, Client>()
  let size = 0
  let swept = Number.NEGATIVE_INFINITY

  function forget(client: Client, second: number): void {
    const count = client.seconds.get(second)?.size ?? 0
    client.seconds.delete(second)
    client.size -= count
    size -= count
  }

  /** Forgets what has expired; once a second, since it reads everything. */
  function sweep(now: number): void {
    if (Math.abs(now - swept) < 1000) return
    swept = now
    for (const [jkt, client] of clients) {
      for (const second of client.seconds.keys()) if (second * 1000 < now) forget(client, second)
      if (client.size === 0 && client.floor * 1000 < now) clients.delete(jkt)
    }
  }

  function makeRoom(): void {
    while (size > most) {
      let largest: Client | undefined
      for (const client of clients.values()) if (client.size > (largest?.size ?? 0)) largest = client
      if (largest === undefined) return
      largest.floor = Math.max(largest.floor, Math.min(...largest.seconds.keys()))
      forget(largest, largest.floor)
    }
  }

  return {
    add(key, until, now, jkt) {
      sweep(now)
      const client = clients.get(jkt) ?? { seconds: new Map(), size: 0, floor: Number.NEGATIVE_INFINITY }
      const second = Math.ceil(until / 1000)
      if (second <= client.floor) return false
      const known = client.seconds.get(second) ?? new Set()
      if (known.has(key)) return false
      clients.set(jkt, client)
      client.seconds.set(second, known.add(key))
      client.size += 1
      size += 1
      makeRoom()
      return true
    },
  }
}
