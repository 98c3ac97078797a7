import { connect, type Socket } from 'node:net'

/** The status and the body of a response. */
export interface Reply {
  readonly status: number
  readonly body: string
}

/**
 * One keep-alive connection with one request at a time. It is a minimal HTTP/1.1 client, so that
 * mostly the server is measured.
 */
export interface Connection {
  /** @param headers header lines, each of which ends with CR LF */
  send(method: 'GET' | 'POST', path: string, headers: string, body?: string): Promise<Reply>
  close(): void
}

export async function openConnection(port: number): Promise<Connection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return talk(socket, port)
}

function talk(socket: Socket, port: number): Connection {
  let waiting: { resolve(reply: Reply): void; reject(error: Error): void } | undefined
  let buffer = ''
  let failed: Error | undefined
  const fail = (error: Error) => {
    failed = error
    waiting?.reject(error)
    waiting = undefined
  }
  socket.setEncoding('latin1')
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the server closed the connection')))
  socket.on('data', (chunk: string) => {
    buffer += chunk
    const reply = wholeReply(buffer)
    if (reply === undefined) return
    buffer = ''
    const { resolve } = waiting ?? {}
    waiting = undefined
    resolve?.(reply)
  })
  return {
    send(method, path, headers, body) {
      if (failed !== undefined) return Promise.reject(failed)
      const length =
        body === undefined ? '' : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
      return new Promise<Reply>((resolve, reject) => {
        waiting = { resolve, reject }
        socket.write(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${headers}${length}\r\n${body ?? ''}`)
      })
    },
    close: () => socket.destroy(),
  }
}

/**
 * Returns the response if it is complete. Its body can have a `Content-Length`, be chunked, or be
 * absent.
 */
function wholeReply(text: string): Reply | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = text.slice(0, end).toLowerCase()
  const status = Number(head.slice(9, 12))
  const rest = text.slice(end + 4)
  const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1]
  if (length !== undefined) return rest.length < Number(length) ? undefined : { status, body: rest }
  if (!head.includes('\r\ntransfer-encoding: chunked')) return { status, body: '' }
  return rest.endsWith('0\r\n\r\n') ? { status, body: unchunked(rest) } : undefined
}

function unchunked(text: string): string {
  let body = ''
  for (let at = 0; ; ) {
    const line = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, line), 16)
    if (!(size > 0)) return body
    body += text.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
}
