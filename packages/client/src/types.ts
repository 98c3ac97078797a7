/** The body of a successful log-in or refresh (docs/sessions.md). */
export interface TokenResponse {
  readonly access_token: string
  readonly expires_in: number
  readonly refresh_token?: string
  readonly device_token?: string
  readonly session: { readonly id: string; readonly expires_at: string; readonly remember: boolean }
  readonly user?: User
}

/** A user, as `GET /me` returns it. Users of the application have only `id` and `roles`. */
export interface User {
  /** `sub` of the access token. */
  readonly id: string
  /** Those of the access token. */
  readonly roles: readonly string[]
  /** The address for log-in. */
  readonly email?: string
  /** Whether the user has shown that the address is theirs. */
  readonly email_verified?: boolean
  /** Null if there is none. */
  readonly name?: string | null
  /** What the application stores with the user. */
  readonly attributes?: Readonly<Record<string, unknown>>
  /** ISO 8601. */
  readonly created_at?: string
}

/** One of the sessions of the user, as `GET /sessions` returns it. Times are in ISO 8601. */
export interface UserSession {
  /** The claim `sid` of its access tokens. */
  readonly id: string
  /** Whether it is the session of this client. */
  readonly current: boolean
  /** When the user logged in. */
  readonly created_at: string
  /** Rounded down to the hour. */
  readonly last_seen_at: string
  /** When it ends at the latest. */
  readonly expires_at: string
  /** The address from which it was used last. */
  readonly ip?: string
  /** The program that used it last. */
  readonly user_agent?: string
}

/** Who is logged in, as the access token says. */
export interface Session {
  /** `sid` of the access token. */
  readonly id: string
  /** `sub` of the access token. */
  readonly userId: string
  /** `roles` of the access token. The server decides what they allow; the page only shows it. */
  readonly roles: readonly string[]
  /** When the session ends at the latest, in ISO 8601. */
  readonly expiresAt: string
}

/** The body of a log-in. */
export interface Credentials {
  /** The address of the user. */
  readonly email: string
  /** The password of the user. */
  readonly password: string
  /** With `false`, the session ends within a day of its last use. Default true. */
  readonly remember?: boolean
}

/** The body of a sign-up. */
export interface SignUp {
  /** The address of the new user. */
  readonly email?: string
  /** The password of the new user. */
  readonly password: string
  /** As in {@link Credentials}. */
  readonly remember?: boolean
  /** The name of the new user. */
  readonly name?: string
  /** What the application stores with the user. */
  readonly attributes?: Readonly<Record<string, unknown>>
  /** The token of an invitation, instead of `email`. */
  readonly invitation?: string
}

/** What a log-in returns. */
export interface LoggedIn {
  /** The new session. */
  readonly session: Session
  /** The user, as `GET /me` returns it. */
  readonly user: User
}
