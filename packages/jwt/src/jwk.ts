import type { AlgorithmRow } from './algorithms.ts'
import { algorithms, defaultAlgorithm } from './algorithms.ts'
import { decodeBase64url } from './compact.ts'
import { JwtError } from './errors.ts'
import { describeValue } from './options.ts'
import { checkEd25519Point, checkRsaPublicKey } from './weak-keys.ts'

/**
 * A JSON Web Key (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2, RFC 9964). Members not listed are
 * allowed and ignored.
 */
export interface Jwk {
  /** Key type: `EC`, `OKP`, `RSA`, `AKP` or `oct`. */
  kty: string
  /** Key identifier. */
  kid?: string
  /** The algorithm the key is for. */
  alg?: string
  /** `sig` for signature keys. */
  use?: string
  /** The operations the key is for, such as `sign` and `verify`. */
  key_ops?: string[]
  /** The curve of an EC or OKP key. */
  crv?: string
  /** The x coordinate of an EC key; the public key of an OKP key. */
  x?: string
  /** The y coordinate of an EC key. */
  y?: string
  /** The modulus of an RSA key. */
  n?: string
  /** The public exponent of an RSA key. */
  e?: string
  /** The private key of an EC or OKP key; the private exponent of an RSA key. */
  d?: string
  /** The first prime of an RSA private key. */
  p?: string
  /** The second prime of an RSA private key. */
  q?: string
  /** The first CRT exponent of an RSA private key. */
  dp?: string
  /** The second CRT exponent of an RSA private key. */
  dq?: string
  /** The CRT coefficient of an RSA private key. */
  qi?: string
  /** The secret of an `oct` key. */
  k?: string
  /** The public key of an AKP key. */
  pub?: string
  /** The seed of the private key of an AKP key. */
  priv?: string
  /** Any other member. */
  [member: string]: unknown
}

/** A JWK with private or secret members. Imports as a signing key. */
export type PrivateJwk = Jwk & ({ d: string } | { k: string } | { priv: string })

/** A JWK without private or secret members. Imports as a verification key. */
export type PublicJwk = Jwk & { d?: never; k?: never; priv?: never }

/** The result of {@link checkJwk}. */
export interface JwkFacts {
  readonly row: AlgorithmRow
  readonly kid: string | undefined
  /** `secret` for an HMAC key, which both signs and verifies. */
  readonly half: 'public' | 'private' | 'secret'
}

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']
const rsaPrivateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi']

const keyTypes: ReadonlySet<string> = new Set(['EC', 'OKP', 'RSA', 'AKP', 'oct'])

export function refuseKey(message: string, cause?: unknown): JwtError {
  return new JwtError('ERR_JWT_KEY', message, cause === undefined ? undefined : { cause })
}

/**
 * Whether a JWK has a member that must not be published (RFC 7517 §9.2, RFC 7518 §6.2.2, §6.3.2,
 * §6.4).
 */
export function hasPrivateMember(jwk: Jwk): boolean {
  return privateMembers.some((member) => jwk[member] !== undefined)
}

/**
 * Returns why a key of a set is to be ignored (RFC 7517 §5): an unsupported type, curve or
 * algorithm, or another use. Returns `undefined` for any other key. A member of the wrong type is
 * left to {@link checkJwk}, which refuses the key as malformed.
 */
export function foreignReason(jwk: Jwk): string | undefined {
  const { kty, crv, alg, use, key_ops: operations } = jwk
  if (typeof kty !== 'string') return undefined
  if (!keyTypes.has(kty)) return 'its key type is not supported'
  if ((kty === 'EC' || kty === 'OKP') && typeof crv === 'string' && !defaultAlgorithm(kty, crv)) {
    return 'its curve is not supported'
  }
  if (typeof alg === 'string' && !algorithms.has(alg)) return 'its algorithm is not supported'
  if (typeof use === 'string' && use !== 'sig') return 'its use is not sig'
  if (Array.isArray(operations) && !operations.includes('verify')) return 'its key_ops does not include verify'
  return undefined
}

/**
 * Why a key does not count for an issuer: Microsoft Entra adds an `issuer` to the keys of a set
 * that several tenants share, in which `{tenantid}` stands for any of them.
 */
export function otherIssuerReason(jwk: Jwk, issuer: string): string | undefined {
  const { issuer: named } = jwk as { readonly issuer?: unknown }
  if (typeof named !== 'string') return undefined
  const [before = '', after] = named.split('{tenantid}')
  if (after === undefined) return named === issuer ? undefined : 'it belongs to another issuer'
  const tenant = issuer.slice(before.length, issuer.length - after.length)
  return named.replace('{tenantid}', () => tenant) === issuer && /^[\w-]+$/.test(tenant)
    ? undefined
    : 'it belongs to another issuer'
}

/**
 * Checks a JWK before it is imported: types, agreement of `kty`, `crv` and `alg`, use, canonical
 * base64url, exact lengths, sizes, known weaknesses. OpenSSL checks that a point is on its curve.
 *
 * @param alg The caller's algorithm; it must match the key.
 * @param operation What the key will be used for, compared with `key_ops`.
 * @throws {JwtError} `ERR_JWT_KEY`
 */
