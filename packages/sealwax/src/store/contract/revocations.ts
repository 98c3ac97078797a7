/** One live revocation as the feed tells it. */
export interface RevocationRow {
  readonly kind: 'sid' | 'sub' | 'ver' | 'kid'
  /** The session id, the subject key, or the key id. */
  readonly key: string
  /** For `ver`: tokens of this subject that carry less are stale. For `sub`: they are revoked. */
  readonly ver: number | null
  /** Seconds since 1970: the entry may be forgotten then. */
  readonly until: number
  /** For `sub`: the session whose tokens are not. */
  readonly except_sid?: string | null
}

/** Entries read from the feed, and where to read on. */
export interface RevocationPage {
  readonly entries: readonly RevocationRow[]
  /**
   * The epoch of the feed, a full stop, then digits and hyphens. Whatever is committed later is found from here, however the transactions overlap;
   * some may come twice.
   */
  readonly cursor: string
  /** Whether more follows from the cursor already. Such a page may have no entries, when those it looked at have expired. */
  readonly more: boolean
  /** Whether the page begins at the beginning: without a cursor, or with one of no use: of another epoch, or the store went back in time. */
  readonly snapshot: boolean
}

export interface ReadRevocations {
  /** In seconds: what is past does not come. */
  readonly now: number
  /** How many rows are looked at, at most. */
  readonly limit: number
}

/** Facts about revocations. */
export interface Revocations {
  /** Appends entries, a thousand as quickly as a few. */
  append(...entries: readonly RevocationRow[]): Promise<void>
  /** What was committed since a cursor, or everything, as far as it still matters, in pages: the work for one is bounded, whatever the cursor. */
  since(cursor: string | undefined, options: ReadRevocations): Promise<RevocationPage>
  /** Forgets up to `limit` entries whose `until` has passed; answers how many, 0 when none is left or another process has them. */
  purge(now: number, limit: number): Promise<number>
}
