import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server that only this computer can reach. */
export interface LoopbackServer {
  /** Such as `http://127.0.0.1:5050`. */
  readonly origin: string
  /** Says what is served. Requests that arrived before wait for it. */
  serve(handle: RequestListener): void
  /** Closes all connections at once. */
  close(): void
}

/**
 * Opens a port on 127.0.0.1. Requests for another host are refused: a page of the internet can give
 * its own name the address 127.0.0.1 (DNS rebinding), and could then read every reply.
 *
 * @param port 0 for any free one
 */
export async function openLoopbackServer(port: number): Promise<LoopbackServer> {
  const opened = Promise.withResolvers<RequestListener>()
  const server = createServer((request, response) => {
    if (isForUs(request)) void opened.promise.then((handle) => handle(request, response))
    else refuse(request, response)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: opened.resolve,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function isForUs({ headers, socket }: IncomingMessage): boolean {
  return [`127.0.0.1:${socket.localPort}`, `localhost:${socket.localPort}`].includes(headers.host ?? '')
}

function refuse({ socket }: IncomingMessage, response: ServerResponse): void {
  response.writeHead(421, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' })
  response.end(`This server answers only to http://127.0.0.1:${socket.localPort}\n`)
}
