import type {} from '../core/unit-of-work.ts'

declare module '../core/unit-of-work.ts' {
  interface Facts {
    readonly subjectVersions: SubjectVersions
  }
}

/**
 * The version of each subject whose sessions were all ended recently. It is kept when the sessions
 * and the user are deleted: later sessions get it, too, including those of subjects without a row
 * in `users` and of users who were deleted and created again.
 */
export interface SubjectVersions {
  /**
   * Returns a version, with a shared lock: no other transaction may raise it until this one ends.
   */
  read(subject: string): Promise<number | undefined>
  /**
   * Returns a version, with an exclusive lock: no other transaction may read it until this one
   * ends.
   */
  lock(subject: string): Promise<number | undefined>
  /**
   * Stores a version.
   *
   * @param until when the row may be deleted, in seconds since 1970
   */
  set(subject: string, ver: number, until: number): Promise<void>
  /** Deletes up to `limit` rows whose `until` has passed. Returns how many, 0 when none is left. */
  purge(now: number, limit: number): Promise<number>
}
