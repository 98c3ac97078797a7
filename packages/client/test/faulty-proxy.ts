import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'

/** What the proxy does with a request instead of passing it on. */
export type Fault =
  /** Closes the connection; the server never sees the request. */
  | 'no request'
  /** The server replies, but the connection is closed instead of passing the reply on. */
  | 'no reply'
  /** Replies itself. */
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  /** Passes the reply on after this, or after so many milliseconds. */
  | { readonly hold: number | Promise<unknown> }

/** A request that the proxy has seen. */
export interface Seen {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly authorization: string | undefined
  /** The proof. */
  readonly dpop: string | undefined
  /** Empty if it was not JSON. */
  readonly body: Readonly<Record<string, unknown>>
}

/** A proxy in front of a server. */
export interface FaultyProxy extends AsyncDisposable {
  readonly url: string
  /** All requests since the last time it was emptied. */
  readonly seen: Seen[]
  /** How many requests have no reply yet. */
  readonly open: number
  /** Decides about each request; undefined passes it on. */
  decide: (seen: Seen) => Fault | undefined
  /** Applies a fault to the next requests of a path, one for each fault. */
  next(path: string, ...faults: Fault[]): void
  /**
   * Keeps cookies for its clients and sends `Origin`, as a browser does: the cookies of Node's
   * clients would be lost. Undefined: it does not.
   */
  cookies: Map<string, string> | undefined
}

/** Starts a proxy on a free port. `upstream` is called with the port once it is known. */
export async function startProxy(upstream: () => number): Promise<FaultyProxy> {
  const queue: { path: string; fault: Fault }[] = []
  let open = 0
  const server = createServer((request, response) => {
    open += 1
    response.once('close', () => {
      open -= 1
    })
    handle(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const proxy: FaultyProxy = {
    ...{ url, seen: [], decide: () => undefined, cookies: undefined },
    get open() {
      return open
    },
    next: (path, ...faults) => void queue.push(...faults.map((fault) => ({ path, fault }))),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = request
    const body = await buffer(request)
    const { authorization } = headers
    const seen: Seen = { method, path, authorization, dpop: headers.dpop?.toString(), body: parse(body) }
    proxy.seen.push(seen)
    const fault = takeNext(path) ?? proxy.decide(seen)
    if (fault === 'no request') return void response.destroy()
    if (typeof fault === 'object' && 'status' in fault) {
      response.writeHead(fault.status, fault.headers).end(fault.body)
      return
    }
    const reply = await pass(upstream(), request, body, proxy)
    if (fault === 'no reply') {
      await buffer(reply)
      return void response.destroy()
    }
    if (fault !== undefined) await (typeof fault.hold === 'number' ? delay(fault.hold) : fault.hold)
    // Like a browser, which ignores the reply to a request that was aborted.
    if (!response.destroyed) keepCookies(reply, proxy)
    response.writeHead(reply.statusCode ?? 500, reply.rawHeaders)
    reply.pipe(response)
  }

  function takeNext(path: string): Fault | undefined {
    const index = queue.findIndex((one) => one.path === path)
    return index < 0 ? undefined : queue.splice(index, 1)[0]?.fault
  }

  return proxy
}

function pass(port: number, request: IncomingMessage, body: Buffer, { url: origin, cookies }: FaultyProxy) {
  const { method, url: path } = request
  const { 'transfer-encoding': _, ...headers } = request.headers
  const cookie = cookies && [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  return new Promise<IncomingMessage>((resolve, reject) => {
    send({
      ...{ port, method, path },
      headers: { ...headers, 'content-length': body.length, ...(cookies && { origin, ...(cookie && { cookie }) }) },
    })
      .once('response', resolve)
      .once('error', reject)
      .end(body)
  })
}

function keepCookies({ headers }: IncomingMessage, { cookies }: FaultyProxy): void {
  for (const line of headers['set-cookie'] ?? []) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (value === '' || /max-age=0/i.test(line)) cookies?.delete(name)
    else cookies?.set(name, value)
  }
}

function parse(body: Buffer): Seen['body'] {
  try {
    return JSON.parse(body.toString())
  } catch {
    return {}
  }
}
