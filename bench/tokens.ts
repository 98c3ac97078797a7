import { createSecretKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { type Algorithm, importKey, type JwtPayload, type SigningKey, sign, type VerificationKey } from '@sealwax/jwt'

export const ISSUER = 'https://auth.example.com'
export const AUDIENCE = 'orders-api'
export const TYPE = 'at+jwt'
/** Seconds; long enough for the longest run. */
export const LIFETIME = 43_200

/** One key in the forms that the libraries accept. */
export interface KeySet {
  readonly alg: Algorithm
  readonly ours: SigningKey
  /** What we verify with: the public key, or the secret for HMAC. */
  readonly oursPublic: VerificationKey
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** Absent for HMAC. */
  readonly pem?: { readonly private: string; readonly public: string }
  /** Only for HMAC. */
  readonly secret?: Buffer
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }
const HMAC_OCTETS: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 }

/**
 * Creates a key for an algorithm. RSA keys have 2048 bits. HMAC secrets consist of ASCII
 * characters, because some libraries accept only strings.
 */
export function makeKey(alg: Algorithm): KeySet {
  const octets = HMAC_OCTETS[alg]
  if (octets !== undefined) {
    const secret = Buffer.from(randomBytes(octets).toString('base64url').slice(0, octets))
    const key = createSecretKey(secret)
    const ours = importKey(secret, { alg: alg as 'HS256' })
    return { alg, ours, oursPublic: ours, privateKey: key, publicKey: key, secret }
  }
  const { privateKey, publicKey } = keyPair(alg)
  const pem = {
    private: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    public: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  }
  const ours = importKey(pem.private, { alg }) as SigningKey
  return { alg, ours, oursPublic: importKey(pem.public, { alg, kid: ours.kid }), privateKey, publicKey, pem }
}

function keyPair(alg: Algorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  const namedCurve = CURVES[alg]
  if (namedCurve !== undefined) return generateKeyPairSync('ec', { namedCurve })
  return alg.startsWith('Ed') ? generateKeyPairSync('ed25519') : generateKeyPairSync('rsa', { modulusLength: 2048 })
}

/** Claims as an application passes them. An ES256 token with them has about 450 characters. */
export function claimsOf(index: number): JwtPayload {
  return {
    sub: `u${String(index).padStart(5, '0')}`,
    client_id: 'web',
    sid: Buffer.alloc(16, `session ${index}`).toString('base64url'),
    scope: 'orders',
  }
}

const CLAIMS = Array.from({ length: 128 }, (_, index) => claimsOf(index))

/**
 * Claims made in advance: making them is the work of the application, not of the library that
 * signs.
 */
export function claimsAt(index: number): JwtPayload {
  return CLAIMS[index % CLAIMS.length] as JwtPayload
}

/** A token signed by @sealwax/jwt, which adds `jti`. */
export function tokenOf(key: SigningKey, index: number, claims: JwtPayload = claimsOf(index)): string {
  return sign(claims, key, { issuer: ISSUER, audience: AUDIENCE, typ: TYPE, expiresIn: LIFETIME })
}

/**
 * Different tokens of one key. `renew` replaces the string objects, so that nothing that was cached
 * per string object is found again.
 */
export function tokenPool(key: SigningKey, size: number): { at(index: number): string; renew(): void } {
  const octets = Array.from({ length: size }, (_, index) => Buffer.from(tokenOf(key, index)))
  let strings = octets.map((one) => one.toString('latin1'))
  return {
    at: (index) => strings[index % size] as string,
    renew() {
      strings = octets.map((one) => one.toString('latin1'))
    },
  }
}
