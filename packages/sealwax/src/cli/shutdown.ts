import type { Server } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { AuthServer } from '../auth-server.ts'
import type { Logger } from '../engine/context.ts'
import type { Connections } from './connections.ts'

/** How long requests under way may take after a signal. */
const GRACE_MS = 10_000
/** How long replies that were made may still be on their way, and heads and bodies to us. */
const LINGER_MS = 1000
/** The process ends so long after its last reply, whatever the database does. Everything that was answered is stored by then. */
const END_MS = 1800
const LOOK_EVERY_MS = 20
const LAST_LINES_MS = 20
/** A terminal sends its signal to npm and to us, and npm passes it on. */
const SAME_SIGNAL_MS = 1000

interface Serving {
  readonly server: Server
  readonly connections: Connections
  readonly auth: AuthServer
}

/**
 * SIGTERM and SIGINT end the process: at once while it starts, later when requests under way have been answered; a second signal at once. PID 1 of a
 * container is ended by no signal that it does not listen to, so this comes before everything else.
 *
 * @returns tells that the start is over
 */
export function endOnSignal(log: Logger): (serving: Serving) => void {
  let serving: Serving | undefined
  let since: number | undefined
  const exit = (clean: boolean) => {
    log.info({ clean }, 'stopped')
    // The line before may still be on its way; what is written at the exit would come in front of it.
    setTimeout(() => process.exit(clean ? 0 : 1), LAST_LINES_MS)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (since !== undefined && performance.now() - since < SAME_SIGNAL_MS) return
      log.info({ signal }, 'shutting down')
      if (since !== undefined) return exit(false)
      since = performance.now()
      if (serving === undefined) return exit(true)
      void end(serving, log).then(exit)
    })
  }
  return (started) => {
    serving = started
  }
}

/** False when requests had to be cut off. */
async function end({ server, connections, auth }: Serving, log: Logger): Promise<boolean> {
  const began = performance.now()
  let open = true
  const closed = new Promise<void>((resolve) => server.close(() => resolve())).then(() => {
    open = false
  })
  connections.closeEach()
  auth.drain()
  let busyAt = began
  while (open && performance.now() - busyAt < LINGER_MS && performance.now() - began < GRACE_MS) {
    await Promise.race([closed, delay(LOOK_EVERY_MS)])
    // A connection whose last reply began before the signal would stay open until its keep-alive ends.
    server.closeIdleConnections()
    if (connections.busy()) busyAt = performance.now()
  }
  const clean = !connections.busy()
  server.closeAllConnections()
  const left = delay(Math.max(END_MS - (performance.now() - busyAt), 500), 'late', { ref: false })
  if ((await Promise.race([auth.close(), left])) === 'late') log.warn({}, 'the database was not closed in time')
  return clean
}
