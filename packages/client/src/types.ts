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
  readonly roles: readonly string[]
  readonly email?: string
  readonly email_verified?: boolean
  readonly name?: string | null
  readonly attributes?: Readonly<Record<string, unknown>>
  /** ISO 8601. */
  readonly created_at?: string
}

/** One of the sessions of the user, as `GET /sessions` returns it. Times are in ISO 8601. */
export interface UserSession {
  readonly id: string
  /** Whether it is the session of this client. */
  readonly current: boolean
  readonly created_at: string
  readonly last_seen_at: string
  readonly expires_at: string
  readonly ip?: string
  readonly user_agent?: string
}

/** Who is logged in, as the access token says. */
export interface Session {
  /** `sid` of the access token. */
  readonly id: string
  /** `sub` of the access token. */
  readonly userId: string
  readonly roles: readonly string[]
  /** When the session ends at the latest, in ISO 8601. */
  readonly expiresAt: string
}
