import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * One public address in front of several servers, like a load balancer: requests go to them in
 * turn.
 */
export interface Front extends AsyncDisposable {
  readonly url: string
  /** Sets the servers that requests go to from now on. */
  serve(urls: readonly string[]): void
}

export async function startFront(): Promise<Front> {
  let behind: readonly URL[] = []
  let turn = 0
  const server = createServer((incoming, outgoing) => {
    turn += 1
    const to = behind[turn % behind.length]
    if (to === undefined) return void outgoing.writeHead(503, { 'Retry-After': '1' }).end()
    const { method, url, headers } = incoming
    const onward = request({ host: to.hostname, port: to.port, path: url, method, headers }, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    outgoing.on('close', () => onward.destroy())
    incoming.pipe(onward)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve(urls) {
      behind = urls.map((url) => new URL(url))
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
