import { hash } from 'node:crypto'

/** The digits of its base64, which begins with the lowest bits. */
const DIGITS = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Rounds between two turns of the event loop: less than a millisecond. */
const ROUNDS_PER_TURN = 512

/** The portable hash of phpass, as older versions of WordPress and phpBB write it. */
export const phpass = {
  digits: DIGITS,
  /** Hashes a password: MD5 in many rounds. */
  async digest(password: string, salt: string, rounds: number): Promise<string> {
    const secret = Buffer.from(password)
    let digest: Buffer = hash('md5', salt + password, 'buffer')
    for (let round = 0; round < rounds; round += 1) {
      if (round % ROUNDS_PER_TURN === 0) await new Promise(setImmediate)
      digest = hash('md5', Buffer.concat([digest, secret]), 'buffer')
    }
    return encode(digest)
  },
}

function encode(bytes: Buffer): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const group = [...bytes.subarray(i, i + 3)]
    const value = group.reduce((sum, byte, place) => sum + byte * 256 ** place, 0)
    for (let digit = 0; digit <= group.length; digit += 1) text += DIGITS[Math.floor(value / 64 ** digit) % 64]
  }
  return text
}
