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
 * A key object that carries the parameters of its algorithm as properties of its own. node:crypto finds them there as it does in a plain
 * `{ key, … }`, but takes a key object for what it is at once: recognising that a plain object is none costs more than an HMAC.
 */
export type CryptoKeyInput = KeyObject & SigningOptions

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
  /** The same RSA key for other algorithms, as they were needed. Present only when the key names no algorithm of its own. */
  readonly others?: Map<string, KeyMaterial>
}

/** The material of an RSA public key that names no algorithm, for an algorithm that the verifier names. */
export function materialFor(material: KeyMaterial, row: AlgorithmRow): KeyMaterial {
  const known = material.others?.get(row.alg)
  if (known !== undefined) return known
  // A key object of its own: the parameters of PSS are kept on it.
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

/** Gives a key object the parameters of its algorithm. */
export function cryptoKeyInput(row: AlgorithmRow, key: KeyObject): CryptoKeyInput {
  if (!row.pss) return key
  return Object.assign(key, { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: row.hashLength })
}

/** Signs the ASCII text of a JWS signing input; answers the signature in base64url. */
export function createSignature(material: KeyMaterial, input: CryptoKeyInput, text: string): string {
  const { row } = material
  // A KeyObject is imported once; a raw secret would be copied into one at each call (6 times slower). Text in and text out spares two buffers.
  if (row.kty === 'oct') {
    return createHmac(row.hash ?? 'sha256', input)
      .update(text, 'latin1')
      .digest('base64url')
  }
  // The one-shot calls are as fast as the streaming ones for EC and RSA, and the only ones for Ed25519.
  const made = cryptoSign(row.hash ?? null, Buffer.from(text, 'latin1'), input)
  return (row.kty === 'EC' ? concatenated(made, material.signatureLength) : made).toString('base64url')
}

/** Whether a signature of exactly `material.signatureLength` octets belongs to the signing input and the key. */
export function checkSignature(material: KeyMaterial, signed: Uint8Array, signature: Uint8Array): boolean {
  const { row, verifyInput } = material
  if (row.kty === 'oct') return isMac(row, verifyInput, signed, signature)
  return cryptoVerify(row.hash ?? null, signed, verifyInput, row.kty === 'EC' ? derOf(signature) : signature)
}

const macOctets = Buffer.alloc(64)

/** The MAC comes as text and is copied into octets that are there: a Buffer made by `digest` takes longer than all that. */
function isMac(row: AlgorithmRow, input: CryptoKeyInput, signed: Uint8Array, signature: Uint8Array): boolean {
  const mac = createHmac(row.hash ?? 'sha256', input)
    .update(signed)
    .digest('binary')
  const length = macOctets.write(mac, 'latin1')
  // timingSafeEqual throws on unequal lengths; the caller has compared them.
  return timingSafeEqual(macOctets.subarray(0, length), signature)
}

// JWS has r ‖ s (RFC 7518 §3.4), OpenSSL a DER SEQUENCE of two INTEGERs (X.690). It converts by itself when asked to, in 15 µs and more;
// these take less than one.

const SEQUENCE = 0x30
const INTEGER = 0x02

/** From DER, as OpenSSL has just made it, to r ‖ s. */
function concatenated(der: Buffer, length: number): Buffer {
  const half = length / 2
  const result = Buffer.alloc(length)
  // Lengths of 128 and more have a second octet; only P-521 reaches them, and only for the SEQUENCE.
  let at = (der[1] as number) < 0x80 ? 2 : 3
  for (const end of [half, length]) {
    const size = der[at + 1] as number
    const from = at + 2
    at = from + size
    // Either side may be shorter or carry a zero octet in front, so that the number is not negative.
    const digits = Math.min(size, half)
    der.copy(result, end - digits, at - digits, at)
  }
  return result
}

/** From r ‖ s of the right length to the one DER that means the same. */
function derOf(signature: Uint8Array): Buffer {
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

/** Writes octets as a positive INTEGER without leading zeros; answers how many octets that took. */
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

/** The base64url of octets, or of a text's UTF-8. */
export function encodeBase64url(value: string | Uint8Array): string {
  return (typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value)).toString('base64url')
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
