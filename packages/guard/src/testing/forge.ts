import {
  constants,
  createHmac,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign as signOctets,
} from 'node:crypto'
import type { Algorithm } from '@sealwax/jwt'

/**
 * A segment of a token before it is encoded: an object is encoded as JSON, a string as UTF-8, bytes
 * as they are.
 */
export type Segment = object | string | Uint8Array

/** Signs a signing input. */
export type Signer = (input: string) => Uint8Array

/** Creates tokens with any content, signed with the key of a test issuer. */
export interface Forge {
  /** The algorithm of the issuer. */
  readonly alg: Algorithm
  /** The id of its key. */
  readonly kid: string
  /** The public key, or the secret of an HMAC key. */
  readonly publicKey: KeyObject
  /** The header of a valid token. */
  readonly header: Readonly<Record<string, unknown>>
  /** The claims of a valid token. */
  readonly claims: Readonly<Record<string, unknown>>
  /** Signs with the key of the issuer. */
  readonly sign: Signer
  /** Signs with another key of the same algorithm. */
  readonly signAsStranger: Signer
  /** That other key. */
  readonly strangerKey: KeyObject
}

/** Generates a private key for an algorithm, or a secret for HMAC. */
export function generateKeySync(alg: Algorithm): KeyObject {
  switch (alg) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    case 'ES384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
    case 'ES512':
      return generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey
    case 'EdDSA':
    case 'Ed25519':
      return generateKeyPairSync('ed25519').privateKey
    case 'ML-DSA-44':
    case 'ML-DSA-65':
    case 'ML-DSA-87':
      return generateMlDsa(alg).privateKey
    case 'HS256':
    case 'HS384':
    case 'HS512':
      return createSecretKey(randomBytes(hashLength(alg)))
    default:
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  }
}

/** The types of node:crypto know ML-DSA from Node 24 on only. */
const generateMlDsa = (alg: Algorithm) => generateKeyPairSync(alg.toLowerCase() as 'ed25519')

/**
 * Returns the signer of an algorithm (RFC 7518 §3) for any string; `key` may be for another
 * algorithm.
 */
export function signerOf(alg: string, key: KeyObject): Signer {
  const hash = `sha${alg.slice(2)}`
  const octets = (input: string) => Buffer.from(input, 'latin1')
  switch (alg.slice(0, 2)) {
    case 'HS':
      return (input) => createHmac(hash, key).update(input).digest()
    case 'ES':
      return (input) => signOctets(hash, octets(input), { key, dsaEncoding: 'ieee-p1363' })
    case 'PS':
      return (input) => signOctets(hash, octets(input), pss(key, hashLength(alg)))
    case 'RS':
      return (input) => signOctets(hash, octets(input), key)
    default:
      return (input) => signOctets(null, octets(input), key)
  }
}

/** The parameters of RSASSA-PSS with a given salt length in bytes. */
export function pss(key: KeyObject, saltLength: number) {
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }
}

/** The length in bytes of the hash that an algorithm such as `HS512` names. */
export function hashLength(alg: string): number {
  return Number(alg.slice(2)) / 8
}

/** Encodes one segment as base64url. */
export function encode(segment: Segment): string {
  if (segment instanceof Uint8Array) return Buffer.from(segment).toString('base64url')
  return Buffer.from(typeof segment === 'string' ? segment : JSON.stringify(segment)).toString('base64url')
}

/** Creates a token in compact form (RFC 7515 §7.1) with any header and payload. */
export function compact(header: Segment, payload: Segment, sign: Signer): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${encode(sign(input))}`
}

/**
 * HMAC with a secret that may be empty, for tokens that are signed with a value that is not secret.
 */
export function hmacSigner(secret: string | Uint8Array, hash = 'sha256'): Signer {
  return (input) => createHmac(hash, secret).update(input).digest()
}
