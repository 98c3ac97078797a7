import { networksOf } from '../core/network.ts'
import { createShares, type Place } from '../core/shares.ts'

/** How many log-ins start in one turn of the event loop. */
const PER_TURN = 8

/**
 * How many are sorted into the queues of their networks in one turn. A thousand in one turn delayed
 * other requests.
 */
const IN_LINE_PER_TURN = 128

/** Decides when requests that hash a password start. */
export interface LoginAdmission {
  /** Adds a path whose requests hash a password. */
  add(path: string): void
  /**
   * @param address returns the address of the client, called only if needed
   * @returns a promise to wait for before the request is read, or `undefined` if it may start
   */
  enter(path: string, address?: () => string | undefined): Promise<void> | undefined
}

/** By `handles`, which is the same function in an app that spreads the server. */
const admissions = new WeakMap<Handles, LoginAdmission>()
type Handles = (path: string) => boolean

/** Stores the admission of a server for `toNodeHandler`. */
export function shareAdmission({ handles }: { handles: Handles }, admission: LoginAdmission): void {
  admissions.set(handles, admission)
}

/** Returns the admission of a server, or `undefined` for anything else with `fetch`. */
export function admissionOf({ handles }: { handles: Handles }): LoginAdmission | undefined {
  return admissions.get(handles)
}

/**
 * Starts only a few of the requests that hash a password in each turn of the event loop, and takes
 * turns between networks, so that a thousand at once do not delay other requests. All other
 * requests start at once, and so do log-ins while there are few.
 */
export function createLoginAdmission(): LoginAdmission {
  const paths = new Set<string>()
  // Any number may wait: nothing has been created for a waiting request yet.
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
    // Before places become free, so that they are given by network and not by arrival.
    for (const getInLine of arrived.splice(0, IN_LINE_PER_TURN)) getInLine()
    for (const place of begun.splice(0)) place.leave()
    if (arrived.length > 0) schedule()
  }

  function begin(place: Place): void {
    begun.push(place)
    schedule()
  }

  function enter(path: string, address?: () => string | undefined): Promise<void> | undefined {
    if (!paths.has(path)) return undefined
    if (begun.length < PER_TURN && arrived.length === 0 && shares.waiting === 0) {
      begin(shares.enter(networksOf(address?.())))
      return undefined
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
  return { add: (path) => void paths.add(path), enter }
}
