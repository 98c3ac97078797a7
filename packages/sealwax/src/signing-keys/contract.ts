import type {} from '../core/unit-of-work.ts'

declare module '../core/unit-of-work.ts' {
  interface Facts {
    readonly signingKeys: SigningKeys
  }
}

/**
 * A signing key. Its state depends only on its times and those of its successors. Times are in
 * milliseconds since 1970.
 */
export interface SigningKeyRow {
  /**
   * 1, 2, 3 …: if several processes create the next key at the same time, only one can insert its
   * number.
   */
  readonly sequence: number
  readonly kid: string
  readonly alg: string
  /** The public JWK; null for HMAC, which has none. */
  readonly public_jwk: Readonly<Record<string, unknown>> | null
  /** The private or secret JWK as JSON, wrapped by the server secret. */
  readonly private_jwk: Uint8Array
  readonly created_at: number
  /** When it begins to sign, unless a key with a higher sequence does so first. */
  readonly signs_from: number
  readonly revoked_at: number | null
  /** The longest lifetime of its tokens on any server, in milliseconds. */
  readonly access_ttl: number
  /** The last state that was written to the audit log. */
  readonly announced: string
}

/** The signing keys. */
export interface SigningKeys {
  /** Inserts a key. Throws `Conflict` when its sequence is taken. */
  insert(key: SigningKeyRow): Promise<void>
  /** Returns all keys, oldest first. */
  list(): Promise<SigningKeyRow[]>
  /** Returns all keys, oldest first, locked against changes until the transaction ends. */
  lock(): Promise<SigningKeyRow[]>
  /**
   * Moves `signs_from` to an earlier time. False when it is not later, or the key is revoked or
   * unknown.
   */
  signSooner(kid: string, at: number): Promise<boolean>
  /** Raises `access_ttl` of all keys to at least this. */
  raiseAccessTtl(ttl: number): Promise<void>
  /** Revokes a key. False when it is unknown or already revoked. */
  revoke(kid: string, at: number): Promise<boolean>
  /** Changes `announced`. False when another process did it first. */
  announce(kid: string, from: string, to: string): Promise<boolean>
  /** Replaces the wrapped private key, unless it has changed since it was read. */
  rewrap(kid: string, from: Uint8Array, to: Uint8Array): Promise<boolean>
  /** Deletes a key. False when there is none. */
  delete(kid: string): Promise<boolean>
}
