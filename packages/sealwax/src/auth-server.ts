import type { Guard } from '@sealwax/guard'
import type { Duration } from '@sealwax/jwt'
import type { AuditPage } from './engine/audit.ts'
import type { ApiClient, CreateApiClient, IssuedSecret } from './engine/clients.ts'
import type { KeyRevocation, RevokeKeyOptions, SigningKeyInfo } from './engine/key-rotation.ts'
import type { Session } from './engine/session-list.ts'
import type { CreateSession } from './engine/sessions.ts'
import type { TokenResponse } from './engine/tokens.ts'
import type { CreateUser, User } from './engine/users.ts'
import type { Platform } from './http/env.ts'
import type { ForwardedHeader } from './options.ts'

/** An auth server: embed it (`toNodeHandler`, `fetch`), or call its parts from your own code. */
export interface AuthServer {
  /** Answers a request to one of our routes. `platform` tells the address of the other end, where it is known. */
  fetch(request: Request, platform?: Platform): Promise<Response>
  /** Whether a path is one of ours. */
  handles(path: string): boolean
  /**
   * The address of a caller by the rule of `trustProxy`.
   * @param peer the address of the other end of the connection
   * @param forwarded the value of the header that `forwardedHeader` names
   */
  clientAddress(peer: string | undefined, forwarded: string | undefined): string | undefined
  /** The option of this name: the header that `clientAddress` takes. */
  readonly forwardedHeader: ForwardedHeader
  /** Guards your own routes with this server's keys and revocations: no network, no database. */
  readonly guard: Guard
  readonly users: {
    create(user: CreateUser): Promise<User>
    get(id: string): Promise<User | undefined>
    find(email: string): Promise<User | undefined>
    list(page?: { after?: string; limit?: number }): Promise<User[]>
    update(id: string, change: { email?: string; password?: string }): Promise<User>
    setRoles(id: string, roles: readonly string[]): Promise<User>
    disable(id: string): Promise<User>
    enable(id: string): Promise<User>
    delete(id: string): Promise<boolean>
  }
  readonly sessions: {
    create(session: CreateSession): Promise<TokenResponse>
    refresh(refreshToken: string, client?: { ip?: string; userAgent?: string; device?: string }): Promise<TokenResponse>
    /** Says that a refresh token has been stored: for one window more the previous token is still answered, then it is a replay. Throws `invalid_grant`. */
    confirm(refreshToken: string, client?: { ip?: string; userAgent?: string }): Promise<void>
    /** Live sessions, newest first: all of them, or with `limit` a page. `after` is the id of the last session of the page before. */
    list(subject: string, page?: { after?: string; limit?: number }): Promise<Session[]>
    revoke(id: string): Promise<boolean>
    revokeAll(subject: string, options?: { except?: string }): Promise<number>
  }
  readonly keys: {
    list(): Promise<SigningKeyInfo[]>
    rotate(): Promise<SigningKeyInfo[]>
    revoke(kid: string, options?: RevokeKeyOptions): Promise<KeyRevocation>
  }
  /** API clients for machines, which get tokens at `/oauth/token`. */
  readonly clients: {
    create(client: CreateApiClient): Promise<IssuedSecret>
    get(id: string): Promise<ApiClient | undefined>
    list(page?: { after?: string; limit?: number }): Promise<ApiClient[]>
    update(id: string, change: { name?: string; scopes?: readonly string[] }): Promise<ApiClient>
    rotate(id: string, options?: { overlap?: Duration }): Promise<IssuedSecret>
    disable(id: string): Promise<ApiClient>
    enable(id: string): Promise<ApiClient>
    delete(id: string): Promise<boolean>
  }
  readonly audit: {
    list(query?: { before?: number; limit?: number; subject?: string; type?: string }): Promise<AuditPage>
  }
  /** Answers the guards that wait in the feed, so that an HTTP server around this one can close at once. Everything else goes on. */
  drain(): void
  /** Waits for writes under way and closes the store. */
  close(): Promise<void>
}
