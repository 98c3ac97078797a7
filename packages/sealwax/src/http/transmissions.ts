import { networksOf } from '../core/network.ts'
import { createShares, type Place } from '../core/shares.ts'
import { AuthError } from '../errors.ts'
import type { Platform } from './env.ts'

/** Long replies sent at the same time. */
const PLACES = 50
/** Requests that wait for a slot. */
const WAITING = 150
const LONGEST_WAIT_MS = 4000
/** The time to read a reply. */
const TIME_LIMIT_MS = 10_000
/** The time to read a reply while others wait. */
const TIME_LIMIT_OF_A_CROWD_MS = 1000

/**
 * Limits how many long replies are sent at the same time, shared fairly between networks. A reader
 * that is too slow is disconnected.
 *
 * @returns A function whose promise resolves when the reply may be sent, or rejects with
 *   `temporarily_unavailable`. The slot is released when the response closes; without a node:http
 *   response, immediately.
 */
export function createTransmissions() {
  const refuse = () => new AuthError('temporarily_unavailable', 'Too many clients are reading this', { retryAfter: 2 })
  const shares = createShares({ places: PLACES, waiting: WAITING, refuse })
  const sending = new Set<{ readonly since: number; cut(): void }>()
  let waiting = 0

  async function wait({ turn, leave }: Place, signal: AbortSignal): Promise<void> {
    if (turn === undefined) return
    waiting += 1
    const before = performance.now() - TIME_LIMIT_OF_A_CROWD_MS
    for (const { since, cut } of sending) if (since <= before) cut()
    try {
      await within(turn, AbortSignal.any([signal, AbortSignal.timeout(LONGEST_WAIT_MS)]), refuse)
    } catch (error) {
      leave()
      throw error
    } finally {
      waiting -= 1
    }
  }

  function watch(response: NonNullable<Platform['response']>, { leave }: Place): void {
    const one = { since: performance.now(), cut: () => response.destroy() }
    const timers = [
      setTimeout(() => waiting > 0 && one.cut(), TIME_LIMIT_OF_A_CROWD_MS),
      setTimeout(one.cut, TIME_LIMIT_MS),
    ]
    sending.add(one)
    response.once('close', () => {
      for (const timer of timers) clearTimeout(timer)
      sending.delete(one)
      leave()
    })
  }

  return async (ip: string | undefined, signal: AbortSignal, response: Platform['response']): Promise<void> => {
    const place = shares.enter(networksOf(ip))
    await wait(place, signal)
    if (response === undefined || response.destroyed) place.leave()
    else watch(response, place)
  }
}

function within(turn: Promise<void>, signal: AbortSignal, refuse: () => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    const give = () => reject(refuse())
    if (signal.aborted) give()
    signal.addEventListener('abort', give, { once: true })
    turn.then(resolve, reject).finally(() => signal.removeEventListener('abort', give))
  })
}
