import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { type ConnectionOptions, connect as connectTls, getCACertificates, type TLSSocket } from 'node:tls'
import { bindToChannel } from './channel-binding.ts'
import { ConnectionRefused } from './connection-refused.ts'
import type { Place, TlsSettings } from './url.ts'

const CONNECT_MS = 5000
/** https://www.postgresql.org/docs/current/protocol-message-formats.html, SSLRequest */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const [YES, NO] = [0x53, 0x4e]

/**
 * Opens a connection to the database, encrypted according to `tls`. Over an unencrypted network
 * connection it refuses to send the password in cleartext, except to a loopback address. Never
 * rejects: after a failure, returns a stream that fails. `stop` aborts the attempt.
 */
export async function openSocket(
  place: Place,
  { tls, password, stop }: { tls: TlsSettings; password: string; stop: AbortSignal },
): Promise<Duplex> {
  const { promise: givenUp, reject } = Promise.withResolvers<never>()
  givenUp.catch(() => {})
  const timer = setTimeout(() => reject(failure('CONNECT_TIMEOUT')), CONNECT_MS)
  const end = () => reject(failure('CONNECTION_DESTROYED'))
  stop.addEventListener('abort', end, { once: true })
  if (stop.aborted) end()
  const isFile = place.host.startsWith('/')
  const socket = isFile ? connectTcp(`${place.host}/.s.PGSQL.${place.port}`) : connectTcp({ ...place })
  // An error between two steps must not end the process; the current step gets it too.
  socket.on('error', () => {}).once('close', () => reject(failure('CONNECTION_CLOSED')))
  try {
    await Promise.race([once(socket, 'connect'), givenUp])
    const encrypts = !isFile && (await takesTls(socket, tls, givenUp))
    if (!encrypts && !isFile && !isLoopback(socket.remoteAddress)) refuseCleartext(socket, password)
    const stream = encrypts ? await secured(socket, place.host, tls, givenUp) : socket
    if (tls.bound) bindToChannel(stream, password)
    // The library names host and port in its errors.
    return Object.assign(stream, place)
  } catch (error) {
    socket.destroy()
    return failing(error as Error)
  } finally {
    clearTimeout(timer)
    stop.removeEventListener('abort', end)
  }
}

/** Whether both sides use TLS. Throws if the URL requires it and the server does not offer it. */
async function takesTls(socket: Socket, tls: TlsSettings, givenUp: Promise<never>): Promise<boolean> {
  if (tls.mode === 'disable' || tls.direct) return tls.direct
  socket.write(SSL_REQUEST)
  const [reply] = (await Promise.race([once(socket, 'data'), givenUp])) as [Buffer]
  // Further octets were injected by a man in the middle (CVE-2021-23222).
  if (reply.length !== 1) throw new ConnectionRefused('TLS_FAILED', 'its reply does not follow the protocol')
  if (reply[0] === YES) return true
  if (reply[0] === NO && (tls.mode === 'prefer' || tls.mode === 'allow')) return false
  const asks = tls.bound ? 'channel_binding is require' : `sslmode is ${tls.mode}`
  throw new ConnectionRefused('TLS_MISSING', `it offers no TLS, and ${asks}`)
}

async function secured(socket: Socket, host: string, tls: TlsSettings, givenUp: Promise<never>): Promise<TLSSocket> {
  try {
    const encrypted = connectTls({
      ...{ socket, host, ...verification(tls) },
      ...(isIP(host) === 0 && { servername: host }),
      ...(tls.direct && { ALPNProtocols: ['postgresql'] }),
    })
    encrypted.on('error', () => {})
    await Promise.race([once(encrypted, 'secureConnect'), givenUp])
    return encrypted
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    const reason = Object.hasOwn(TLS_REASONS, code) ? `: ${TLS_REASONS[code]}` : ''
    throw new ConnectionRefused('TLS_FAILED', `the TLS connection failed (${code})${reason}`, error)
  }
}

const UNTRUSTED = 'its certificate is not signed by a trusted CA; set sslrootcert to its CA'
const UNREADABLE = 'the file of sslrootcert cannot be read'

/** What to do, by the code of OpenSSL, of Node or of the file system. */
const TLS_REASONS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ENOENT: UNREADABLE,
  EACCES: UNREADABLE,
  EISDIR: UNREADABLE,
}

function verification({ mode, rootCertificate }: TlsSettings): ConnectionOptions {
  if (mode !== 'verify-ca' && mode !== 'verify-full') return { rejectUnauthorized: false }
  return {
    ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
    ...(rootCertificate === 'system' && { ca: getCACertificates('system') }),
    ...(rootCertificate !== undefined && rootCertificate !== 'system' && { ca: readFileSync(rootCertificate) }),
  }
}

/** Whether an address is a loopback address. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/.test(address)
}

/**
 * The client library sends the password in cleartext to any server that requests it
 * (AuthenticationCleartextPassword), at any time. This checks outgoing messages, since the server
 * controls the incoming ones.
 */
export function refuseCleartext(socket: Socket, password: string): void {
  if (password === '') return
  const message = passwordMessage(password)
  const write = socket.write.bind(socket) as (chunk: Buffer, ...rest: unknown[]) => boolean
  socket.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk)
    if (!bytes.includes(message)) return write(bytes, ...rest)
    socket.destroy(
      new ConnectionRefused(
        'CLEARTEXT_REFUSED',
        'it requests the password in cleartext and the connection is not encrypted: use TLS or scram-sha-256',
      ),
    )
    return false
  }
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html, PasswordMessage */
function passwordMessage(password: string): Buffer {
  const text = Buffer.from(`${password}\0`)
  const head = Buffer.from([0x70, 0, 0, 0, 0])
  head.writeUInt32BE(text.length + 4, 1)
  return Buffer.concat([head, text])
}

function failure(code: string): Error {
  return Object.assign(new Error(`No connection to the database: ${code}`), { code })
}

/** A stream that fails at the first write. */
export function failing(reason: Error | string): Duplex {
  const error = typeof reason === 'string' ? failure(reason) : reason
  return new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(error) })
}
