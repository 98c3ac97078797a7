/** A request of the page to its own server, as the reader sees it. */
export interface Sent {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Such as `/login`. */
  readonly path: string
  /** Without `Content-Type`. */
  readonly headers?: Readonly<Record<string, string>>
  /** The JSON body. */
  readonly body?: unknown
}

/** What came back. */
export interface Received {
  readonly status: number
  /** Those that matter to the reader. */
  readonly headers: Readonly<Record<string, string>>
  /** The parsed JSON body; undefined without one. */
  // biome-ignore lint/suspicious/noExplicitAny: the shape depends on the route
  readonly body: any
  /** Milliseconds from the request to the end of the reply. */
  readonly took: number
}

/** A request and its reply. */
export interface Exchanged {
  readonly sent: Sent
  /** Undefined if no reply came: the server is not running any more, or the reply was dropped. */
  readonly received: Received | undefined
}

const SHOWN_HEADERS = ['content-type', 'www-authenticate', 'retry-after', 'cache-control', 'etag']

/** Sends a real request to the server of the page. Never throws. */
export async function send(sent: Sent, options: RequestInit = {}): Promise<Exchanged> {
  const started = performance.now()
  try {
    const reply = await fetch(`.${sent.path}`, {
      method: sent.method,
      headers: { ...(sent.body !== undefined && { 'Content-Type': 'application/json' }), ...sent.headers },
      ...(sent.body !== undefined && { body: JSON.stringify(sent.body) }),
      ...options,
    })
    const text = await reply.text()
    const shown = SHOWN_HEADERS.flatMap((name) => {
      const value = reply.headers.get(name)
      return value === null ? [] : [[name, value]]
    })
    return {
      sent,
      received: {
        status: reply.status,
        headers: Object.fromEntries(shown),
        body: parse(text),
        took: performance.now() - started,
      },
    }
  } catch {
    return { sent, received: undefined }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text === '' ? undefined : text
  }
}

/** The request as a curl command. */
export function asCurl({ method, path, headers = {}, body }: Sent): string {
  const lines = [
    ...(body === undefined ? [] : [`--json ${quote(JSON.stringify(body))}`]),
    ...Object.entries(headers).map(([name, value]) => `--header ${quote(`${name}: ${value}`)}`),
    ...(method === 'GET' || (method === 'POST' && body !== undefined) ? [] : [`--request ${method}`]),
    quote(location.origin + path),
  ]
  return `curl ${lines.join(' \\\n  ')}`
}

/** For a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** The request as TypeScript. */
export function asTypeScript({ method, path, headers = {}, body }: Sent): string {
  const all = { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers }
  const options = [
    ...(method === 'GET' ? [] : [`  method: '${method}',`]),
    ...(Object.keys(all).length === 0 ? [] : [`  headers: ${literal(all)},`]),
    ...(body === undefined ? [] : [`  body: JSON.stringify(${literal(body)}),`]),
  ]
  const call = `fetch('${location.origin}${path}'`
  return `const response = await ${options.length === 0 ? `${call})` : `${call}, {\n${options.join('\n')}\n})`}\nconsole.log(response.status, await response.json())`
}

function literal(value: unknown): string {
  const text = JSON.stringify(value)
  const members = Object.entries(value as object).map(([name, one]) => {
    const key = /^[a-z_]\w*$/i.test(name) ? name : `'${name}'`
    return `${key}: ${typeof one === 'string' ? `'${one.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'` : JSON.stringify(one)}`
  })
  return typeof value === 'object' && value !== null ? `{ ${members.join(', ')} }` : text
}
