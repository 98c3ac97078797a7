import type { Network } from './network.ts'

/** A place, running or in the queue. */
export interface Place {
  /**
   * Undefined when the caller may run at once. Otherwise it resolves when its turn comes, or
   * rejects with the error of `refuse` when the place was given to a network that holds fewer.
   */
  readonly turn: Promise<void> | undefined
  /**
   * Gives the place back. If `turn` is still pending, it stays pending. Further calls do nothing.
   */
  leave(): void
}

/** A limited number of places, shared by network. */
export interface Shares {
  /** How many callers wait. */
  readonly waiting: number
  /**
   * Takes a place. Throws the error of `refuse` when there is none for this network.
   *
   * @param lane default `normal`
   */
  enter(network: Network, lane?: LaneName): Place
}

/** Callers that wait in the same lane share it by network. */
export type LaneName = 'priority' | 'normal'

/** The limits of {@link createShares}. */
export interface SharesOptions {
  /** How many may run at once. */
  readonly places: number
  /** How many may wait. */
  readonly waiting: number
  /** Makes the error for a caller without a place. */
  readonly refuse: () => Error
}

/** The places of one network: a site, or a subnet of it. */
interface Holder {
  readonly name: string
  running: number
  waiting: number
}

interface Subnet extends Holder {
  /** In order of arrival. */
  readonly waiters: Waiter[]
}

interface Site extends Holder {
  readonly subnets: Map<string, Subnet>
}

interface Waiter {
  begin(): void
  refuse(): void
}

/** The callers of one lane. */
interface Lane {
  readonly running: number
  readonly waiting: number
  run(network: Network): Place
  /** Throws the error of `refuse` when the queue is full for this network. */
  wait(network: Network): Place
  /** Lets the next caller that waits begin. Returns false if there is none. */
  beginNext(): boolean
}

/**
 * Shares places among networks on two levels: first among sites, then among the subnets of a site.
 *
 * - While nobody else waits, a network may use every place; otherwise at most a quarter of all.
 * - The network with the fewest running callers runs next; in a tie, the one not served for
 * longest.
 * - When the queue is full, a newcomer takes the place of the newest caller that waits in the
 * network with the most places, unless its own network would then have more. Running callers keep
 * theirs.
 *
 * Each lane has a queue of its own to which this applies. While callers wait in both lanes, they
 * begin in turns: whoever has priority does not wait for the other lane, and cannot stop it.
 *
 * No state is kept for networks without places.
 */
