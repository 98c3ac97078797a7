import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { NodeHandler } from '../http/node.ts'

/**
 * Slow or huge requests, and replies that nobody reads, end here, before any of our code. Node looks for connections beyond their time every
 * `connectionsCheckingInterval`, which is half a minute unless told. `timeout` is for a socket on which nothing moves, so a slow reader has as long as
 * it needs; a guard that waits for the feed is silent for 25 seconds. Node counts the time for a head from its first octet, and `timeout` not while a
 * connection is kept alive: that may last longer than both.
 */
const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 500,
  handshakeTimeout: 10_000,
  timeout: 30_000,
  maxHeaderSize: 16 * 1024,
} as const

/**
 * A server within these limits. With a certificate it also tells browsers to come back by TLS alone.
 * @param keepAlive for how many milliseconds a connection waits for its next request. A proxy in front must close it earlier: what it sends in the moment
 * in which we do is lost, and its client gets 502.
 */
export function createLimitedServer(
  handler: NodeHandler,
  { tls, issuer, keepAlive }: { tls: { cert: Buffer; key: Buffer } | undefined; issuer: string; keepAlive: number },
): Server {
  const { timeout, ...rest } = LIMITS
  const limits = { ...rest, keepAliveTimeout: keepAlive }
  const server =
    tls === undefined
      ? createServer(limits, handler)
      : createTlsServer({ ...limits, cert: tls.cert, key: tls.key }, withTransportSecurity(handler, issuer))
  server.timeout = timeout
  return server
}

/** RFC 6797. Not for localhost: browsers would ask TLS of every other server there, too. */
function withTransportSecurity(handler: NodeHandler, issuer: string): NodeHandler {
  const { hostname } = new URL(issuer)
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return handler
  return (request, response) => {
    response.setHeader('Strict-Transport-Security', `max-age=${365 * 24 * 3600}`)
    handler(request, response)
  }
}
