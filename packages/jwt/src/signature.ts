import type { KeyObject, SigningOptions } from 'node:crypto'
import {
  constants,
  createHmac,
  sign as cryptoSign,
  verify as cryptoVerify,
  randomFillSync,
  timingSafeEqual,
} from 'node:crypto'
import type { AlgorithmRow } from './algorithms.ts'

/** A key object with the parameters of its algorithm, as node:crypto takes them. */
export type CryptoKeyInput = { key: KeyObject } & SigningOptions

/** What a key object of this package stands for; it never leaves the package. */
export interface KeyMaterial {
  readonly row: AlgorithmRow
  readonly kid: string
  /** Present when the key can sign. For HMAC it is the secret. */
  readonly signInput?: CryptoKeyInput
  /** The public key; for HMAC the secret again. */
  readonly verifyInput: CryptoKeyInput
  /** Octets of a signature. */
  readonly signatureLength: number
}

/** Pairs a key object with the parameters of its algorithm. */
export function cryptoKeyInput(row: AlgorithmRow, key: KeyObject): CryptoKeyInput {
  if (row.kty === 'EC') return { key, dsaEncoding: 'ieee-p1363' } // r ‖ s (RFC 7518 §3.4)
  if (row.pss) return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: row.hashLength }
  if (row.kty === 'RSA') return { key, padding: constants.RSA_PKCS1_PADDING }
  return { key }
}

/** Signs the ASCII text of a JWS signing input. */
export function createSignature(material: KeyMaterial, input: CryptoKeyInput, text: string): Buffer {
  const { row } = material
  const signed = Buffer.from(text, 'latin1')
  // A KeyObject is imported once; a raw secret would be copied into one at each call (6 times slower).
  if (row.kty === 'oct') return mac(row, input, signed)
  // The one-shot calls are as fast as the streaming ones for EC and RSA, and the only ones for Ed25519.
  return cryptoSign(row.hash ?? null, signed, input)
}

/** Whether a signature of exactly `material.signatureLength` octets belongs to the signing input and the key. */
export function checkSignature(material: KeyMaterial, signed: Uint8Array, signature: Uint8Array): boolean {
  const { row, verifyInput } = material
  // timingSafeEqual throws on unequal lengths; the caller has compared them.
  if (row.kty === 'oct') return timingSafeEqual(mac(row, verifyInput, signed), signature)
  return cryptoVerify(row.hash ?? null, signed, verifyInput, signature)
}

function mac(row: AlgorithmRow, input: CryptoKeyInput, signed: Uint8Array): Buffer {
  return createHmac(row.hash ?? 'sha256', input.key)
    .update(signed)
    .digest()
}

/** The base64url of octets, or of a text's UTF-8. */
export function encodeBase64url(value: string | Buffer): string {
  return (typeof value === 'string' ? Buffer.from(value, 'utf8') : value).toString('base64url')
}

const pool = Buffer.alloc(1024)
let poolUsed = pool.length

/** 128 random bits in base64url. They are drawn 64 at a time, since a call to the generator costs more than a token. */
export function randomIdentifier(): string {
  if (poolUsed === pool.length) {
    randomFillSync(pool)
    poolUsed = 0
  }
  poolUsed += 16
  return pool.toString('base64url', poolUsed - 16, poolUsed)
}
