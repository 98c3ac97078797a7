import { ClientError, readError } from './errors.ts'
import { pageUrl } from './options.ts'
import type { SessionKeeper } from './session-keeper.ts'

/** Sends a request of the user. */
export interface AuthorizedFetch {
  /** `fetch` with a token. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  /** @throws {ClientError} `logged_out`, and what a refresh can throw */
  token(): Promise<string>
  /**
   * Returns another token if a request that was refused with this code should be sent once more.
   */
  renew(refused: string, code: string): Promise<string | undefined>
}

/** @param allowed the origins that get the token */
export function createAuthorizedFetch(
  send: typeof fetch,
  keeper: SessionKeeper,
  baseUrl: string,
  allowed: ReadonlySet<string>,
): AuthorizedFetch {
  async function token(): Promise<string> {
    const access = await keeper.token()
    if (!access) throw new ClientError('logged_out', 'Nobody is logged in')
    return access.token
  }

  async function renew(refused: string, code: string): Promise<string | undefined> {
    if (code === 'token_expired' || code === 'token_stale') return (await keeper.token(refused))?.token
    // No other token helps this request, but the next one learns whether the session has ended.
    if (code === 'token_revoked' || code === 'token_key_unknown') void keeper.token(refused).catch(() => {})
    return undefined
  }

  return {
    token,
    renew,
    async fetch(given, init = {}) {
      const input = given instanceof Request ? given : new URL(given, pageUrl() ?? `${baseUrl}/`).href
      checkOrigin(input, allowed)
      const signal = init.signal ?? (input as Partial<Request>).signal
      const first = await orAborted(token(), signal)
      const reply = await send(input, withToken(input, init, first))
      if (reply.status !== 401 || !/json/.test(reply.headers.get('Content-Type') as string)) return reply
      const { code } = await readError(reply.clone())
      const second = renew(first, code)
      if (isUsedUp(input, init)) {
        second.catch(() => {})
        return reply
      }
      const renewed = await orAborted(second, signal)
      return renewed ? send(input, withToken(input, init, renewed)) : reply
    },
  }
}

/** No token leaves for another origin. */
function checkOrigin(input: string | Request, allowed: ReadonlySet<string>): void {
  const { origin } = new URL((input as Partial<Request>).url ?? (input as string))
  if (allowed.has(origin)) return
  throw new ClientError('origin_not_allowed', `${origin} is not in apiOrigins`)
}

function withToken(input: string | Request, init: RequestInit, token: string): RequestInit {
  const headers = new Headers(init.headers ?? (input as Partial<Request>).headers)
  headers.set('Authorization', `Bearer ${token}`)
  return { ...init, headers }
}

/** Whether the body was a stream, which can be sent only once. Not every runtime has streams. */
export function isUsedUp(input: string | Request, { body }: RequestInit): boolean {
  const stream = Object(body)
  return (input as Partial<Request>).bodyUsed || stream.getReader || stream[Symbol.asyncIterator]
}

/** A token may be long in coming. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
