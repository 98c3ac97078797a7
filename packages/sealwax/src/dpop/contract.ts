import type {} from '../core/unit-of-work.ts'

declare module '../core/unit-of-work.ts' {
  interface Facts {
    readonly usedProofs: UsedProofs
  }
}

/** The proofs that were used, for all processes. Each is used once. */
export interface UsedProofs {
  /**
   * Adds a proof.
   *
   * @param hash identifies it among those of all keys
   * @param until when the row may be deleted, in milliseconds since 1970
   * @returns false if it was used before, also by a transaction that runs now
   */
  insert(hash: string, until: number): Promise<boolean>
  /** Deletes up to `limit` rows whose `until` has passed. Returns how many, 0 when none is left. */
  purge(now: number, limit: number): Promise<number>
}
