import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Transform } from 'node:stream'

/**
 * A proxy between the store and the database. It can cut connections or leave new ones without a
 * response, counts connection attempts, and can change what the store sends.
 */
export async function proxyTo(port: number) {
  const sockets = new Set<Socket>()
  let up = true
  let holds = false
  let attempts = 0
  const replaced = new Map<string, string>()
  const change = (sent: Buffer) => {
    let text = sent.toString('latin1')
    for (const [from, to] of replaced) text = text.replaceAll(from, to)
    return Buffer.from(text, 'latin1')
  }
  const proxy = createServer((client) => {
    attempts += 1
    if (!up) return void client.destroy()
    if (holds) return void sockets.add(client.on('error', () => {}))
    const upstream = connect(port, '127.0.0.1')
    const changing = new Transform({ transform: (sent, _, done) => done(null, change(sent)) })
    client.pipe(changing).pipe(upstream).pipe(client)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket
        .on('error', () => {})
        .on('close', () => {
          client.destroy()
          upstream.destroy()
        })
    }
  })
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening))
  return {
    port: (proxy.address() as AddressInfo).port,
    get attempts() {
      return attempts
    },
    cut() {
      up = false
      for (const socket of sockets) socket.destroy()
    },
    /** New connections get no response from now on. Existing connections keep working. */
    hold() {
      holds = true
    },
    mend() {
      up = true
      holds = false
    },
    /** Strings to replace in what the store sends, each with another of the same length. */
    replaced,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((closed) => proxy.close(closed))
    },
  }
}
