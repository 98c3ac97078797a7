/** The supported HMAC algorithms (RFC 7518 §3.2). A key that verifies can also sign. */
export type HmacAlgorithm = 'HS256' | 'HS384' | 'HS512'

/**
 * The supported public-key algorithms (RFC 7518 §3.3–3.5, RFC 8037 §3.1, RFC 9864 §2.2, RFC
 * 9964). ML-DSA needs a runtime that has it, such as Node 24.7.
 */
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
  | 'ML-DSA-44'
  | 'ML-DSA-65'
  | 'ML-DSA-87'

/** A supported JWS `alg`. `none` is not supported and cannot be added. */
export type Algorithm = AsymmetricAlgorithm | HmacAlgorithm

/** The parameters of one algorithm. */
export interface AlgorithmRow {
  /** The name in the header of a token. */
  readonly alg: Algorithm
  /** The key type (RFC 7518 §6.1, RFC 8037 §2, RFC 9964). */
  readonly kty: 'EC' | 'OKP' | 'RSA' | 'AKP' | 'oct'
  /** The curve an EC or OKP key must be on. */
  readonly crv?: string
  /** Octets of one coordinate (EC), of the encoded point (OKP) or of the public key (AKP). */
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
const rsa = { kty: 'RSA' } as const
const pss = { kty: 'RSA', pss: true } as const

const row = (alg: Algorithm, rest: Omit<AlgorithmRow, 'alg' | 'scheme'>, scheme: string = alg): AlgorithmRow =>
  Object.freeze({ alg, scheme, ...rest })

const ecdsa = (
  alg: Algorithm,
  crv: string,
  coordinateLength: number,
  hash: typeof sha256 | typeof sha384 | typeof sha512,
) => row(alg, { kty: 'EC', crv, coordinateLength, signatureLength: 2 * coordinateLength, ...hash })

/** FIPS 204. The message is not hashed first. */
const mlDsa = (alg: Algorithm, coordinateLength: number, signatureLength: number) =>
  row(alg, { kty: 'AKP', coordinateLength, signatureLength, hashLength: 64 })

const rows: readonly AlgorithmRow[] = [
  ecdsa('ES256', 'P-256', 32, sha256),
  ecdsa('ES384', 'P-384', 48, sha384),
  ecdsa('ES512', 'P-521', 66, sha512),
  row('EdDSA', ed25519, 'Ed25519'),
  row('Ed25519', ed25519),
  row('RS256', { ...rsa, ...sha256 }),
  row('RS384', { ...rsa, ...sha384 }),
  row('RS512', { ...rsa, ...sha512 }),
  row('PS256', { ...pss, ...sha256 }),
  row('PS384', { ...pss, ...sha384 }),
  row('PS512', { ...pss, ...sha512 }),
  mlDsa('ML-DSA-44', 1312, 2420),
  mlDsa('ML-DSA-65', 1952, 3309),
  mlDsa('ML-DSA-87', 2592, 4627),
  row('HS256', { kty: 'oct', signatureLength: 32, ...sha256 }),
  row('HS384', { kty: 'oct', signatureLength: 48, ...sha384 }),
  row('HS512', { kty: 'oct', signatureLength: 64, ...sha512 }),
]

/**
 * The algorithms by name. A Map, so that `__proto__` or `constructor` in a header finds nothing.
 */
export const algorithms: ReadonlyMap<unknown, AlgorithmRow> = new Map(rows.map((one) => [one.alg, one]))

/**
 * The algorithm of a key without `alg`: by curve for EC and OKP, RS256 for RSA, none for a secret.
 */
export function defaultAlgorithm(kty: unknown, crv: unknown): AlgorithmRow | undefined {
  if (kty === 'RSA') return algorithms.get('RS256')
  if (kty !== 'EC' && kty !== 'OKP') return undefined
  return rows.find((one) => one.kty === kty && one.crv === crv)
}
