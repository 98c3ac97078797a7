import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { toNodeHandler } from '../http/node.ts'
import { addressReader } from '../http/request-origin.ts'

/**
 * By then V8 has compiled the code that reads, queues and answers a request. A few hundred were not
 * enough.
 */
const REQUESTS = 1000
const CONNECTIONS = 50

const BODY = '{"email":"nobody@example.com"}'
const REQUEST = `POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`

const NO_PROXY = addressReader({ trustProxy: 0, forwardedHeader: 'x-forwarded-for' })

/**
 * Runs the code between a socket and the turn of a log-in until it is compiled, with requests to a
 * server that is closed afterwards. Node reads what a thousand connections have sent in one turn of
 * the event loop; with code that is not compiled yet, all other requests would wait too long.
 *
 * @param limitMs rejects when it takes longer: a start must not hang where nobody may talk to
 *   loopback.
 */
export async function warmUp(limitMs = 3000): Promise<void> {
  const everything = { handles: () => true, fetch: async () => new Response(), clientAddress: NO_PROXY }
  const server = createServer(toNodeHandler(everything, { overrideGlobalObjects: true }))
  try {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const signal = AbortSignal.timeout(limitMs)
    await Promise.all(Array.from({ length: CONNECTIONS }, () => converse(port, signal)))
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

/** One request after the other over one connection. */
async function converse(port: number, signal: AbortSignal): Promise<void> {
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
