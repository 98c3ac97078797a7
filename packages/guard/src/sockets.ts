import { type Duration, toSeconds } from '@sealwax/jwt'
import type { Auth } from './auth.ts'
import { GuardError, type GuardErrorCode } from './errors.ts'
import {
  type Guard,
  type Requirement,
  reportRefusal,
  trustBehind,
  trustThatVerified,
  validateRequirement,
} from './guard.ts'
import { startTimer } from './timer.ts'
import { watchToken } from './token-watch.ts'
import type { Trust } from './trust.ts'
import { type VerifiedToken, verifiedToken } from './verified-token.ts'

/** The part of a WebSocket that is used: those of `ws`, Deno, Bun (by way of `ws`) and Workers (after `accept()`) have it. */
export interface GuardedSocket {
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'close', listener: () => void): void
  removeEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  removeEventListener(type: 'close', listener: () => void): void
  close(code?: number, reason?: string): void
}

/** Options of {@link authenticateSocket}. */
export interface SocketOptions {
  /** What the token must allow; without `optional`. Its `check` is given no request but the token's header field. */
  readonly requirement?: Requirement & { readonly optional?: false }
  /** How long the first message may take, key fetching included. Default `'5s'`, at most an hour. */
  readonly timeout?: Duration
  /**
   * Gets every later message that is not an authentication, with whoever is authenticated at that moment. Listeners of one's own see the
   * authentication messages too, and miss messages that arrive together with the first one.
   */
  readonly onMessage?: (data: unknown, auth: Auth) => void
}

/** What the client has to send, as text. */
interface AuthenticateMessage {
  readonly type: 'authenticate'
  readonly token: string
}

/** Close codes of RFC 6455 §7.4: 4000 and up are ours; 1011 is our mistake, 1013 says to try again later. */
const CLOSE_UNAUTHENTICATED = 4401
const CLOSE_FORBIDDEN = 4403
const CLOSE_MISTAKE = 1011
const CLOSE_TRY_AGAIN = 1013

/** A text that is longer than the longest token and this much is no authentication message. */
const AROUND_TOKEN = 256
const OPTIONS: ReadonlySet<string> = new Set(['requirement', 'timeout', 'onMessage'])

/**
 * Authenticates a WebSocket by its first message, `{"type":"authenticate","token":"…"}`: browsers cannot send an Authorization header with the handshake, and
 * a token in the URL ends in logs. Call it in the same turn in which the connection is made.
 *
 * The socket is closed with 4401 when no such message comes in time, when another message comes before it is authenticated, when the token is
 * not acceptable, expires or is revoked; with 4403 when the token does not meet the requirement; with 1013 when keys or revocations cannot be had. The reason is the
 * code of the refusal, as in `GuardError`. Before it expires the client may send the message again with a newer token of the same subject, which then counts.
 * @param guard see `createGuard`; its `onRefusal` sees refusals @param socket an open WebSocket
 * @returns who it is, once authenticated; `undefined` if the socket was closed before
 * @throws TypeError for options and requirements that are not well-formed. What a `check` throws rejects, and closes the socket with 1011
 */
export function authenticateSocket(
  guard: Guard,
  socket: GuardedSocket,
  options: SocketOptions = {},
): Promise<Auth | undefined> {
  const trust = trustBehind(guard)
  const { rest, timeout, onMessage } = readOptions(options)
  const { promise, resolve, reject } = Promise.withResolvers<Auth | undefined>()
  const hear = ({ data }: { readonly data: unknown }) => onData(connection, data)
  const closed = () => connection.end()
  const connection: Connection = {
    ...{ guard, trust, socket, onMessage, resolve, reject, current: undefined, pending: false, over: false },
    // `undefined` comes only of `optional`, which readOptions refuses.
    authenticate: (token) => guard.authenticate(requestWith(token), ...rest) as Auth | Promise<Auth>,
    stopTimer: startTimer(timeout, () =>
      refuse(connection, 'token_missing', 'No authentication message came in time.'),
    ),
    stopWatch() {},
    end() {
      connection.over = true
      connection.stopTimer()
      connection.stopWatch()
      socket.removeEventListener('message', hear)
      socket.removeEventListener('close', closed)
      resolve(undefined)
    },
  }
  socket.addEventListener('message', hear)
  socket.addEventListener('close', closed)
  return promise
}

/** A socket from the first listener to the last. */
interface Connection {
  readonly guard: Guard
  readonly trust: Trust
  readonly socket: GuardedSocket
  readonly onMessage: SocketOptions['onMessage']
  readonly authenticate: (token: string) => Auth | Promise<Auth>
  readonly resolve: (auth: Auth) => void
  readonly reject: (error: unknown) => void
  readonly stopTimer: () => void
  /** Removes all listeners and timers. */
  readonly end: () => void
  stopWatch: () => void
  /** The token that counts now. */
  current: VerifiedToken | undefined
  /** Whether a token is being looked at. */
  pending: boolean
  over: boolean
}

