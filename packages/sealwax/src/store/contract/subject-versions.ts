/**
 * The version of each subject whose sessions were all ended lately. It outlives the sessions and the user: whoever logs in afterwards carries it, also a
 * subject without a row in `users`, and a user who was deleted and created again.
 */
export interface SubjectVersions {
  /** Until this transaction ends no other one raises this subject's version; those that only read it go on. */
  read(subject: string): Promise<number | undefined>
  /** Until this transaction ends no other one reads or raises this subject's version. */
  lock(subject: string): Promise<number | undefined>
  /** @param until seconds since 1970: the row may be deleted then */
  set(subject: string, ver: number, until: number): Promise<void>
  /** Deletes up to `limit` rows whose `until` has passed; answers how many, 0 when none is left. */
  purge(now: number, limit: number): Promise<number>
}
