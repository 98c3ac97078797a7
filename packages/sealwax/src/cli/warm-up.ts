import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { APPLICATION } from '../core/network.ts'
import { createPasswordAdmission } from '../core/password-admission.ts'
import { toNodeHandler } from '../http/node.ts'

/** After so many, V8 has compiled the code. A few hundred were not enough. */
const REQUESTS = 1000
const CONNECTIONS = 50

const BODY = '{"email":"nobody@example.com"}'
const REQUEST = `POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`

/**
 * Sends requests to a temporary server until the code that handles an arriving log-in is compiled.
 * Node reads what a thousand connections have sent in one turn of the event loop; with code that is
 * not compiled, other requests wait three times as long (docs/decisions/0032).
 *
 * @param limitMs rejects after so long, since a start must not hang where loopback is blocked
 */
export async function warmUp(limitMs = 3000): Promise<void> {
  const { start } = createPasswordAdmission({ elapsed: () => performance.now() })
  const everything = {
    handles: () => true,
    admit: () => start(() => APPLICATION),
    fetch: async () => new Response(),
  }
  const server = createServer(toNodeHandler(everything, { overrideGlobalObjects: true }))
  try {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const signal = AbortSignal.timeout(limitMs)
    await Promise.all(Array.from({ length: CONNECTIONS }, () => sendRequests(port, signal)))
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

/** Sends its share of the requests, one after the other over one connection. */
async function sendRequests(port: number, signal: AbortSignal): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  try {
    for (let sent = 0; sent < REQUESTS / CONNECTIONS; sent += 1) {
      socket.write(REQUEST)
      await once(socket, 'data', { signal })
    }
  } finally {
    socket.destroy()
  }
}