function onData(connection: Connection, data: unknown): void {
  const { current, pending, onMessage, authenticate } = connection
  if (connection.over) return
  const message = readMessage(data, connection.trust.verification.maxTokenLength)
  if (message === undefined && current !== undefined) {
    onMessage?.(data, current.auth)
    return
  }
  if (message === undefined || pending) {
    refuse(connection, 'token_missing', 'A message came before the connection was authenticated.')
    return
  }
  const { token } = message
  try {
    const auth = authenticate(token)
    if (auth instanceof Promise) {
      connection.pending = true
      auth.then((found) => accept(connection, found, token)).catch((error: unknown) => fail(connection, error))
    } else accept(connection, auth, token)
  } catch (error) {
    fail(connection, error)
  }
}

function accept(connection: Connection, auth: Auth, token: string): void {
  const { trust, current } = connection
  connection.pending = false
  if (connection.over) return
  if (current !== undefined && !isSamePerson(auth, current.auth)) {
    refuse(connection, 'token_claim_invalid', 'The access token is about another subject than the connection.')
    return
  }
  connection.stopTimer()
  connection.stopWatch()
  connection.current = verifiedToken(token, auth, [], trust.now())
  connection.stopWatch = watchToken(trustThatVerified(auth) ?? trust, connection.current, (code) =>
    refuse(connection, code),
  )
  // It may have been lost at once, before there was a watch to be ended.
  if (connection.over) connection.stopWatch()
  else connection.resolve(auth)
}

/** Ends a connection for a reason that `authenticate` has not reported. */
function refuse(connection: Connection, code: GuardErrorCode, detail?: string): void {
  const { guard, trust, socket, current } = connection
  if (connection.over) return
  const { kid, sessionId } = current === undefined ? {} : { ...current.auth.header, ...current.auth }
  const error = new GuardError(code, { ...trust.challenge, detail, kid, sessionId })
  connection.end()
  reportRefusal(guard, error, requestWith(current?.token ?? ''))
  socket.close(closeCode(error), error.code)
}

/** Ends a connection for what `authenticate` threw: a refusal, which it has reported, or a mistake of the program. */
function fail(connection: Connection, error: unknown): void {
  if (error instanceof GuardError) {
    if (connection.over) return
    connection.end()
    connection.socket.close(closeCode(error), error.code)
    return
  }
  connection.reject(error)
  connection.end()
  connection.socket.close(CLOSE_MISTAKE)
  // Nobody waits for the promise any more.
  if (connection.current !== undefined) throw error
}

function readOptions(options: SocketOptions) {
  for (const [name, value] of Object.entries(options)) {
    if (!OPTIONS.has(name)) throw new TypeError(`authenticateSocket: unknown option "${name}"`)
    if (value === undefined) throw new TypeError(`authenticateSocket: ${name} is undefined; leave it out`)
  }
  const { requirement, timeout = '5s', onMessage } = options
  const rest: [] | [Requirement & { readonly optional?: false }] = requirement === undefined ? [] : [requirement]
  validateRequirement(rest)
  if (requirement !== undefined && 'optional' in requirement && requirement.optional !== false) {
    throw new TypeError('authenticateSocket: a socket is authenticated or it is not; optional has no meaning')
  }
  const seconds = toSeconds(timeout)
  if (seconds < 1 || seconds > 3600) throw new TypeError('authenticateSocket: timeout must be 1 second to 1 hour')
  if (onMessage !== undefined && typeof onMessage !== 'function') {
    throw new TypeError('authenticateSocket: onMessage must be a function')
  }
  return { rest, timeout: seconds * 1000, onMessage }
}

function requestWith(token: string) {
  return { headers: token === '' ? {} : { authorization: `Bearer ${token}` } }
}

/** `undefined` for any other message; the `token` of an authentication that has none is empty, which is never acceptable. */
function readMessage(data: unknown, longest = 16_384): AuthenticateMessage | undefined {
  if (typeof data !== 'string' || data.length > longest + AROUND_TOKEN || !data.includes('"authenticate"'))
    return undefined
  let message: unknown
  try {
    message = JSON.parse(data)
  } catch {
    return undefined
  }
  const { type, token } = (message ?? {}) as Record<string, unknown>
  if (type !== 'authenticate') return undefined
  return { type, token: typeof token === 'string' ? token : '' }
}

function isSamePerson(one: Auth, other: Auth): boolean {
  return one.subject === other.subject && one.payload.iss === other.payload.iss
}

function closeCode({ status }: GuardError): number {
  if (status === 503) return CLOSE_TRY_AGAIN
  return status === 403 ? CLOSE_FORBIDDEN : CLOSE_UNAUTHENTICATED
}
