/** While this name has a value the database is being moved, or has been: every transaction is refused with `temporarily_unavailable`. */
export const SEALED = 'sealed'

/** Named values of the installation, such as the epoch of the revocation feed. */
export interface Metadata {
  get(name: string): Promise<string | undefined>
  set(name: string, value: string): Promise<void>
  /** Stores a value only if the name has none yet; answers the value that stands. */
  getOrSet(name: string, value: string): Promise<string>
}
