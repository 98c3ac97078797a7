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
  const sockets = new Map<string, Socket>()
  const requests = new Map<ServerResponse, IncomingMessage>()
  let closing = false

  function makeRoom(): void {
    const carrying = (isCarrying: (request: IncomingMessage) => boolean) =>
      new Set([...requests.values()].filter(isCarrying).map(({ socket }) => nameOf(socket)))
    const any = carrying(() => true)
    const whole = carrying(({ complete }) => complete)
    const names = [...sockets.keys()].slice(0, -1)
    const victim = names.find((name) => !any.has(name)) ?? names.find((name) => !whole.has(name))
    if (victim !== undefined) sockets.get(victim)?.destroy()
  }

  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket)
    sockets.set(name, socket)
    socket.once('close', () => sockets.get(name) === socket && sockets.delete(name))
    if (sockets.size > most) makeRoom()
  })
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    requests.set(response, request)
    response.once('close', () => requests.delete(response))
    if (closing) response.shouldKeepAlive = false
  })
  return {
    busy: () => [...requests].some(([response, request]) => request.complete && !response.writableEnded),
    closeEach() {
      closing = true
      for (const response of requests.keys()) if (!response.headersSent) response.shouldKeepAlive = false
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
