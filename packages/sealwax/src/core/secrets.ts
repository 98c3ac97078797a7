import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { AuthError } from '../errors.ts'

/**
 * Encrypts ("wraps") stored keys with the server secret, so that a stolen database or a stolen
 * secret is useless without the other.
 */
export interface Secrets {
  /** The fingerprint of the secret that wraps. It reveals nothing about the secret. */
  readonly fingerprint: string
  /** The fingerprints of the whole list. */
  readonly fingerprints: readonly string[]
  /** The fingerprint of the secret that wrapped a value. The first bytes of the value suffice. */
  fingerprintOf(wrapped: Uint8Array): string
  /** Whether the list has the secret that wrapped a value. */
  has(wrapped: Uint8Array): boolean
  /** Encrypts with AES-256-GCM. The value is bound to its place (table, row, column). */
  wrap(value: Uint8Array, place: string): Uint8Array
  /**
   * Decrypts a value.
   *
   * @throws {AuthError} `keys_unavailable` with the fingerprint of the secret that is missing
   */
  unwrap(wrapped: Uint8Array, place: string): Buffer
  /**
   * Derives a key of 32 bytes for another purpose from each secret, in the order of the list. The
   * first one signs, all of them verify.
   */
  derived(purpose: string): readonly Buffer[]
}

const VERSION = 1
const FINGERPRINT_BYTES = 8
const IV_BYTES = 12
const TAG_BYTES = 16
const HEAD = 1 + FINGERPRINT_BYTES + IV_BYTES

/**
 * Creates the wrapping of a list of secrets. A wrapped value is version ‖ fingerprint ‖ nonce ‖ tag
 * ‖ ciphertext.
 *
 * @param list the first secret wraps, all of them unwrap
 */
export function secretsOf(list: readonly string[], randomBytes: (size: number) => Buffer): Secrets {
  const keys = new Map(
    list.map((secret) => [
      fingerprintBytes(secret).toString('hex'),
      createSecretKey(derive(secret, 'sealwax wrapping key', 32)),
    ]),
  )
  const wrapper = fingerprintBytes(list[0] as string)
  const wrappingKey = keys.get(wrapper.toString('hex')) as KeyObject
  const fingerprintOf = (wrapped: Uint8Array) => toBuffer(wrapped).toString('hex', 1, 1 + FINGERPRINT_BYTES)
  const findKey = (wrapped: Uint8Array) => (wrapped[0] === VERSION ? keys.get(fingerprintOf(wrapped)) : undefined)
  return {
    fingerprint: wrapper.toString('hex'),
    fingerprints: [...keys.keys()],
    fingerprintOf,
    has: (wrapped) => findKey(wrapped) !== undefined,
    wrap(value, place) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', wrappingKey, iv).setAAD(Buffer.from(place))
      const ciphertext = Buffer.concat([cipher.update(value), cipher.final()])
      return Buffer.concat([Buffer.of(VERSION), wrapper, iv, cipher.getAuthTag(), ciphertext])
    },
    unwrap(wrapped, place) {
      const blob = toBuffer(wrapped)
      const key = findKey(blob)
      if (key === undefined) throw missingSecret([fingerprintOf(blob)])
      const decipher = createDecipheriv('aes-256-gcm', key, blob.subarray(1 + FINGERPRINT_BYTES, HEAD))
      decipher.setAAD(Buffer.from(place)).setAuthTag(blob.subarray(HEAD, HEAD + TAG_BYTES))
      const value = decipher.update(blob.subarray(HEAD + TAG_BYTES))
      // GCM has no padding: `final` returns nothing and only checks the tag.
      decipher.final()
      return value
    },
    derived: (purpose) => list.map((secret) => derive(secret, `sealwax ${purpose}`, 32)),
  }
}

/**
 * The error for a stored value that cannot be decrypted. Fingerprints reveal nothing about a
 * secret.
 */
export function missingSecret(fingerprints: readonly string[]): AuthError {
  const names = fingerprints.join(', ')
  return new AuthError('keys_unavailable', `The server secret with the fingerprint ${names} is missing`, {
    retryAfter: 30,
  })
}

/** A view of the same bytes, not a copy. */
function toBuffer(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
}

function fingerprintBytes(secret: string): Buffer {
  return derive(secret, 'sealwax fingerprint', FINGERPRINT_BYTES)
}

function derive(secret: string, purpose: string, size: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, size))
}
