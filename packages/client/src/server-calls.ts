import { ClientError, readError, unreadable } from './errors.ts'

/** Half of the window in which the server gives the same reply again (`refreshGrace`, 30 s). */
const PATIENCE_MS = 15_000

/** A call of a route of the auth server. */
export interface ServerCall {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below `baseUrl`, such as `/login`. */
  readonly path: string
  readonly body?: object | undefined
  readonly token?: string | undefined
  /** Whether the browser sends and stores the cookie. */
  readonly withCookie?: boolean
  /** Whether the request outlives the page. */
  readonly keepalive?: boolean
}

/**
 * Calls the auth server.
 *
 * @returns the parsed body; undefined without one
 * @throws {ClientError}
 */
export async function callServer(
  baseUrl: string,
  { method = 'POST', path, body, token, withCookie, keepalive }: ServerCall,
  // biome-ignore lint/suspicious/noExplicitAny: the shape depends on the route
): Promise<any> {
  let reply: Response
  let text: string
  try {
    reply = await fetch(baseUrl + path, {
      method,
      headers: {
        ...(method !== 'GET' && { 'Content-Type': 'application/json' }),
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      },
      ...(method !== 'GET' && { body: JSON.stringify(body ?? {}) }),
      credentials: withCookie ? 'include' : 'omit',
      cache: 'no-store',
      // A proxy or a captive portal redirects; a Sealwax server does not.
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(keepalive && { keepalive }),
    })
    if (!reply.ok) throw await readError(reply)
    text = await reply.text()
  } catch (cause) {
    if (cause instanceof ClientError) throw cause
    throw new ClientError('unreachable', 'The auth server did not reply: it is down, or the network is', { cause })
  }
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw unreadable(reply.status, cause)
  }
}
