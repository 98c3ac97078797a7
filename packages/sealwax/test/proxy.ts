import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Transform } from 'node:stream'

/**
 * Something between the store and the database that can be cut or be slow, counts who comes, and
 * can change what is sent.
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
    /** Who comes from now on gets no answer; those who are there do. */
    hold() {
      holds = true
    },
    mend() {
      up = true
      holds = false
    },
    /** What the store sends is changed: each text becomes another of the same length. */
    replaced,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((closed) => proxy.close(closed))
    },
  }
}
