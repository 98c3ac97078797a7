import { readFileSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Descriptors that are kept for files and for the database. */
const RESERVED = 96

export interface Connections {
  /** Whether a request that has arrived whole still waits for its reply. */
  busy(): boolean
  /** From now on each reply is the last one of its connection. */
  closeEach(): void
}

/**
 * Watches the connections of a server. When there are more than the process has descriptors for, the oldest that carries no request goes: a head or a
 * body that never ends, or a connection that is kept alive. Otherwise a few hundred such connections would keep everybody else out.
 *
 * @param most connections at once
 */
export function watchConnections(server: Server, most: number = mostConnections()): Connections {
  /** Oldest first, each with the replies that are not over. */
  const open = new Map<string, { socket: Socket; replies: Set<ServerResponse> }>()
  let closing = false

  function makeRoom(newest: Socket): void {
    for (const { socket, replies } of open.values()) {
      const isIdle = [...replies].every(({ req }) => !req.complete)
      if (isIdle && socket !== newest) return void socket.destroy()
    }
  }

  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket)
    open.set(name, { socket, replies: new Set() })
    socket.once('close', () => open.get(name)?.socket === socket && open.delete(name))
    if (open.size > most) makeRoom(socket)
  })
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const replies = open.get(nameOf(socket))?.replies
    replies?.add(response)
    response.once('close', () => replies?.delete(response))
    if (closing) response.shouldKeepAlive = false
  })
  const replies = () => [...open.values()].flatMap((one) => [...one.replies])
  return {
    busy: () => replies().some(({ req, writableEnded }) => req.complete && !writableEnded),
    closeEach() {
      closing = true
      for (const reply of replies()) if (!reply.headersSent) reply.shouldKeepAlive = false
    },
  }
}

/** The same for a socket and for TLS over it. */
function nameOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`
}

/** What the limit of open files leaves for connections; Node has raised it as far as it may. Linux tells it, others do not. */
function mostConnections(): number {
  try {
    const files = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1])
    return Number.isNaN(files) ? Infinity : Math.max(files - RESERVED, Math.ceil(files / 2))
  } catch {
    return Infinity
  }
}
