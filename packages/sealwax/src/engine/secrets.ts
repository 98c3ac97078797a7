import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { AuthError } from '../errors.ts'

/** Wraps what is stored, so that neither a stolen database nor a stolen secret alone is worth anything. */
export interface Secrets {
  /** The fingerprint of the secret that wraps; it tells nothing about the secret. */
  readonly fingerprint: string
  /** Those of the whole list. */
  readonly fingerprints: readonly string[]
  /** The fingerprint of the secret that wrapped a value; the value's first octets are enough to tell. */
  fingerprintOf(wrapped: Uint8Array): string
  /** Whether that secret is in the list. */
  has(wrapped: Uint8Array): boolean
  /** AES-256-GCM; the place (table, row, column) is bound to the value, which opens nowhere else. */
  wrap(value: Uint8Array, place: string): Uint8Array
  /** Throws `keys_unavailable`, naming the fingerprint it needs, when no secret of the list made the value. */
  unwrap(wrapped: Uint8Array, place: string): Buffer
}

const VERSION = 1
const FINGERPRINT_BYTES = 8
const IV_BYTES = 12
const TAG_BYTES = 16
const HEAD = 1 + FINGERPRINT_BYTES + IV_BYTES

/**
 * A wrapped value is version ‖ fingerprint ‖ nonce ‖ tag ‖ ciphertext.
 *
 * @param list the first entry wraps, all of them unwrap.
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
  const fingerprintOf = (wrapped: Uint8Array) => bufferOf(wrapped).toString('hex', 1, 1 + FINGERPRINT_BYTES)
  const keyOf = (wrapped: Uint8Array) => (wrapped[0] === VERSION ? keys.get(fingerprintOf(wrapped)) : undefined)
  return {
    fingerprint: wrapper.toString('hex'),
    fingerprints: [...keys.keys()],
    fingerprintOf,
    has: (wrapped) => keyOf(wrapped) !== undefined,
    wrap(value, place) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', wrappingKey, iv).setAAD(Buffer.from(place))
      const ciphertext = Buffer.concat([cipher.update(value), cipher.final()])
      return Buffer.concat([Buffer.of(VERSION), wrapper, iv, cipher.getAuthTag(), ciphertext])
    },
    unwrap(wrapped, place) {
      const blob = bufferOf(wrapped)
      const key = keyOf(blob)
      if (key === undefined) throw missingSecret([fingerprintOf(blob)])
      const decipher = createDecipheriv('aes-256-gcm', key, blob.subarray(1 + FINGERPRINT_BYTES, HEAD))
      decipher.setAAD(Buffer.from(place)).setAuthTag(blob.subarray(HEAD, HEAD + TAG_BYTES))
      const value = decipher.update(blob.subarray(HEAD + TAG_BYTES))
      // GCM holds nothing back: what is left to do is to check the tag.
      decipher.final()
      return value
    },
  }
}

/** What is stored cannot be opened. Fingerprints may be shown: they tell which secret is meant, and nothing about it. */
export function missingSecret(fingerprints: readonly string[]): AuthError {
  const names = fingerprints.join(', ')
  return new AuthError('keys_unavailable', `The server secret with the fingerprint ${names} is missing`, {
    retryAfter: 30,
  })
}

/** The same octets, not a copy. */
function bufferOf(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
}

function fingerprintBytes(secret: string): Buffer {
  return derive(secret, 'sealwax fingerprint', FINGERPRINT_BYTES)
}

function derive(secret: string, purpose: string, size: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, size))
}