export function checkJwk(jwk: Jwk, alg: string | undefined, operation: 'sign' | 'verify' | undefined): JwkFacts {
  const row = resolveAlgorithm(jwk, alg)
  const half = row.kty === 'oct' ? 'secret' : privateKeyOf(jwk) === undefined ? 'public' : 'private'
  checkUse(jwk, operation ?? (half === 'public' ? 'verify' : 'sign'))
  const kid = jwk.kid
  if (kid !== undefined) checkKid(kid, 'kid of the JWK')
  if (half === 'public' && hasPrivateMember(jwk))
    throw refuseKey(`the JWK has private members but no ${row.kty === 'AKP' ? 'priv' : 'd'}`)
  if (row.kty !== 'oct' && jwk.k !== undefined) throw refuseKey('the JWK mixes a secret with a public key')
  if (row.kty === 'oct') checkSecret(octets(jwk, 'k'), row)
  else if (row.kty === 'RSA') checkRsa(jwk, half)
  else if (row.kty === 'AKP') checkSeedKey(jwk, row, half)
  else checkCurveKey(jwk, row, half)
  return { row, kid, half }
}

/**
 * Refuses a `kid` that is not accepted in a header.
 *
 * @param name Where the `kid` was given, for the message.
 */
export function checkKid(kid: unknown, name: string): asserts kid is string {
  if (typeof kid !== 'string' || kid === '' || kid.length > 256 || !kid.isWellFormed()) {
    throw refuseKey(`${name} must be a string of 1 to 256 characters (got ${describeKid(kid)})`)
  }
}

function describeKid(kid: unknown): string {
  if (typeof kid !== 'string' || kid.length === 0) return describeValue(kid)
  return kid.length > 256 ? `${kid.length} characters` : 'a lone surrogate'
}

/**
 * Refuses a secret that is shorter than its hash (RFC 7518 §3.2), has only one octet value, or is a
 * PEM key.
 */
export function checkSecret(secret: Uint8Array, row: AlgorithmRow): void {
  if (secret.length < row.hashLength) {
    throw refuseKey(`a secret for ${row.alg} must have at least ${row.hashLength} octets (RFC 7518 section 3.2)`)
  }
  const first = secret[0]
  if (secret.every((octet) => octet === first)) throw refuseKey('all octets of the secret are the same')
  if (new TextDecoder().decode(secret.subarray(0, 64)).includes('-----BEGIN ')) {
    throw refuseKey('the octets of the secret are a PEM key; pass the PEM as a string instead')
  }
}

function resolveAlgorithm(jwk: Jwk, wanted: string | undefined): AlgorithmRow {
  if (typeof jwk.kty !== 'string') throw refuseKey('the JWK has no kty')
  if (jwk.alg !== undefined && typeof jwk.alg !== 'string') throw refuseKey('alg of the JWK is not a string')
  if (jwk.crv !== undefined && typeof jwk.crv !== 'string') throw refuseKey('crv of the JWK is not a string')
  if (jwk.kty === 'AKP' && jwk.alg === undefined) throw refuseKey('a JWK of type AKP needs alg')
  const name = wanted ?? jwk.alg
  const row = name === undefined ? defaultAlgorithm(jwk.kty, jwk.crv) : algorithms.get(name)
  if (row === undefined) {
    throw refuseKey(
      name === undefined && jwk.kty === 'oct'
        ? 'a secret has no default algorithm: set alg'
        : 'the key type, curve or algorithm is not supported',
    )
  }
  if (jwk.alg !== undefined && algorithms.get(jwk.alg)?.scheme !== row.scheme) {
    throw refuseKey(`alg of the JWK is not ${row.alg}`)
  }
  if (row.kty !== jwk.kty || row.crv !== jwk.crv)
    throw refuseKey(`a key of this type and curve cannot be used with ${row.alg}`)
  return row
}

function checkUse(jwk: Jwk, operation: 'sign' | 'verify'): void {
  if (jwk.use !== undefined && jwk.use !== 'sig') throw refuseKey('use of the JWK is not sig')
  const operations: unknown = jwk.key_ops
  if (operations === undefined) return
  if (!Array.isArray(operations) || operations.some((one) => typeof one !== 'string')) {
    throw refuseKey('key_ops of the JWK is not a list of strings')
  }
  if (new Set(operations).size !== operations.length) throw refuseKey('key_ops of the JWK repeats a value')
  if (!operations.includes(operation)) throw refuseKey(`key_ops of the JWK does not include ${operation}`)
}

function checkRsa(jwk: Jwk, half: 'public' | 'private' | 'secret'): void {
  if (jwk.oth !== undefined) throw refuseKey('RSA keys of more than two primes are not supported')
  checkRsaPublicKey(octets(jwk, 'n'), octets(jwk, 'e'))
  if (half === 'private') for (const member of rsaPrivateMembers) octets(jwk, member)
}

function checkCurveKey(jwk: Jwk, row: AlgorithmRow, half: 'public' | 'private' | 'secret'): void {
  const x = octets(jwk, 'x', row.coordinateLength)
  if (row.kty === 'EC') octets(jwk, 'y', row.coordinateLength)
  else checkEd25519Point(x)
  if (half === 'private') octets(jwk, 'd', row.coordinateLength)
}

/** RFC 9964: the private key is its seed of 32 octets. */
function checkSeedKey(jwk: Jwk, row: AlgorithmRow, half: 'public' | 'private' | 'secret'): void {
  octets(jwk, 'pub', row.coordinateLength)
  if (half === 'private') octets(jwk, 'priv', 32)
}

const privateKeyOf = (jwk: Jwk) => (jwk.kty === 'AKP' ? jwk.priv : jwk.d)

function octets(jwk: Jwk, member: string, length?: number): Uint8Array {
  const text = jwk[member]
  const value = typeof text === 'string' && text !== '' ? decodeBase64url(text) : undefined
  if (value === undefined) throw refuseKey(`${member} of the JWK is not canonical base64url`)
  if (length !== undefined && value.length !== length) {
    throw refuseKey(`${member} of the JWK is not exactly ${length} octets`)
  }
  return value
}
