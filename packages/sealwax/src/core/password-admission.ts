import { availableParallelism } from 'node:os'
import { AuthError } from '../errors.ts'
import { perContext } from './context.ts'
import { APPLICATION, type Network } from './network.ts'
import { createShares, type LaneName, type Place } from './shares.ts'

/**
 * Decides when work with passwords runs. Hashing one takes a core for 5 to 60 milliseconds, and in
 * a flood of log-ins everything else would wait. A request waits
 *
 * 1. for its `start`, before a `Request` is created (`toNodeHandler`) or its body is read
 *    (`fetch`),
 * 2. for a `place` among those that hash, once its body is read: a client that sends slowly does
 *    not occupy one. If there is no place, it is refused with `overloaded`,
 * 3. for a core (`run`). While others wait, finished jobs are released a few at a time: the code
 *    after them then runs with warm caches, and the whole queue is done sooner.
 *
 * Starts, places and cores are shared among networks (`shares.ts`). A device that has logged in to
 * the account before has priority over all others.
 */
export interface PasswordAdmission {
  /**
   * Waits until a request may start.
   *
   * @param network returns the network of the client, called later and once
   */
  start(network: () => Network): Promise<void>
  /** Takes a place for hashing. Throws `overloaded` when there is none for this network. */
  place(network: Network, lane?: LaneName): Place
  /** Waits for a place for a call by the application, which is never refused. */
  ownPlace(): Promise<Place>
  /** Waits for the turn of the place, runs the job, and gives the place back. */
  run<T>(place: Place, job: () => Promise<T>): Promise<T>
}

/** Options of {@link createPasswordAdmission}. */
export interface PasswordAdmissionOptions {
  /** Milliseconds on a monotonic clock. */
  readonly elapsed: () => number
  /** How many jobs run at once. Default: the number of cores. */
  readonly concurrency?: number
  /** How many may wait. More would wait longer than clients do. Default 100. */
  readonly queueLimit?: number
}

/**
 * How many arrivals are sorted by network in one turn of the event loop. A thousand in one turn
 * would delay other requests.
 */
const ARRIVALS_PER_TURN = 128

/**
 * How many requests start in one turn of the event loop. Node accepts one new connection per turn,
 * so long turns keep others waiting.
 */
const STARTS_PER_TURN = 2

/** How many finished jobs are released together while others wait. */
const RELEASED_TOGETHER = 16

/** How long a finished job waits for others at most. On busy cores, jobs take long. */
const RELEASED_WITHIN_MS = 100

/** The admission of this process. */
export const passwordAdmission = perContext(({ elapsed }) => createPasswordAdmission({ elapsed }))

/** Creates an admission. A process needs one for all its passwords. */
export function createPasswordAdmission(options: PasswordAdmissionOptions): PasswordAdmission {
  const { elapsed, concurrency = availableParallelism(), queueLimit = 100 } = options
  const arrival = paceArrivals()
  // Any number may wait to start: little has been created for them yet.
  const starts = createShares({ places: STARTS_PER_TURN, waiting: Number.POSITIVE_INFINITY, refuse: overloaded })
  const cores = createShares({ places: concurrency, waiting: queueLimit, refuse: overloaded })
  /** Calls of the application that wait for a place. */
  const outside: (() => void)[] = []
  const finished: { readonly at: number; readonly go: () => void }[] = []
  let endedAt = elapsed()

  async function start(network: () => Network): Promise<void> {
    await arrival()
    const { turn, leave } = starts.enter(network())
    await turn
    setImmediate(leave)
  }

  function place(network: Network, lane?: LaneName): Place {
    const { turn, leave } = cores.enter(network, lane)
    return {
      turn,
      leave() {
        const othersWaited = cores.waiting > 0
        leave()
        outside.shift()?.()
        const last = !othersWaited || (cores.waiting === 0 && finished.length === 1)
        const now = elapsed()
        // An estimate from the time since the previous one.
        const nextAt = now + (now - endedAt)
        endedAt = now
        const late = nextAt - (finished[0]?.at ?? now) > RELEASED_WITHIN_MS
        if (last || late || finished.length >= RELEASED_TOGETHER) for (const { go } of finished.splice(0)) go()
      },
    }
  }

  /** The application gets the share of one network; further calls wait in order. */
  async function ownPlace(): Promise<Place> {
    if (outside.length > 0) await new Promise<void>((next) => outside.push(next))
    for (;;) {
      try {
        const own = place(APPLICATION)
        await own.turn
        return own
      } catch {
        // There is no free place, or it was given to a network with fewer places.
        await new Promise<void>((next) => outside.unshift(next))
      }
    }
  }

  async function run<T>({ turn, leave }: Place, job: () => Promise<T>): Promise<T> {
    await turn
    try {
      return await job()
    } finally {
      const released = new Promise<void>((go) => finished.push({ at: elapsed(), go }))
      leave()
      await released
    }
  }

  return { start, place, ownPlace, run }
}

/** Returns a function that resolves in one of the next turns of the event loop, in order. */
function paceArrivals(): () => Promise<void> {
  const arrived: (() => void)[] = []
  function handle(): void {
    for (const go of arrived.splice(0, ARRIVALS_PER_TURN)) go()
    if (arrived.length > 0) setImmediate(handle)
  }
  return () => {
    if (arrived.length === 0) setImmediate(handle)
    return new Promise((go) => arrived.push(go))
  }
}

function overloaded(): AuthError {
  return new AuthError('overloaded', 'Too many log-ins at once: try again shortly', { retryAfter: 2 })
}
