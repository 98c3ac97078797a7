import type {} from '../core/unit-of-work.ts'

declare module '../core/unit-of-work.ts' {
  interface Facts {
    readonly revocations: Revocations
  }
}

/** A live revocation. */
export interface RevocationRow {
  readonly kind: 'sid' | 'sub' | 'ver' | 'kid' | 'jti'
  /** The session id, the subject key, the key id, or the token id. */
  readonly key: string
  /** For `ver`: tokens of the subject with a lower `ver` are stale. For `sub`: they are revoked. */
  readonly ver: number | null
  /** When the entry may be deleted, in seconds since 1970. */
  readonly until: number
  /** For `sub`: the session whose tokens stay valid. */
  readonly except_sid?: string | null
}

/** A page of revocations. */
export interface RevocationPage {
  /** Oldest first. */
  readonly entries: readonly RevocationRow[]
  /**
   * Where the next page begins: the epoch of the feed, a full stop, then digits and hyphens. No
   * entry that is committed later is missed, even if transactions overlap; some may be returned
   * twice.
   */
  readonly cursor: string
  /**
   * Whether another page follows. A page may be empty and have a next one, when its entries
   * expired.
   */
  readonly more: boolean
  /**
   * Whether the page begins with the oldest entry: no cursor was given, it is of another epoch, or
   * an older copy of the database was restored.
   */
  readonly snapshot: boolean
}

/** What to read of the feed. */
export interface ReadRevocations {
  /** Seconds since 1970. Entries that expired before are left out. */
  readonly now: number
  /** The maximum number of rows to read, including expired ones. */
  readonly limit: number
}

/** The revocations. */
export interface Revocations {
  /** Appends entries in one statement. */
  append(...entries: readonly RevocationRow[]): Promise<void>
  /**
   * Returns a page of live entries after a cursor, or from the oldest. This takes the same time for
   * any cursor.
   */
  since(cursor: string | undefined, options: ReadRevocations): Promise<RevocationPage>
  /**
   * Deletes up to `limit` entries whose `until` has passed. Returns how many: 0 when none is left,
   * or when another process is deleting them.
   */
  purge(now: number, limit: number): Promise<number>
}
