/** The name of an algorithm that the browser can sign and verify with (RFC 7518 §3.1, RFC 8037). */
export type AlgorithmName = keyof typeof ALGORITHMS

/** What WebCrypto needs to know about an algorithm. */
export interface BrowserAlgorithm {
  /** In words: `HMAC with SHA-256`. */
  readonly title: string
  /** The key type in a JWK. */
  readonly kty: 'oct' | 'RSA' | 'EC' | 'OKP'
  /** The curve in a JWK. */
  readonly crv?: string
  /** For `importKey` and `generateKey`. */
  readonly key: { readonly name: string } & Readonly<Record<string, unknown>>
  /** For `sign` and `verify`. */
  readonly operation: { readonly name: string } & Readonly<Record<string, unknown>>
  /** Octets that a secret must have at least (RFC 7518 §3.2). */
  readonly secretLength?: number
}

const ED25519: BrowserAlgorithm = {
  title: 'EdDSA with the curve Ed25519',
  kty: 'OKP',
  crv: 'Ed25519',
  key: { name: 'Ed25519' },
  operation: { name: 'Ed25519' },
}

const ALGORITHMS = {
  HS256: hmac('SHA-256', 32),
  HS384: hmac('SHA-384', 48),
  HS512: hmac('SHA-512', 64),
  RS256: rsa('SHA-256'),
  RS384: rsa('SHA-384'),
  RS512: rsa('SHA-512'),
  PS256: pss('SHA-256', 32),
  PS384: pss('SHA-384', 48),
  PS512: pss('SHA-512', 64),
  ES256: ecdsa('P-256', 'SHA-256'),
  ES384: ecdsa('P-384', 'SHA-384'),
  ES512: ecdsa('P-521', 'SHA-512'),
  EdDSA: ED25519,
  Ed25519: ED25519,
} satisfies Record<string, BrowserAlgorithm>

function hmac(hash: string, secretLength: number): BrowserAlgorithm {
  return {
    title: `HMAC with ${hash}`,
    kty: 'oct',
    key: { name: 'HMAC', hash },
    operation: { name: 'HMAC' },
    secretLength,
  }
}

function rsa(hash: string): BrowserAlgorithm {
  const name = 'RSASSA-PKCS1-v1_5'
  return { title: `RSA, PKCS #1 v1.5, with ${hash}`, kty: 'RSA', key: { name, hash }, operation: { name } }
}

function pss(hash: string, saltLength: number): BrowserAlgorithm {
  const name = 'RSA-PSS'
  return { title: `RSA, PSS, with ${hash}`, kty: 'RSA', key: { name, hash }, operation: { name, saltLength } }
}

function ecdsa(crv: string, hash: string): BrowserAlgorithm {
  const title = `ECDSA with the curve ${crv} and ${hash}`
  return { title, kty: 'EC', crv, key: { name: 'ECDSA', namedCurve: crv }, operation: { name: 'ECDSA', hash } }
}

/** Returns what WebCrypto needs for the `alg` of a token; undefined for an unknown one. */
export function browserAlgorithm(alg: unknown): BrowserAlgorithm | undefined {
  return isAlgorithm(alg) ? ALGORITHMS[alg] : undefined
}

/** Whether the browser may know an algorithm. Case matters (RFC 7515 §4.1.1). */
export function isAlgorithm(alg: unknown): alg is AlgorithmName {
  return typeof alg === 'string' && Object.hasOwn(ALGORITHMS, alg)
}
