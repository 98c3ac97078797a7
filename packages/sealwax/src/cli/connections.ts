import { readFileSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** File descriptors reserved for files and the database. */
const RESERVED = 96

export interface Connections {
  /** Whether a complete request is still waiting for its reply. */
  busy(): boolean
  /** Closes each connection after its next reply. */
  closeEach(): void
}

/**
 * Watches the connections of a server. If there are more than the process has file descriptors for,
 * closes the oldest without a complete request: an endless head or body, or an idle connection.
 * Otherwise a few hundred such connections would block all others.
 *
 * @param most The maximum of connections.
 */
export function watchConnections(server: Server, most: number = mostConnections()): Connections {
  /** Oldest first, each with its unfinished replies. */
  const open = new Map<string, { socket: Socket; replies: Set<ServerResponse> }>()
  let closing = false

  function makeRoom(newest: Socket): void {
    for (const { socket, replies } of open.values()) {
      const isIdle = [...replies].every(({ req }) => !req.complete)
      if (isIdle && socket !== newest) return void socket.destroy()
    }
  }

  server.on('connection', (socket: Socket) => {
    const name = formatName(socket)
    open.set(name, { socket, replies: new Set() })
    socket.once('close', () => open.get(name)?.socket === socket && open.delete(name))
    if (open.size > most) makeRoom(socket)
  })
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const replies = open.get(formatName(socket))?.replies
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

/** Returns the same name for a socket and for the TLS socket over it. */
function formatName({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`
}

/**
 * The limit of open files minus the reserve. Node raises the limit to its maximum; only Linux shows
 * it.
 */
function mostConnections(): number {
  try {
    const files = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1])
    return Number.isNaN(files) ? Infinity : Math.max(files - RESERVED, Math.ceil(files / 2))
  } catch {
    return Infinity
  }
}
