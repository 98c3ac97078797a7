/** A user of the built-in table. Times are milliseconds since 1970. */
export interface UserRow {
  readonly id: string
  /** Normalised: the form two spellings of one address share. */
  readonly email: string
  /** PHC string (argon2id); null when the user cannot log in by password. */
  readonly password_hash: string | null
  readonly roles: readonly string[]
  /** Raised whenever roles change; tokens that carry a lower one are stale. */
  readonly ver: number
  /** Raised before all sessions end; a login that checked an older one inserts nothing. */
  readonly credential_version: number
  readonly disabled_at: number | null
  readonly created_at: number
  readonly updated_at: number
}

/** What may change in a user without touching roles or sessions. */
type UserChange = Partial<Pick<UserRow, 'email' | 'password_hash' | 'disabled_at'>> & { updated_at: number }

/** Facts about users. Not found is undefined; a taken id or email throws `Conflict`. */
export interface Users {
  insert(user: UserRow): Promise<void>
  byId(id: string): Promise<UserRow | undefined>
  byEmail(email: string): Promise<UserRow | undefined>
  /** Reads a user so that no other transaction changes it before this one ends. */
  lock(id: string): Promise<UserRow | undefined>
  /** Ordered by id, after the given id. */
  list(page: { after?: string | undefined; limit: number }): Promise<UserRow[]>
  change(id: string, change: UserChange): Promise<boolean>
  /** Stores the roles and raises `ver` by one, or to `least` if that is higher; answers the new `ver`. */
  setRoles(id: string, roles: readonly string[], raise: { least: number; now: number }): Promise<number | undefined>
  /** Raises `credential_version` by one; answers `ver`, undefined when there is no such user. */
  raiseCredentialVersion(id: string, now: number): Promise<number | undefined>
  delete(id: string): Promise<boolean>
}
