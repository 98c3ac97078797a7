import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server of somebody else, which allows everything. */
export interface Elsewhere {
  readonly url: string
  /** How many connections it has got. */
  connections(): number
  close(): void
}

/** Starts a server that every page may read: only the page's own policy can prevent it. */
export async function startElsewhere(): Promise<Elsewhere> {
  let connections = 0
  const server = createServer((_request, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Content-Type', 'text/javascript')
    response.end('globalThis.loaded = true')
  })
  server.on('connection', () => {
    connections += 1
  })
  server.on('upgrade', (request, socket) => {
    // RFC 6455 §4.2.2.
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const accept = createHash('sha1').update(key).digest('base64')
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
    socket.write([...lines, `Sec-WebSocket-Accept: ${accept}`, '', ''].join('\r\n'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
