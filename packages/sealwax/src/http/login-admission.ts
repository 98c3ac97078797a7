import { networksOf } from '../core/network.ts'
import { createShares, type Place } from '../core/shares.ts'

/** How many log-ins begin in one turn of the event loop. */
const PER_TURN = 8

/**
 * How many are queued by network in one turn. A thousand in one turn delayed the other requests.
 */
const IN_LINE_PER_TURN = 128

/** How a flood of requests that hash a password begins. */
export interface LoginAdmission {
  /** Adds a path whose requests hash a password. */
  add(path: string): void
  /**
   * @param address finds the address of the caller, when it is needed
   * @returns what to wait for before the request is read; `undefined`: it may begin
   */
  enter(path: string, address?: () => string | undefined): Promise<void> | undefined
}

/** By `handles`, which stays the same function where an application wraps the server. */
const admissions = new WeakMap<Handles, LoginAdmission>()
type Handles = (path: string) => boolean

/** Remembers the admission of a server, for whatever else hands requests to it. */
export function shareAdmission({ handles }: { handles: Handles }, admission: LoginAdmission): void {
  admissions.set(handles, admission)
}

/** The admission of a server; `undefined` for anything else that has `fetch`. */
export function admissionOf({ handles }: { handles: Handles }): LoginAdmission | undefined {
  return admissions.get(handles)
}

/**
 * Lets requests that hash a password begin a few in a turn of the event loop, network by network: a
 * thousand at once do not hold up anybody else. Everything else begins at once, and so does a
 * log-in while there are few.
 */
export function createLoginAdmission(): LoginAdmission {
  const paths = new Set<string>()
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