export function createShares(options: SharesOptions): Shares {
  const lanes: Readonly<Record<LaneName, Lane>> = {
    priority: createLane(options, beginNext),
    normal: createLane(options, beginNext),
  }
  const { priority, normal } = lanes
  let last = normal

  function beginNext(): void {
    const inTurn = last === priority ? [normal, priority] : [priority, normal]
    last = inTurn.find((lane) => lane.beginNext()) ?? last
  }

  return {
    get waiting() {
      return priority.waiting + normal.waiting
    },
    enter(network, name = 'normal') {
      const lane = lanes[name]
      return priority.running + normal.running < options.places ? lane.run(network) : lane.wait(network)
    },
  }
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory, each part of it short
function createLane({ places, waiting, refuse }: SharesOptions, ended: () => void): Lane {
  const quarter = Math.max(1, Math.floor((places + waiting) / 4))
  const sites = new Map<string, Site>()
  const all = { running: 0, waiting: 0 }

  /** Returns the site and the subnet of a network, created if necessary. */
  function open({ site, subnet }: Network): [Site, Subnet] {
    const outer = sites.get(site) ?? { name: site, running: 0, waiting: 0, subnets: new Map() }
    const inner = outer.subnets.get(subnet) ?? { name: subnet, running: 0, waiting: 0, waiters: [] }
    sites.set(site, outer)
    outer.subnets.set(subnet, inner)
    return [outer, inner]
  }

  function count(site: Site, subnet: Subnet, change: { running?: 1 | -1; waiting?: 1 | -1 }): void {
    for (const holder of [all, site, subnet]) {
      holder.running += change.running ?? 0
      holder.waiting += change.waiting ?? 0
    }
    if (held(subnet) === 0) site.subnets.delete(subnet.name)
    if (held(site) === 0) sites.delete(site.name)
  }

  /**
   * Whether one more caller of this network may wait; if necessary, another one is refused for it.
   */
  function makeRoom(network: Network): boolean {
    const site = sites.get(network.site)
    const subnet = site?.subnets.get(network.subnet)
    const hasItsShare = (holder: Holder | undefined) =>
      holder !== undefined && held(holder) >= quarter && all.waiting > holder.waiting
    if (hasItsShare(subnet)) return false
    if (!hasItsShare(site)) {
      if (all.waiting < waiting) return true
      const largest = findLargest(sites)
      if (holdsLess(site, largest)) return refuseNewest(largest, findLargest(largest.subnets))
    }
    const neighbour = site && findLargest(site.subnets)
    return site !== undefined && holdsLess(subnet, neighbour) && refuseNewest(site, neighbour)
  }

  function refuseNewest(site: Site, subnet: Subnet | undefined): boolean {
    const waiter = subnet?.waiters.pop()
    if (subnet === undefined || waiter === undefined) return false
    count(site, subnet, { waiting: -1 })
    waiter.refuse()
    return true
  }

  function beginNext(): boolean {
    const site = next(sites)
    const subnet = site && next(site.subnets)
    const waiter = subnet?.waiters.shift()
    if (site === undefined || subnet === undefined || waiter === undefined) return false
    count(site, subnet, { running: 1, waiting: -1 })
    waiter.begin()
    return true
  }

  function run(network: Network): Place {
    const [site, subnet] = open(network)
    count(site, subnet, { running: 1 })
    return { turn: undefined, leave: once(() => end(site, subnet)) }
  }

  function end(site: Site, subnet: Subnet): void {
    count(site, subnet, { running: -1 })
    ended()
  }

  function wait(network: Network): Place {
    if (!makeRoom(network)) throw refuse()
    const [site, subnet] = open(network)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // The caller may await its turn later; a rejection before that must not count as unhandled.
    promise.catch(() => {})
    let leave = () => {
      subnet.waiters.splice(subnet.waiters.indexOf(waiter), 1)
      count(site, subnet, { waiting: -1 })
    }
    const waiter: Waiter = {
      begin() {
        leave = () => end(site, subnet)
        resolve()
      },
      refuse() {
        leave = () => {}
        reject(refuse())
      },
    }
    subnet.waiters.push(waiter)
    count(site, subnet, { waiting: 1 })
    return { turn: promise, leave: once(() => leave()) }
  }

  return {
    get running() {
      return all.running
    },
    get waiting() {
      return all.waiting
    },
    run,
    wait,
    beginNext,
  }
}

function held(holder: Holder | undefined): number {
  return holder === undefined ? 0 : holder.running + holder.waiting
}

/**
 * Returns the network with waiting callers and the fewest running ones, and counts it as served; in
 * a tie, the one that was not served for longest (maps keep the order of insertion).
 */
function next<H extends Holder>(holders: Map<string, H>): H | undefined {
  let best: H | undefined
  for (const holder of holders.values()) {
    if (holder.waiting > 0 && (best === undefined || holder.running < best.running)) best = holder
    if (best?.running === 0) break
  }
  if (best !== undefined) {
    holders.delete(best.name)
    holders.set(best.name, best)
  }
  return best
}

/** Returns the network with waiting callers that has the most places. */
function findLargest<H extends Holder>(holders: Map<string, H>): H | undefined {
  let largest: H | undefined
  for (const holder of holders.values()) {
    if (holder.waiting > 0 && held(holder) > held(largest)) largest = holder
  }
  return largest
}

/**
 * Whether `one` has fewer places than `other`, and would not have more after taking one from it.
 */
function holdsLess<H extends Holder>(one: H | undefined, other: H | undefined): other is H {
  return held(one) + 1 < held(other)
}

function once(act: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    act()
  }
}
