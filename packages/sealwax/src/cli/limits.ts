import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { NodeHandler } from '../http/node.ts'

/**
 * Limits for slow or huge requests and unread replies, enforced by Node. Node checks for expired
 * connections every `connectionsCheckingInterval` (default 30 seconds). `timeout` applies to an
 * inactive socket, so a slow reader has no limit; a guard that waits for the feed is inactive for
 * 25 seconds. The time for a head starts at its first octet. `timeout` does not apply to an idle
 * keep-alive connection, which may last longer than both.
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
 * Creates a server with these limits. With a certificate, replies have the header
 * Strict-Transport-Security.
 *
 * @param keepAlive How many milliseconds an idle connection stays open. A proxy must close it
 *   earlier: a request that it sends while we close the connection is lost, and its client gets
 *   502.
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

/** RFC 6797. Not for localhost: browsers would require TLS from all other servers there. */
function withTransportSecurity(handler: NodeHandler, issuer: string): NodeHandler {
  const { hostname } = new URL(issuer)
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return handler
  return (request, response) => {
    response.setHeader('Strict-Transport-Security', `max-age=${365 * 24 * 3600}`)
    handler(request, response)
  }
}
