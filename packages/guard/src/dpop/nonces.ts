import { createHmac, timingSafeEqual } from 'node:crypto'

/** Creates and checks nonces for proofs (RFC 9449 §8). All processes with one secret share them. */
export interface Nonces {
  /**
   * Returns a nonce.
   * @param now milliseconds since 1970
   */
  create(now: number): string
  /**
   * Returns when a nonce stops being accepted, in milliseconds since 1970; `undefined` unless it is
   * one of these and is accepted at `now`.
   */
  expiryOf(nonce: unknown, now: number): number | undefined
}

/** In milliseconds. */
const LIFETIME = 5 * 60_000
/** How far the clock of the process that created the nonce may be ahead, in milliseconds. */
const GREATEST_AHEAD = 60_000
const TIME_BYTES = 6
const MAC_BYTES = 16

/** @param secret at least 32 octets */
export function createNonces(secret: Uint8Array): Nonces {
  const key = Buffer.from(secret)

  function nonceOf(time: number): Buffer {
    const nonce = Buffer.alloc(TIME_BYTES + MAC_BYTES)
    nonce.writeUIntBE(time, 0, TIME_BYTES)
    // The prefix: the secret may be used for something else.
    const mac = createHmac('sha256', key).update('dpop-nonce\0').update(nonce.subarray(0, TIME_BYTES)).digest()
    mac.copy(nonce, TIME_BYTES, 0, MAC_BYTES)
    return nonce
  }

  return {
    create: (now) => nonceOf(now).toString('base64url'),
    expiryOf(nonce, now) {
      if (typeof nonce !== 'string') return undefined
      const octets = Buffer.from(nonce, 'base64url')
      // Only the canonical spelling is accepted.
      if (octets.length !== TIME_BYTES + MAC_BYTES || octets.toString('base64url') !== nonce) return undefined
      const time = octets.readUIntBE(0, TIME_BYTES)
      if (!timingSafeEqual(octets, nonceOf(time))) return undefined
      return time <= now + GREATEST_AHEAD && now < time + LIFETIME ? time + LIFETIME : undefined
    },
  }
}
