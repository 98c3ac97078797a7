import type {} from '../core/unit-of-work.ts'

declare module '../core/unit-of-work.ts' {
  interface Facts {
    readonly clients: Clients
  }
}

/** An API client: a machine with its own scopes. Times are in milliseconds since 1970. */
export interface ClientRow {
  readonly id: string
  /** A name for people, not unique. */
  readonly name: string
  /** The scopes that it may request. */
  readonly scopes: readonly string[]
  /** Raised when it loses a right. Tokens with a lower one are stale. */
  readonly ver: number
  readonly disabled_at: number | null
  readonly created_at: number
  readonly updated_at: number
}

/** A secret of a client. */
export interface ClientSecretRow {
  readonly id: string
  readonly client_id: string
  /** SHA-256 of the secret, which is 256 random bits. */
  readonly hash: Uint8Array
  readonly created_at: number
  /** Null for the current secret. A replaced one is valid until then. */
  readonly expires_at: number | null
}

/** A client with all its secrets. */
export type ClientWithSecrets = ClientRow & { readonly secrets: readonly ClientSecretRow[] }

type ClientChange = Partial<Pick<ClientRow, 'name' | 'scopes' | 'ver' | 'disabled_at'>> & { updated_at: number }

/** The API clients. */
export interface Clients {
  /** Inserts a client. */
  insert(client: ClientRow): Promise<void>
  /** Finds a client. */
  byId(id: string): Promise<ClientRow | undefined>
  /** Finds a client with all its secrets, including expired ones, in one statement. */
  withSecrets(id: string): Promise<ClientWithSecrets | undefined>
  /** Reads a client and locks it and its secrets until the transaction ends. */
  lock(id: string): Promise<ClientRow | undefined>
  /** Returns clients after the given id, ordered by id. */
  list(page: { after?: string | undefined; limit: number }): Promise<ClientRow[]>
  /** Changes a client. */
  change(id: string, change: ClientChange): Promise<void>
  /** Deletes a client with its secrets. */
  delete(id: string): Promise<boolean>
  /** Returns all secrets of these clients, including expired ones. */
  secretsOf(ids: readonly string[]): Promise<ClientSecretRow[]>
  /** Inserts a secret. */
  insertSecret(secret: ClientSecretRow): Promise<void>
  /** Sets when a secret expires. */
  expireSecret(id: string, at: number): Promise<void>
  /** Deletes a secret. */
  deleteSecret(id: string): Promise<void>
}
