import type {} from './unit-of-work.ts'

declare module './unit-of-work.ts' {
  interface Facts {
    readonly metadata: Metadata
  }
}

/**
 * Set while the database is being copied to another one, and after that. Every transaction then
 * throws `temporarily_unavailable`.
 */
export const SEALED = 'sealed'

/**
 * The epoch of the feed, a random value in every cursor. A cursor of another epoch gets a snapshot.
 */
export const FEED_EPOCH = 'feed_epoch'
/**
 * The Postgres timeline under which the epoch was created. On another timeline the epoch is
 * replaced.
 */
export const FEED_TIMELINE = 'feed_timeline'
/**
 * The last migration that a server must know to run on this schema. An empty database has it too.
 */
export const SCHEMA_NEEDS = 'schema_needs'

/** Named values of the installation, such as the epoch of the revocation feed. */
export interface Metadata {
  /** Returns a value, or undefined. */
  get(name: string): Promise<string | undefined>
  /** Stores a value. */
  set(name: string, value: string): Promise<void>
  /** Stores a value unless there is one already; returns the stored value. */
  getOrSet(name: string, value: string): Promise<string>
}
