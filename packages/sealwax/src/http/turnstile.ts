import { networksOf } from '../engine/network.ts'
import { createShares, type Place } from '../engine/shares.ts'

/** The routes that hash a password, below the base path. */
const HASHING: readonly string[] = ['/login', '/register']

/** How many log-ins begin in one turn of the event loop. */
const PER_TURN = 8

/**
 * Lets log-ins begin a few in a turn of the event loop, network by network: a thousand at once hold up nobody else. Everything else begins at once,
 * and so does a log-in while there are few.
 * @returns takes the path and a way to find the address of the caller; undefined: it may begin; else what to wait for
 */
export function turnstile(): (path: string, address?: () => string | undefined) => Promise<void> | undefined {
  // Nobody is refused here: what waits is a request that has arrived, and nothing was made of it.
  const shares = createShares({ places: PER_TURN, waiting: Number.POSITIVE_INFINITY, refuse: () => new Error('full') })
  const begun: Place[] = []
  const turn = () => {
    for (const place of begun.splice(0)) place.leave()
  }
  const begin = (place: Place) => {
    if (begun.length === 0) setImmediate(turn)
    begun.push(place)
  }
  return (path, address) => {
    if (!HASHING.some((hashing) => path.endsWith(hashing))) return
    const place = shares.enter(networksOf(address?.()))
    if (place.turn !== undefined) return place.turn.then(() => begin(place))
    begin(place)
    return
  }
}
