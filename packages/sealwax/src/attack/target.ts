import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'

/** A request, sent exactly as it is written. */
export interface Sent {
  readonly method?: string
  /** Replaces the path and query of the target. Not normalised. */
  readonly path?: string
  /** Names and values in turn, so that a name may occur twice. */
  readonly headers?: readonly string[]
  readonly body?: string
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** The route under attack. */
export interface Target {
  readonly url: URL
  readonly method: string
  /** Rejects if there is no reply within 10 seconds. */
  send(sent?: Sent): Promise<Reply>
}

const PATIENCE_MS = 10_000
/** Of a body. The rest does not matter. */
const MOST_KEPT = 64 * 1024

/** `fetch` would merge header fields of one name and normalise the path. */
export function targetAt(url: URL, method: string): Target {
  const send = ({ path, headers = [], body, ...sent }: Sent = {}) =>
    new Promise<Reply>((resolve, reject) => {
      const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(
        {
          host: url.hostname.replace(/^\[|\]$/g, ''),
          port: url.port,
          method: sent.method ?? method,
          path: path ?? `${url.pathname}${url.search}`,
          headers: ['Host', url.host, 'Connection', 'close', ...headers],
          signal: AbortSignal.timeout(PATIENCE_MS),
          servername: url.hostname,
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            if (text.length < MOST_KEPT) text += chunk
          })
          response.on('error', reject)
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
        },
      )
      request.on('error', reject)
      request.end(body)
    })
  return { url, method, send }
}
