import type { KeyObject, SigningOptions } from 'node:crypto'
import {
  constants,
  createHmac,
  createPublicKey,
  sign as cryptoSign,
  verify as cryptoVerify,
  randomFillSync,
  timingSafeEqual,
} from 'node:crypto'
import type { AlgorithmRow } from './algorithms.ts'

/**
 * A key object with the parameters of its algorithm as properties. node:crypto reads them as from
 * `{ key, … }`, but handles a key object faster: the checks for a plain object take longer than an
 * HMAC.
 */
export type CryptoKeyInput = KeyObject & SigningOptions

/** The material of a key of this package. Never exported. */
export interface KeyMaterial {
  readonly row: AlgorithmRow
  readonly kid: string
  /** Present if the key can sign. For HMAC it is the secret. */
  readonly signInput?: CryptoKeyInput
  /** The public key; for HMAC the secret. */
  readonly verifyInput: CryptoKeyInput
  /** Octets of a signature. */
  readonly signatureLength: number
  /** The same RSA key for other algorithms, filled on demand. Only for keys without an `alg`. */
  readonly others?: Map<string, KeyMaterial>
}

/** The material of an RSA public key without `alg` for another RSA algorithm. */
export function deriveMaterial(material: KeyMaterial, row: AlgorithmRow): KeyMaterial {
  const known = material.others?.get(row.alg)
  if (known !== undefined) return known
  // A separate key object, since the parameters of PSS are stored on it.
  const key = createPublicKey({ key: material.verifyInput.export({ format: 'jwk' }), format: 'jwk' })
  const other = {
    row,
    kid: material.kid,
    verifyInput: cryptoKeyInput(row, key),
    signatureLength: material.signatureLength,
  }
  material.others?.set(row.alg, other)
  return other
}

/** Adds the parameters of its algorithm to a key object. */
export function cryptoKeyInput(row: AlgorithmRow, key: KeyObject): CryptoKeyInput {
  if (!row.pss) return key
  return Object.assign(key, { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: row.hashLength })
}

/** Signs a JWS signing input, which is ASCII. Returns the signature in base64url. */
export function createSignature(material: KeyMaterial, input: CryptoKeyInput, text: string): string {
  const { row } = material
  // A KeyObject is imported once; a raw secret would be copied into one by each call (6 times
  // slower). Strings in and out avoid two buffers.
  if (row.kty === 'oct') {
    return createHmac(row.hash ?? 'sha256', input)
      .update(text, 'latin1')
      .digest('base64url')
  }
  // For EC and RSA as fast as the streaming calls, which do not support Ed25519.
  const made = cryptoSign(row.hash ?? null, Buffer.from(text, 'latin1'), input)
  return (row.kty === 'EC' ? fromDer(made, material.signatureLength) : made).toString('base64url')
}

/**
 * Whether a signature of exactly `material.signatureLength` octets matches the input and the key.
 */
export function checkSignature(material: KeyMaterial, signed: Uint8Array, signature: Uint8Array): boolean {
  const { row, verifyInput } = material
  if (row.kty === 'oct') return isMac(row, verifyInput, signed, signature)
  return cryptoVerify(row.hash ?? null, signed, verifyInput, row.kty === 'EC' ? toDer(signature) : signature)
}

const macOctets = Buffer.alloc(64)

/** Copies the MAC from a string into a shared buffer: faster than a new Buffer from `digest`. */
function isMac(row: AlgorithmRow, input: CryptoKeyInput, signed: Uint8Array, signature: Uint8Array): boolean {
  const mac = createHmac(row.hash ?? 'sha256', input)
    .update(signed)
    .digest('binary')
  const length = macOctets.write(mac, 'latin1')
  // timingSafeEqual throws on different lengths; the caller has compared them.
  return timingSafeEqual(macOctets.subarray(0, length), signature)
}

// JWS uses r ‖ s (RFC 7518 §3.4), OpenSSL a DER SEQUENCE of two INTEGERs (X.690). OpenSSL can
// convert too (`dsaEncoding`), but takes 15 µs or more; the functions below take less than 1 µs.

const SEQUENCE = 0x30
const INTEGER = 0x02

/** Converts DER from OpenSSL to r ‖ s. */
function fromDer(der: Buffer, length: number): Buffer {
  const half = length / 2
  const result = Buffer.alloc(length)
  // A length of 128 or more takes a second octet: only the SEQUENCE of P-521.
  let at = (der[1] as number) < 0x80 ? 2 : 3
  for (const end of [half, length]) {
    const size = der[at + 1] as number
    const from = at + 2
    at = from + size
    // A number may be shorter, or have a leading zero octet that keeps it positive.
    const digits = Math.min(size, half)
    der.copy(result, end - digits, at - digits, at)
  }
  return result
}

/** Converts r ‖ s of the right length to its only DER encoding. */
function toDer(signature: Uint8Array): Buffer {
  const half = signature.length / 2
  const der = Buffer.allocUnsafe(signature.length + 9)
  const sizeR = appendInteger(der, 3, signature, 0, half)
  const sizeS = appendInteger(der, 3 + sizeR, signature, half, signature.length)
  const size = sizeR + sizeS
  const start = size < 0x80 ? 1 : 0
  der[start] = SEQUENCE
  if (start === 0) der[1] = 0x81
  der[2] = size
  return der.subarray(start, 3 + size)
}

/** Writes octets as a positive INTEGER without leading zeros. Returns how many octets it wrote. */
function appendInteger(der: Buffer, at: number, octets: Uint8Array, from: number, to: number): number {
  let first = from
  while (first < to - 1 && octets[first] === 0) first += 1
  const sign = (octets[first] as number) & 0x80 ? 1 : 0
  const size = to - first + sign
  der[at] = INTEGER
  der[at + 1] = size
  der[at + 2] = 0
  for (let i = first; i < to; i += 1) der[at + 2 + sign + i - first] = octets[i] as number
  return 2 + size
}

/** Encodes octets, or the UTF-8 of a string, as base64url. */
export function encodeBase64url(value: string | Uint8Array): string {
  return (typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value)).toString('base64url')
}

const pool = Buffer.alloc(1024)
let poolUsed = pool.length

/**
 * 128 random bits in base64url. 64 identifiers are generated at a time, since a call of the
 * generator for each one would be slow.
 */
export function randomIdentifier(): string {
  if (poolUsed === pool.length) {
    randomFillSync(pool)
    poolUsed = 0
  }
  poolUsed += 16
  return pool.toString('base64url', poolUsed - 16, poolUsed)
}
