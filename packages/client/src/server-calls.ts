import { ClientError, readError, unreadable } from './errors.ts'

/** Half of the window in which the server gives the same reply again (`refreshGrace`, 30 s). */
export const PATIENCE_MS = 15_000

/** A call of a route of the auth server. */
export interface ServerCall {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below `baseUrl`, such as `/login`. */
  readonly path: string
  readonly body?: object | undefined
  /** An access token. */
  readonly token?: string
  /** Whether the request outlives the page. */
  readonly keepalive?: boolean
  /** How long to wait for the reply, in milliseconds. */
  readonly patience?: number
  /** Ends the call early. */
  readonly controller?: AbortController
}

/**
 * Calls the auth server, and returns the parsed body, undefined without one. Rejects with a
 * {@link ClientError}.
 */
// biome-ignore lint/suspicious/noExplicitAny: the shape depends on the route
export type CallServer = (call: ServerCall) => Promise<any>

/** @param withCookie whether the browser sends and stores the cookie */
export function createServerCalls(send: typeof fetch, baseUrl: string, withCookie: boolean): CallServer {
  return async ({ method = 'POST', path, body, token, keepalive, ...limits }) => {
    const { patience = PATIENCE_MS, controller = new AbortController() } = limits
    // Not AbortSignal.timeout, which React Native does not have.
    const timer = setTimeout(() => controller.abort(), patience)
    const started = performance.now()
    try {
      const reply = await send(baseUrl + path, {
        method,
        headers: {
          ...(token && { Authorization: `Bearer ${token}` }),
          'Content-Type': 'application/json',
        },
        body: JSON.stringify(body),
        credentials: withCookie ? 'include' : 'omit',
        cache: 'no-store',
        // A proxy or a captive portal redirects; a Sealwax server does not.
        redirect: 'error',
        signal: controller.signal,
        keepalive: !!keepalive,
      })
      if (!reply.ok) throw await readError(reply)
      const text = await reply.text()
      // The page was frozen. Another tab may have got something newer since.
      if (performance.now() - started > patience) throw new Error('late')
      return text ? JSON.parse(text) : undefined
    } catch (cause) {
      if (cause instanceof ClientError) throw cause
      if (cause instanceof SyntaxError) throw unreadable({ status: 200, cause })
      throw new ClientError('unreachable', 'The auth server did not reply', { cause })
    } finally {
      clearTimeout(timer)
    }
  }
}
