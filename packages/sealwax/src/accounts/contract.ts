import type {} from '../core/unit-of-work.ts'

declare module '../core/unit-of-work.ts' {
  interface Facts {
    readonly users: Users
    readonly userLists: UserLists
    readonly userImports: UserImports
  }
}

/** A built-in user. Times are in milliseconds since 1970. */
export interface UserRow {
  readonly id: string
  /** Normalised, so that all spellings of one address are equal. */
  readonly email: string
  /**
   * A PHC string (argon2id), or until the next log-in a hash of another system; null when the user
   * cannot log in with a password.
   */
  readonly password_hash: string | null
  readonly roles: readonly string[]
  /** Raised when the roles change. Tokens with a lower one are stale. */
  readonly ver: number
  /** Raised when all sessions end. A log-in that read an older one inserts nothing. */
  readonly credential_version: number
  readonly disabled_at: number | null
  /** When the user showed that the address is theirs; null when that has not happened. */
  readonly email_verified_at: number | null
  /** When the user logged in last with the password; null if that never happened. */
  readonly last_login_at: number | null
  readonly name: string | null
  /** What the application stores with the user. */
  readonly attributes: Readonly<Record<string, unknown>> | null
  readonly created_at: number
  readonly updated_at: number
}

/** Changes to a user that affect neither roles nor sessions. */
type UserChange = Partial<
  Pick<UserRow, 'email' | 'email_verified_at' | 'password_hash' | 'disabled_at' | 'name' | 'attributes'>
> & { updated_at: number }

/** Which users a list contains. A condition that is left out matches all. */
export interface UserFilter {
  /** A role that they have. */
  readonly role?: string | undefined
  readonly disabled?: boolean | undefined
  /** Whether they have shown that the address is theirs. */
  readonly verified?: boolean | undefined
}

/** The built-in users. A taken id or e-mail address throws `Conflict`. */
export interface Users {
  /** Inserts a user. */
  insert(user: UserRow): Promise<void>
  /** Finds a user by id. */
  byId(id: string): Promise<UserRow | undefined>
  /** Finds a user by normalised e-mail address. */
  byEmail(email: string): Promise<UserRow | undefined>
  /** Reads a user and locks it until the transaction ends. */
  lock(id: string): Promise<UserRow | undefined>
  /** Changes a user. False when there is none. */
  change(id: string, change: UserChange): Promise<boolean>
  /** Replaces the password hash if it is still `from`. False when it is not. */
  replaceHash(id: string, change: { from: string; to: string }): Promise<boolean>
  /**
   * Stores the roles and raises `ver` by one, or to `least` if that is higher. Returns the new
   * `ver`.
   */
  setRoles(id: string, roles: readonly string[], raise: { least: number; now: number }): Promise<number | undefined>
  /** Sets the time of the last log-in. */
  noteLogin(id: string, now: number): Promise<void>
  /** Deletes a user. False when there is none. */
  delete(id: string): Promise<boolean>
}

/** The lists of users. */
export interface UserLists {
  /** Returns users after the given id, ordered by id. */
  list(page: UserFilter & { after?: string | undefined; limit: number }): Promise<UserRow[]>
  /** Returns users whose address begins with `prefix`, after the given address, ordered by it. */
  listByEmail(prefix: string, page: UserFilter & { after?: string | undefined; limit: number }): Promise<UserRow[]>
  /**
   * Returns users whose name begins with `prefix` in any case, and whose address does not, ordered
   * by name and id. `after` is the last one of the previous page.
   */
  listByName(
    prefix: string,
    page: UserFilter & { after?: Pick<UserRow, 'id' | 'name'> | undefined; limit: number },
  ): Promise<UserRow[]>
}

/** The users that an import finds, and those that it stores. */
export interface UserImports {
  /** Returns those who have one of the ids or addresses. */
  known(ids: readonly string[], emails: readonly string[]): Promise<Pick<UserRow, 'id' | 'email'>[]>
  /** Returns which addresses a user may still return to after a change. */
  reserved(emails: readonly string[], now: number): Promise<{ readonly subject: unknown; readonly email: string }[]>
  /** Inserts those whose id and address are free. Returns their ids. */
  insert(users: readonly UserRow[]): Promise<string[]>
}
