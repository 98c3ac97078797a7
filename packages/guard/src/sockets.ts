import { type Duration, toSeconds } from '@sealwax/jwt'
import type { Auth } from './auth.ts'
import { GuardError, type GuardErrorCode, isRefusal } from './errors.ts'
import { type Guard, type Requirement, reportRefusal, trustBehind, validateRequirement } from './guard.ts'
import {
  checkOptions,
  mustBe,
  mustBeDuration,
  mustBeFunction,
  type OptionRules,
  wrongOption,
} from './strict-options.ts'
import { startTimer } from './timer.ts'
import { type VerifiedToken, verifiedToken } from './tokens/verified-token.ts'
import { trustThatVerified } from './tokens/verify.ts'
import { watchToken } from './tokens/watch.ts'
import type { Trust } from './trust.ts'

/**
 * The part of a WebSocket that is used. Those of `ws`, Deno, Bun (through `ws`) and Workers (after
 * `accept()`) match it.
 */
export interface GuardedSocket {
  /** Adds a listener for messages. */
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  /** Adds a listener for the end of the connection. */
  addEventListener(type: 'close', listener: () => void): void
  /** Removes a listener for messages. */
  removeEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  /** Removes a listener for the end of the connection. */
  removeEventListener(type: 'close', listener: () => void): void
  /** Closes the connection. */
  close(code?: number, reason?: string): void
}

/** Options of {@link authenticateSocket}. */
export interface SocketOptions {
  /**
   * What the token must allow, without `optional`. Its `check` is called with a request that has
   * only the Authorization header.
   */
  readonly requirement?: Requirement & { readonly optional?: false }
  /**
   * Maximum time until the connection is authenticated, including key fetching. Default `'5s'`, at
   * most 1 hour.
   */
  readonly timeout?: Duration
  /**
   * Called for every later message that is not an authentication, with the current `Auth`. Your own
   * listeners would also receive authentication messages, and miss messages that arrive together
   * with the first one.
   */
  readonly onMessage?: (data: unknown, auth: Auth) => void
}

/** The message that the client must send, as JSON. */
interface AuthenticateMessage {
  readonly type: 'authenticate'
  readonly token: string
}

/**
 * Close codes (RFC 6455 §7.4): 4000 and above are private; 1011 means an internal error, 1013 try
 * again later.
 */
const CLOSE_UNAUTHENTICATED = 4401
const CLOSE_FORBIDDEN = 4403
const CLOSE_MISTAKE = 1011
const CLOSE_TRY_AGAIN = 1013

/**
 * A message longer than the longest token plus this many characters is not an authentication
 * message.
 */
const AROUND_TOKEN = 256

const OPTIONS: OptionRules<SocketOptions> = {
  example: "{ timeout: '5s' }",
  rules: {
    requirement: mustBe("an object such as { scope: 'orders:read' }", (value) => typeof value === 'object'),
    timeout: mustBeDuration('from 1 second to 1 hour', 1, 3600),
    onMessage: mustBeFunction(),
  },
}

/**
 * Authenticates a WebSocket by its first message, `{"type":"authenticate","token":"…"}`: browsers
 * cannot send an Authorization header with the handshake, and a token in the URL ends up in logs.
 * Call it in the same turn of the event loop in which the connection is made.
 *
 * The socket is closed with 4401 when no such message comes in time, when another message comes
 * before it is authenticated, when the token is not acceptable, expires or is revoked; with 4403
 * when the token does not meet the requirement; with 1013 when keys or revocations are not
 * available. The reason is the code of the `GuardError`. Before the token expires, the client may
 * send the message again with a newer token of the same subject, which then replaces it.
 * @param guard see `createGuard`; its `onRefusal` is called for refusals
 * @param socket an open WebSocket
 * @returns who it is, once authenticated; `undefined` if the socket was closed before. Rejects with
 * what a `check` throws, and closes the socket with 1011
 * @throws {TypeError} for options and requirements that are not well-formed
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
    // `undefined` is returned only with `optional`, which readOptions refuses.
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

/** The state of one socket. */
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
  /** The token that is valid now. */
  current: VerifiedToken | undefined
  /** Whether a token is being verified. */
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
    refuse(connection, 'token_claim_invalid', 'The access token is about another subject than that of the connection.')
    return
  }
  connection.stopTimer()
  connection.stopWatch()
  connection.current = verifiedToken(token, auth, [], trust.now())
  connection.stopWatch = watchToken(trustThatVerified(auth) ?? trust, connection.current, (code) =>
    refuse(connection, code),
  )
  // If the token had already expired, the connection ended before `stopWatch` was set.
  if (connection.over) connection.stopWatch()
  else connection.resolve(auth)
}

/** Closes a connection for a reason that `authenticate` has not reported. */
function refuse(connection: Connection, code: GuardErrorCode, detail?: string): void {
  const { guard, trust, socket, current } = connection
  if (connection.over) return
  const { kid, sessionId } = current === undefined ? {} : { ...current.auth.header, ...current.auth }
  const error = new GuardError(code, { ...trust.challenge, detail, kid, sessionId })
  connection.end()
  reportRefusal(guard, error, requestWith(current?.token ?? ''))
  socket.close(closeCode(error), error.code)
}

/**
 * Closes a connection because `authenticate` threw: a refusal, which it has reported, or a bug in
 * the program.
 */
function fail(connection: Connection, error: unknown): void {
  if (isRefusal(error)) {
    if (connection.over) return
    connection.end()
    connection.socket.close(closeCode(error), error.code)
    return
  }
  connection.reject(error)
  connection.end()
  connection.socket.close(CLOSE_MISTAKE)
  // The promise is already fulfilled, so it cannot report the error.
  if (connection.current !== undefined) throw error
}

function readOptions(options: SocketOptions) {
  checkOptions('authenticateSocket', options, OPTIONS)
  const { requirement, timeout = '5s', onMessage } = options
  const rest: [] | [Requirement & { readonly optional?: false }] = requirement === undefined ? [] : [requirement]
  validateRequirement(rest, 'authenticateSocket')
  if (requirement !== undefined && 'optional' in requirement && requirement.optional !== false) {
    const allowed = 'left out: a socket is authenticated or it is not'
    throw wrongOption('authenticateSocket', 'requirement.optional', allowed, requirement.optional)
  }
  return { rest, timeout: toSeconds(timeout) * 1000, onMessage }
}

function requestWith(token: string) {
  return { headers: token === '' ? {} : { authorization: `Bearer ${token}` } }
}

/**
 * `undefined` for any other message. The `token` of an authentication without one is empty, which
 * is refused.
 */
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
