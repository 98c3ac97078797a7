/** While this name has a value the database is being moved, or has been: every transaction is refused with `temporarily_unavailable`. */
export const SEALED = 'sealed'

/** The name of the feed's epoch: a random value, in every cursor. A cursor of another epoch gets a full snapshot. */
export const FEED_EPOCH = 'feed_epoch'
/** The timeline of Postgres that the epoch was made under. A database on another one replaces the epoch first. */
export const FEED_TIMELINE = 'feed_timeline'
/** The last migration that a server must know to run on this schema. It belongs to the schema, so an empty database has it, too. */
export const SCHEMA_NEEDS = 'schema_needs'

/** Named values of the installation, such as the epoch of the revocation feed. */
export interface Metadata {
  get(name: string): Promise<string | undefined>
  set(name: string, value: string): Promise<void>
  /** Stores a value only if the name has none yet; answers the value that stands. */
  getOrSet(name: string, value: string): Promise<string>
}
