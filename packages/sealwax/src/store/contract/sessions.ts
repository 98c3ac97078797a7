/** One row per session, whatever its age. Times are milliseconds since 1970. */
export interface SessionRow {
  readonly id: string
  readonly subject: string
  readonly client_id: string
  /** The latest generation of the refresh token that was handed out. */
  readonly generation: number
  /** The generation that was presented at the last rotation; null before the first. */
  readonly parent_generation: number | null
  /** When the last rotation was, or the fork that began its windows anew; null before the first rotation. */
  readonly rotated_at: number | null
  /** When a leaf was first presented or confirmed since; null when none was. */
  readonly presented_at: number | null
  /** The leaves when there is more than one; null when the current generation is the only one. */
  readonly forks: Forks | null
  /** The id that the client sent at log-in, if any: it recognizes the device when a reply was lost. */
  readonly device: string | null
  /** The key of this session's refresh tokens, wrapped by the server secret. */
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
  /** The last rotation or fork (or the log-in), and where it came from. */
  readonly seen_at: number
  readonly seen_ip: string | null
  readonly seen_user_agent: string | null
  /** The last use in an hour before that of `seen_at`; null while there is none. What its owner is shown during the hour of `seen_at`. */
  readonly earlier_use: SessionUse | null
  readonly idle_expires_at: number
  readonly absolute_expires_at: number
  /** The latest expiry of any access token issued under this session. */
  readonly access_expires_at: number
  readonly ended_at: number | null
  readonly end_reason: string | null
  /** Whether the session outlives the browser that began it. */
  readonly remember: boolean
  /** The version of its subject when it began; null: an older Sealwax began it. */
  readonly ver: number | null
}

/** Several leaves: the generations from `first` to the current one, and the origins that were handed one. */
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

/** What a refresh decision read, and what must still hold when it is written. The rest of what it reads changes only with these. */
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

/** A session with what a refresh must know of its user, read in one statement. */
export type SessionWithUser = SessionRow & {
  readonly user: { readonly roles: readonly string[]; readonly ver: number; readonly disabled: boolean } | undefined
}

export interface EndedSession {
  readonly id: string
  readonly access_expires_at: number
}

/** The latest expiry of any access token, and the highest version, of several sessions; null when there is none. */
interface Latest {
  readonly access_expires_at: number | null
  readonly ver: number | null
}

/** A session's key as it is stored. */
type WrappedKey = Pick<SessionRow, 'id' | 'hmac_key'>

/** Live sessions that may hold an access token issued at or after `since`, and were begun before `before`. */
interface IssuedSince {
  readonly since: number
  readonly before: number
  readonly now: number
}

/** Facts about sessions. */
export interface Sessions {
  insert(session: SessionRow): Promise<void>
  byId(id: string): Promise<SessionWithUser | undefined>
  /**
   * Live sessions of a subject at `now`, newest first; of those that begun together the one with the greatest id first. `after` is where to go on: a
   * session that the list has shown, live or not.
   */
  list(
    subject: string,
    now: number,
    page?: { after?: Pick<SessionRow, 'id' | 'created_at'> | undefined; limit?: number | undefined },
  ): Promise<SessionRow[]>
  /** The one conditional update of a refresh: false when the session ended or moved on since it was read. */
  advance(id: string, read: SessionState, next: SessionAdvance): Promise<boolean>
  /** Ends one session; undefined when it is unknown or has ended already. */
  end(id: string, at: number, reason: string): Promise<EndedSession | undefined>
  /**
   * Sessions of a subject that must end so that no more than `keep` are left beside `except`, at most `limit`: those that have expired by `now` first, then
   * those used least recently. When there are more than `keep + limit` it chooses among those begun first, and reads no others.
   */
  excess(
    subject: string,
    query: { except: string; keep: number; now: number; limit: number },
  ): Promise<readonly { readonly id: string }[]>
  /** Ends all sessions of a subject that have not ended, but one. */
  endAll(subject: string, at: number, reason: string, except?: string): Promise<Latest & { readonly count: number }>
  /** Of the sessions of a subject that have not ended. */
  latest(subject: string): Promise<Latest>
  /** How many sessions there are that may hold such a token, and of how many subjects. */
  countIssued(issued: IssuedSince): Promise<{ sessions: number; subjects: number }>
  /** Ends those of them whose ids come next after `after`, at most `limit` rows looked at; `last` is where to go on, undefined at the end. */
  endIssued(
    issued: IssuedSince,
    page: { after: string; limit: number; reason: string },
  ): Promise<{ ended: EndedSession[]; last: string | undefined }>
  /** The heads of all wrapped keys, each once: which secrets are in use. */
  wrappers(): Promise<Uint8Array[]>
  /** Sessions whose key has this head. */
  wrappedBy(head: Uint8Array, limit: number): Promise<WrappedKey[]>
  /** Replaces the wrapped key if it is still the one that was read. */
  rewrap(id: string, from: Uint8Array, to: Uint8Array): Promise<boolean>
  /**
   * Forgets up to `limit` sessions that ended, or reached their absolute end, before `before`; answers how many, 0 when none is left or another
   * process has them.
   */
  purge(before: number, limit: number): Promise<number>
}
