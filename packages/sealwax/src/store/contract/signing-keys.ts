/** A signing key. Its state follows from these times (milliseconds since 1970), those of its successors, and nothing else. */
export interface SigningKeyRow {
  /** 1, 2, 3 …: inserting the next number is the race that one process wins. */
  readonly sequence: number
  readonly kid: string
  readonly alg: string
  /** The public JWK; null for HMAC, which has none. */
  readonly public_jwk: Readonly<Record<string, unknown>> | null
  /** The private or secret JWK as JSON, wrapped by the server secret. */
  readonly private_jwk: Uint8Array
  readonly created_at: number
  /** When it begins to sign, unless a key of a higher sequence does so first. */
  readonly signs_from: number
  readonly revoked_at: number | null
  /** The longest life, in milliseconds, that any server gives the tokens it signs. */
  readonly access_ttl: number
  /** The last state that was told to the audit log. */
  readonly announced: string
}

/** Facts about signing keys. A taken sequence throws `Conflict`. */
export interface SigningKeys {
  insert(key: SigningKeyRow): Promise<void>
  /** All keys, oldest first. */
  list(): Promise<SigningKeyRow[]>
  /** The same, so that no other transaction changes one before this one ends. */
  lock(): Promise<SigningKeyRow[]>
  /** Lets a key sign earlier than planned; false when it already does, is revoked, or is unknown. */
  signSooner(kid: string, at: number): Promise<boolean>
  /** Notes that tokens may live so long, where a key only knows of a shorter life. */
  raiseAccessTtl(ttl: number): Promise<void>
  /** False when it is revoked already, or unknown. */
  revoke(kid: string, at: number): Promise<boolean>
  /** Notes that a state was told; false when somebody else told it first. */
  announce(kid: string, from: string, to: string): Promise<boolean>
  /** Replaces the wrapped private key if it is still the one that was read. */
  rewrap(kid: string, from: Uint8Array, to: Uint8Array): Promise<boolean>
  /** False when it is gone already. */
  delete(kid: string): Promise<boolean>
}
