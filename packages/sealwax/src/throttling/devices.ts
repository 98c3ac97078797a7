import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Context, perContext } from '../core/context.ts'

/**
 * Device tokens: proof that somebody has logged in to an account on this device before (OWASP
 * device cookies). A token is `swd_`, and in base64url the random id of the device and an HMAC of
 * it and the user. It grants nothing: its device has a counter of its own, and no mail about a new
 * device is sent. So it stays valid when the password changes, after which the owner may have to
 * log in everywhere at once.
 */

const PREFIX = 'swd_'
const ID_BYTES = 16
const MAC_BYTES = 32
const SHAPE = /^swd_[\w-]{64}$/

/** The first key signs, all of them verify. */
const keysOf = perContext(({ secrets }) => secrets.derived('device tokens'))

/**
 * Issues a token to a user who has just logged in.
 *
 * @param known the id of the device, if it is known: the token is then signed again, by the first
 * secret
 */
export function issueDeviceToken(context: Context, subject: string, known?: string): string {
  const id = known === undefined ? context.randomBytes(ID_BYTES) : Buffer.from(known, 'base64url')
  const [key] = keysOf(context)
  return PREFIX + Buffer.concat([id, macOf(key as Buffer, subject, id)]).toString('base64url')
}

/**
 * Returns the id of the device if the token was issued to this user, otherwise undefined. A
 * malformed or forged token, and that of another user, are the same as none.
 */
export function knownDevice(context: Context, subject: string, token: string | undefined): string | undefined {
  if (!mayBeDeviceToken(token)) return undefined
  const octets = Buffer.from(token.slice(PREFIX.length), 'base64url')
  if (octets.length !== ID_BYTES + MAC_BYTES) return undefined
  const [id, mac] = [octets.subarray(0, ID_BYTES), octets.subarray(ID_BYTES)]
  const genuine = keysOf(context).some((key) => timingSafeEqual(macOf(key, subject, id), mac))
  return genuine ? id.toString('base64url') : undefined
}

/** Whether a value has the form of a device token. */
export function mayBeDeviceToken(token: string | undefined): token is string {
  return token !== undefined && SHAPE.test(token)
}

function macOf(key: Buffer, subject: string, id: Buffer): Buffer {
  return createHmac('sha256', key).update(id).update(subject).digest()
}
