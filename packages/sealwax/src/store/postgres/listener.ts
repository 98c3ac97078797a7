import { setTimeout as delay } from 'node:timers/promises'
import type postgres from 'postgres'

/** What a client must be told to hear notifications over a connection of its own. */
export interface Hearing {
  readonly onnotify: () => void
  readonly onclose: () => void
}

const RETRY_MS = 500

/**
 * Listens on a channel until the returned function is called. A lost connection is replaced; `heard` is also called each time listening begins
 * (again), since nobody knows what was missed before.
 *
 * @param open makes a client of one connection that stays as it is when that is lost.
 */
export function listenOn(
  channel: string,
  open: (hearing: Hearing) => postgres.Sql,
  heard: () => void,
): () => Promise<void> {
  const stop = new AbortController()
  const pause = () => delay(RETRY_MS, undefined, { signal: stop.signal, ref: false }).catch(() => undefined)

  async function listenOnce(): Promise<void> {
    let over: (() => void) | undefined
    const lost = new Promise<void>((resolve) => {
      over = resolve
    })
    const client = open({ onnotify: heard, onclose: () => over?.() })
    stop.signal.addEventListener('abort', () => over?.(), { once: true })
    try {
      await client.unsafe(`listen "${channel}"`)
      heard()
      await lost
    } catch {
      // The reads that go on meanwhile tell in the log that the database is away.
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
