/** The supported HMAC algorithms (RFC 7518 §3.2). A key that verifies can also sign. */
export type HmacAlgorithm = 'HS256' | 'HS384' | 'HS512'

/** The supported public-key algorithms (RFC 7518 §3.3–3.5, RFC 8037 §3.1, RFC 9864 §2.2). */
export type AsymmetricAlgorithm =
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'
  | 'Ed25519'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'

/** A supported JWS `alg`. `none` is not supported and cannot be added. */
export type Algorithm = AsymmetricAlgorithm | HmacAlgorithm

/** The parameters of one algorithm. */
export interface AlgorithmRow {
  /** The name in the header of a token. */
  readonly alg: Algorithm
  /** The key type (RFC 7518 §6.1, RFC 8037 §2). */
  readonly kty: 'EC' | 'OKP' | 'RSA' | 'oct'
  /** The curve an EC or OKP key must be on. */
  readonly crv?: string
  /** Octets of one coordinate (EC) or of the encoded point (OKP). */
  readonly coordinateLength?: number
  /** OpenSSL's name of the hash. Absent for Ed25519, which defines its own. */
  readonly hash?: 'sha256' | 'sha384' | 'sha512'
  /**
   * Octets of the hash. Also the PSS salt length and the minimum HMAC key (RFC 7518 §3.2, §3.5).
   */
  readonly hashLength: number
  /** Octets of a signature. Absent for RSA, where it is the length of the modulus. */
  readonly signatureLength?: number
  /** Whether the padding is RSASSA-PSS (RFC 7518 §3.5). */
  readonly pss?: true
  /**
   * Two names with the same scheme make the same signature (RFC 9864: `EdDSA` is `Ed25519` for an
   * Ed25519 key).
   */
  readonly scheme: string
}

const sha256 = { hash: 'sha256', hashLength: 32 } as const
const sha384 = { hash: 'sha384', hashLength: 48 } as const
const sha512 = { hash: 'sha512', hashLength: 64 } as const
const ed25519 = { kty: 'OKP', crv: 'Ed25519', coordinateLength: 32, hashLength: 64, signatureLength: 64 } as const

const rows: readonly AlgorithmRow[] = [
  { alg: 'ES256', scheme: 'ES256', kty: 'EC', crv: 'P-256', coordinateLength: 32, signatureLength: 64, ...sha256 },
  { alg: 'ES384', scheme: 'ES384', kty: 'EC', crv: 'P-384', coordinateLength: 48, signatureLength: 96, ...sha384 },
  { alg: 'ES512', scheme: 'ES512', kty: 'EC', crv: 'P-521', coordinateLength: 66, signatureLength: 132, ...sha512 },
  { alg: 'EdDSA', scheme: 'Ed25519', ...ed25519 },
  { alg: 'Ed25519', scheme: 'Ed25519', ...ed25519 },
  { alg: 'RS256', scheme: 'RS256', kty: 'RSA', ...sha256 },
  { alg: 'RS384', scheme: 'RS384', kty: 'RSA', ...sha384 },
  { alg: 'RS512', scheme: 'RS512', kty: 'RSA', ...sha512 },
  { alg: 'PS256', scheme: 'PS256', kty: 'RSA', pss: true, ...sha256 },
  { alg: 'PS384', scheme: 'PS384', kty: 'RSA', pss: true, ...sha384 },
  { alg: 'PS512', scheme: 'PS512', kty: 'RSA', pss: true, ...sha512 },
  { alg: 'HS256', scheme: 'HS256', kty: 'oct', signatureLength: 32, ...sha256 },
  { alg: 'HS384', scheme: 'HS384', kty: 'oct', signatureLength: 48, ...sha384 },
  { alg: 'HS512', scheme: 'HS512', kty: 'oct', signatureLength: 64, ...sha512 },
]

/**
 * The algorithms by name. A Map, so that `__proto__` or `constructor` in a header finds nothing.
 */
export const algorithms: ReadonlyMap<unknown, AlgorithmRow> = new Map(rows.map((row) => [row.alg, Object.freeze(row)]))

/**
 * The algorithm of a key without `alg`: by curve for EC and OKP, RS256 for RSA, none for a secret.
 */
export function defaultAlgorithm(kty: unknown, crv: unknown): AlgorithmRow | undefined {
  if (kty === 'RSA') return algorithms.get('RS256')
  if (kty !== 'EC' && kty !== 'OKP') return undefined
  return rows.find((row) => row.kty === kty && row.crv === crv)
}
