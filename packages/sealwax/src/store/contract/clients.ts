/** An API client: a machine with scopes of its own. Times are milliseconds since 1970. */
export interface ClientRow {
  readonly id: string
  /** For people; it need not be unique. */
  readonly name: string
  /** All that it may ask for. */
  readonly scopes: readonly string[]
  /** Raised whenever it may do less; its tokens that carry a lower one are stale. */
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
  /** Null: the current one. Else it was replaced, and serves until then. */
  readonly expires_at: number | null
}

export type ClientWithSecrets = ClientRow & { readonly secrets: readonly ClientSecretRow[] }

type ClientChange = Partial<Pick<ClientRow, 'name' | 'scopes' | 'ver' | 'disabled_at'>> & { updated_at: number }

/** Facts about API clients. Not found is undefined. */
export interface Clients {
  insert(client: ClientRow): Promise<void>
  byId(id: string): Promise<ClientRow | undefined>
  /** A client and all its secrets, expired ones too, in one statement. */
  withSecrets(id: string): Promise<ClientWithSecrets | undefined>
  /** Reads a client so that no other transaction changes it or its secrets before this one ends. */
  lock(id: string): Promise<ClientRow | undefined>
  /** Ordered by id, after the given id. */
  list(page: { after?: string | undefined; limit: number }): Promise<ClientRow[]>
  change(id: string, change: ClientChange): Promise<void>
  /** Deletes a client with its secrets. */
  delete(id: string): Promise<boolean>
  /** All secrets of these clients, expired ones too. */
  secretsOf(ids: readonly string[]): Promise<ClientSecretRow[]>
  insertSecret(secret: ClientSecretRow): Promise<void>
  expireSecret(id: string, at: number): Promise<void>
  deleteSecret(id: string): Promise<void>
}
