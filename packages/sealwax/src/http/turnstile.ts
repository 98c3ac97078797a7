import { networksOf } from '../engine/network.ts'
import { createShares, type Place } from '../engine/shares.ts'

/** The routes that hash a password, below the base path. */
const HASHING: readonly string[] = ['/login', '/register']

/** How many log-ins begin in one turn of the event loop. */
const PER_TURN = 8

/** How many are queued by network in one turn. A thousand in one turn delayed the other requests. */
const IN_LINE_PER_TURN = 128

/**
 * Lets log-ins begin a few in a turn of the event loop, network by network: a thousand at once hold up nobody else. Everything else begins at once,
 * and so does a log-in while there are few.
 * @returns takes the path and a way to find the address of the caller; undefined: it may begin; else what to wait for
 */
export function turnstile(): (path: string, address?: () => string | undefined) => Promise<void> | undefined {
  // Nobody is refused here: what waits is a request that has arrived, and nothing was made of it.
  const shares = createShares({ places: PER_TURN, waiting: Number.POSITIVE_INFINITY, refuse: () => new Error('full') })
  const arrived: (() => void)[] = []
  const begun: Place[] = []
  let isScheduled = false

  function schedule(): void {
    if (!isScheduled) setImmediate(turn)
    isScheduled = true
  }

  function turn(): void {
    isScheduled = false
    // Queued before the places become free, so that the places go by network and not by arrival.
    for (const getInLine of arrived.splice(0, IN_LINE_PER_TURN)) getInLine()
    for (const place of begun.splice(0)) place.leave()
    if (arrived.length > 0) schedule()
  }

  function begin(place: Place): void {
    begun.push(place)
    schedule()
  }

  return (path, address) => {
    if (!HASHING.some((hashing) => path.endsWith(hashing))) return
    if (begun.length < PER_TURN && arrived.length === 0 && shares.waiting === 0) {
      begin(shares.enter(networksOf(address?.())))
      return
    }
    schedule()
    return new Promise((resolve) => {
      arrived.push(async () => {
        const place = shares.enter(networksOf(address?.()))
        await place.turn
        begin(place)
        resolve()
      })
    })
  }
}
