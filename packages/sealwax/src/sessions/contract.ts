import type {} from '../core/unit-of-work.ts'

declare module '../core/unit-of-work.ts' {
  interface Facts {
    readonly sessions: Sessions
    readonly subjects: Subjects
  }
}

/** A session. Times are in milliseconds since 1970. */
export interface SessionRow {
  readonly id: string
  readonly subject: string
  readonly client_id: string
  /** The latest generation of the refresh token that was issued. */
  readonly generation: number
  /** The generation that was presented at the last rotation; null before the first. */
  readonly parent_generation: number | null
  /**
   * The time of the last rotation, or of the fork that restarted its windows; null before the
   * first.
   */
  readonly rotated_at: number | null
  /** When a leaf was first presented or confirmed since then; null if none was. */
  readonly presented_at: number | null
  /** The leaves, if there are several; null if the current generation is the only one. */
  readonly forks: Forks | null
  /**
   * The device id that the client sent at log-in, if any. It identifies the client if a reply was
   * lost.
   */
  readonly device: string | null
  /** The HMAC key of the refresh tokens, wrapped by the server secret. */
  readonly hmac_key: Uint8Array
  readonly scope: string | null
  /** Roles given at creation; null when they come from the user or `loadSubject`. */
  readonly roles: readonly string[] | null
  readonly claims: Readonly<Record<string, unknown>> | null
  readonly amr: readonly string[]
  readonly auth_time: number
  readonly created_at: number
  readonly created_ip: string | null
  readonly created_user_agent: string | null
  /** The last rotation or fork, or the log-in, and where it came from. */
  readonly seen_at: number
  readonly seen_ip: string | null
  readonly seen_user_agent: string | null
  /**
   * The last use in an earlier hour than `seen_at`, or null: shown to the owner until that hour is
   * over.
   */
  readonly earlier_use: SessionUse | null
  readonly idle_expires_at: number
  readonly absolute_expires_at: number
  /** The latest expiry of any access token issued under this session. */
  readonly access_expires_at: number
  readonly ended_at: number | null
  readonly end_reason: string | null
  /** Whether the session continues after the browser is closed. */
  readonly remember: boolean
  /** The version of its subject when it began; null if an older version of Sealwax began it. */
  readonly ver: number | null
  /** How long its access tokens are valid, in milliseconds; null: as long as `accessTtl` says. */
  readonly access_ttl: number | null
  /**
   * The thumbprint of the key that its refresh tokens are bound to (RFC 9449 §5); null if to none.
   */
  readonly jkt: string | null
}

/**
 * Several leaves: the generations from `first` to the current one, and the origins that received
 * one.
 */
interface Forks {
  readonly first: number
  readonly origins: readonly (readonly [origin: string, generation: number])[]
}

/** A use of a session, and where it came from. */
export interface SessionUse {
  readonly at: number
  readonly ip: string | null
  readonly user_agent: string | null
}

/**
 * What must be unchanged when a refresh is written. Everything else that it reads changes only
 * together with these.
 */
export type SessionState = Pick<SessionRow, 'generation' | 'rotated_at' | 'presented_at'>

/** What a refresh writes. */
export type SessionAdvance = Pick<
  SessionRow,
  | 'generation'
  | 'parent_generation'
  | 'rotated_at'
  | 'presented_at'
  | 'forks'
  | 'seen_at'
  | 'seen_ip'
  | 'seen_user_agent'
  | 'earlier_use'
  | 'idle_expires_at'
  | 'access_expires_at'
>

/** A session, with what a refresh needs to know about its user, read in one statement. */
export type SessionWithUser = SessionRow & {
  readonly user: { readonly roles: readonly string[]; readonly ver: number; readonly disabled: boolean } | undefined
}

interface EndedSession {
  readonly id: string
  readonly access_expires_at: number
}

/**
 * The latest expiry of an access token and the highest version among sessions; null if there are
 * none.
 */
interface Latest {
  readonly access_expires_at: number | null
  readonly ver: number | null
}

/** The stored key of a session. */
type WrappedKey = Pick<SessionRow, 'id' | 'hmac_key'>

/** Live sessions that began before `before` and may have an access token issued since `since`. */
interface IssuedSince {
  readonly since: number
  readonly before: number
  readonly now: number
}

/** The sessions. */
export interface Sessions {
  /** Inserts a session. */
  insert(session: SessionRow): Promise<void>
  /** Finds a session, live or not. */
  byId(id: string): Promise<SessionWithUser | undefined>
  /**
   * Returns the live sessions of a subject at `now`, newest first, in a tie by descending id.
   * `after` is the last session of the previous page, live or not.
   */
  list(
    subject: string,
    now: number,
    page?: { after?: Pick<SessionRow, 'id' | 'created_at'> | undefined; limit?: number | undefined },
  ): Promise<SessionRow[]>
  /** Writes a refresh. False when the session has ended or changed since it was read. */
  advance(id: string, read: SessionState, next: SessionAdvance): Promise<boolean>
  /** Ends one session; undefined when it is unknown or has already ended. */
  end(id: string, at: number, reason: string): Promise<EndedSession | undefined>
  /**
   * Returns sessions of a subject that must end so that at most `keep` are left in addition to
   * `except`: first those that have expired by `now`, then the least recently used. It returns at
   * most `limit`; if there are more than `keep + limit`, it considers only the oldest.
   */
  excess(
    subject: string,
    query: { except: string; keep: number; now: number; limit: number },
  ): Promise<readonly { readonly id: string }[]>
  /** Ends all sessions of a subject that have not ended, except one. */
  endAll(subject: string, at: number, reason: string, except?: string): Promise<Latest & { readonly count: number }>
  /** Returns the latest of the sessions of a subject that have not ended. */
  latest(subject: string): Promise<Latest>
  /** Counts these sessions and their subjects. */
  countIssued(issued: IssuedSince): Promise<{ sessions: number; subjects: number }>
  /**
   * Ends those of these sessions that are among the next `limit` ids after `after`. `last` is the
   * `after` of the next page, undefined at the end.
   */
  endIssued(
    issued: IssuedSince,
    page: { after: string; limit: number; reason: string },
  ): Promise<{ ended: EndedSession[]; last: string | undefined }>
  /** Returns the heads of all wrapped keys, each once. */
  wrappers(): Promise<Uint8Array[]>
  /** Returns sessions whose key has this head. */
  wrappedBy(head: Uint8Array, limit: number): Promise<WrappedKey[]>
  /** Replaces the wrapped key, unless it has changed since it was read. */
  rewrap(id: string, from: Uint8Array, to: Uint8Array): Promise<boolean>
  /**
   * Deletes up to `limit` sessions that ended, or reached their absolute expiry, before `before`.
   * Returns how many: 0 when none is left, or when another process is deleting them.
   */
  purge(before: number, limit: number): Promise<number>
}

/** What sessions need to know about a built-in user. */
export interface SubjectRow {
  readonly roles: readonly string[]
  /** Raised whenever the roles change. */
  readonly ver: number
  readonly disabled_at: number | null
}

/** The built-in users, as subjects of sessions. */
export interface Subjects {
  /**
   * Reads a user and locks it until the transaction ends; undefined if it is not a built-in user.
   */
  lock(subject: string): Promise<SubjectRow | undefined>
  /**
   * Raises `credential_version`, so that a log-in that read an older one inserts nothing. Returns
   * `ver`, or undefined when there is no such user.
   */
  raiseCredentialVersion(subject: string, now: number): Promise<number | undefined>
}
