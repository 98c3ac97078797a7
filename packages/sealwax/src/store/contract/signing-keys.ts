/** A signing key. Its state follows from these times (milliseconds since 1970) and nothing else. */
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
  readonly signs_from: number
}

/** Facts about signing keys. A taken sequence throws `Conflict`. */
export interface SigningKeys {
  insert(key: SigningKeyRow): Promise<void>
  /** All keys, oldest first. */
  list(): Promise<SigningKeyRow[]>
}
