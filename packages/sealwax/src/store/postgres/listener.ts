import { setTimeout as delay } from 'node:timers/promises'
import type postgres from 'postgres'

/** The callbacks of a client that listens. */
export interface ListenCallbacks {
  readonly onnotify: () => void
  readonly onclose: () => void
}

const RETRY_MS = 500

/**
 * Listens on a channel until the returned function is called. Replaces a lost connection; calls
 * `notified` also after each (re)connect, since notifications may have been missed.
 *
 * @param open Creates a client with one connection that does not reconnect.
 */
export function listenOn(
  channel: string,
  open: (callbacks: ListenCallbacks) => postgres.Sql,
  notified: () => void,
): () => Promise<void> {
  const stop = new AbortController()
  const pause = () => delay(RETRY_MS, undefined, { signal: stop.signal, ref: false }).catch(() => undefined)

  async function listenOnce(): Promise<void> {
    let over: (() => void) | undefined
    const lost = new Promise<void>((resolve) => {
      over = resolve
    })
    const client = open({ onnotify: notified, onclose: () => over?.() })
    stop.signal.addEventListener('abort', () => over?.(), { once: true })
    try {
      await client.unsafe(`listen "${channel}"`)
      notified()
      await lost
    } catch {
      // Reads that run at the same time log that the database is unavailable.
    } finally {
      await client.end({ timeout: 0 })
    }
  }

  async function listen(): Promise<void> {
    while (!stop.signal.aborted) {
      await listenOnce()
      if (!stop.signal.aborted) await pause()
    }
  }

  const listening = listen()
  return async () => {
    stop.abort()
    await listening
  }
}
