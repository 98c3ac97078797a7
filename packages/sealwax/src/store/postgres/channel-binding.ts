import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { ConnectionRefused } from './connection-refused.ts'

/**
 * Types of AuthenticationRequest:
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
const [OK, SASL, CONTINUE, FINAL] = [0, 10, 11, 12]
const AUTHENTICATION = 0x52
const MECHANISM = 'SCRAM-SHA-256-PLUS'
/** RFC 5802 §7, with the binding of RFC 5929 §4. */
const HEADER = 'p=tls-server-end-point,,'
/** A limit, since each iteration takes time. Far more than any server uses. */
const MOST_ITERATIONS = 1_000_000

/**
 * Logs in with SCRAM-SHA-256-PLUS, which the client library does not support: both ends prove that
 * they see the same certificate, so there is no man in the middle. The library receives the
 * messages after the log-in. A server that does not require channel binding is refused.
 */
export function bindToChannel(socket: Duplex, password: string): void {
  if (!(socket instanceof TLSSocket)) throw refused('a Unix socket has no certificate for channel binding')
  const emit = socket.emit.bind(socket) as (event: string, ...rest: unknown[]) => boolean
  const login = createLogin(password, certificateHash(socket.getPeerX509Certificate()?.raw ?? Buffer.alloc(0)))
  let pending: Buffer = Buffer.alloc(0)
  let working = Promise.resolve()

  /** Handles log-in messages; forwards other messages, and the rest after the log-in. */
  async function take(): Promise<void> {
    while (pending.length >= 5 && pending.length > pending.readUInt32BE(1)) {
      const message = pending.subarray(0, pending.readUInt32BE(1) + 1)
      const type = message[0] === AUTHENTICATION ? message.readUInt32BE(5) : undefined
      if (type === OK && login.isVerified()) {
        socket.emit = emit as typeof socket.emit
        emit('data', pending)
        return
      }
      pending = pending.subarray(message.length)
      if (type === undefined) emit('data', message)
      else socket.write(passwordMessage(await login.answer(type, message.subarray(9))))
    }
  }

  socket.emit = ((event: string, ...rest: unknown[]) => {
    if (event !== 'data') return emit(event, ...rest)
    pending = Buffer.concat([pending, rest[0] as Buffer])
    working = working.then(take).catch((error) => void socket.destroy(error))
    return true
  }) as typeof socket.emit
}

/** One log-in (RFC 5802 §3). */
function createLogin(password: string, certificate: Buffer) {
  const nonce = randomBytes(18).toString('base64')
  const bare = `n=,r=${nonce}`
  const binding = Buffer.concat([Buffer.from(HEADER), certificate]).toString('base64')
  let expected: Buffer | undefined
  let verified = false

  function first(mechanisms: string): Buffer {
    if (!mechanisms.split('\0').includes(MECHANISM)) throw refused('it offers no channel binding')
    const text = Buffer.from(HEADER + bare)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(text.length)
    return Buffer.concat([Buffer.from(`${MECHANISM}\0`), length, text])
  }

  async function final(said: string): Promise<Buffer> {
    const { r = '', s = '', i = '' } = parseAttributes(said)
    if (!r.startsWith(nonce) || !(Number(i) <= MOST_ITERATIONS))
      throw refused('its log-in does not follow the protocol')
    const salted = await promisify(pbkdf2)(password, Buffer.from(s, 'base64'), Number(i), 32, 'sha256')
    const unproved = `c=${binding},r=${r}`
    const all = `${bare},${said},${unproved}`
    const key = hmac(salted, 'Client Key')
    const signature = hmac(createHash('sha256').update(key).digest(), all)
    expected = hmac(hmac(salted, 'Server Key'), all)
    return Buffer.from(
      `${unproved},p=${Buffer.from(key.map((octet, at) => octet ^ (signature[at] as number))).toString('base64')}`,
    )
  }

  return {
    isVerified: () => verified,
    /** Returns the reply to a message. */
    async answer(type: number, body: Buffer): Promise<Buffer | undefined> {
      if (type === SASL) return first(body.toString())
      if (type === CONTINUE) return final(body.toString())
      if (type !== FINAL) throw refused('it does not use channel binding')
      const proof = Buffer.from(parseAttributes(body.toString()).v ?? '', 'base64')
      verified = expected !== undefined && proof.length === expected.length && timingSafeEqual(proof, expected)
      if (!verified) throw refused('it does not prove that it knows the password')
      return undefined
    },
  }
}

function refused(sentence: string): ConnectionRefused {
  return new ConnectionRefused('BINDING_REFUSED', `${sentence}, and channel_binding is require`)
}

function parseAttributes(message: string): Record<string, string> {
  return Object.fromEntries(message.split(',').map((part) => [part.slice(0, 1), part.slice(2)]))
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function passwordMessage(body: Buffer | undefined): Buffer {
  if (body === undefined) return Buffer.alloc(0)
  const head = Buffer.from([0x70, 0, 0, 0, 0])
  head.writeUInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

/**
 * RFC 5929 §4.1: uses the hash function of the certificate's signature, or SHA-256 if that is
 * weaker or not in `HASHES`.
 */
function certificateHash(der: Buffer): Buffer {
  const signed = elementAt(der, elementAt(der, 0).start)
  const algorithm = elementAt(der, elementAt(der, signed.end).start)
  const oid = der.subarray(algorithm.start, algorithm.end).toString('hex')
  return createHash(HASHES[oid] ?? 'sha256')
    .update(der)
    .digest()
}

/** Signature algorithms with a longer hash: RSA (RFC 8017 App. C) and ECDSA (RFC 5758 §3.2). */
const HASHES: Readonly<Record<string, string>> = {
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
}

/** The start and end of the contents of a DER element (X.690 §8.1). */
function elementAt(der: Buffer, at: number): { start: number; end: number } {
  const first = der[at + 1] ?? 0
  const octets = first < 0x80 ? 0 : first & 0x7f
  const start = at + 2 + octets
  return { start, end: start + (octets === 0 ? first : der.readUIntBE(at + 2, octets)) }
}
