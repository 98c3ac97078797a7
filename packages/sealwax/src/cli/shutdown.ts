import type { Server } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { AuthServer } from '../auth-server.ts'
import type { Logger } from '../core/logger.ts'
import type { Connections } from './connections.ts'

/** How long running requests may take after a signal. */
const GRACE_MS = 10_000
/** How long sending replies and receiving requests may take after that. */
const LINGER_MS = 1000
/** How long closing the database may take after the last reply. All replies are stored by then. */
const END_MS = 1800
const LOOK_EVERY_MS = 20
const LAST_LINES_MS = 20
/** A terminal sends its signal both to npm, which forwards it, and to this process. */
const SAME_SIGNAL_MS = 1000

interface Serving {
  readonly server: Server
  readonly connections: Connections
  readonly auth: AuthServer
}

/**
 * Ends the process on SIGTERM and SIGINT: immediately during the start, later after the running
 * requests; immediately on a second signal. As PID 1 of a container, a process ignores signals
 * without a handler, so this runs first.
 *
 * @returns A function to call when the start is complete.
 */
export function endOnSignal(log: Logger): (serving: Serving) => void {
  let serving: Serving | undefined
  let since: number | undefined
  const exit = (clean: boolean) => {
    log.info({ clean }, 'stopped')
    // Logged asynchronously, so that it follows earlier lines that are still buffered.
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

/** Returns false if requests were aborted. */
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
    // A connection whose last reply started before the signal would stay open for its keep-alive
    // time.
    server.closeIdleConnections()
    if (connections.busy()) busyAt = performance.now()
  }
  const clean = !connections.busy()
  server.closeAllConnections()
  const left = delay(Math.max(END_MS - (performance.now() - busyAt), 500), 'late', { ref: false })
  if ((await Promise.race([auth.close(), left])) === 'late') log.warn({}, 'the database was not closed in time')
  return clean
}
