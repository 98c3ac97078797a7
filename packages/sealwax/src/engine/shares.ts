import type { Network } from './network.ts'

/** A place among those that run, or among those that wait to run. */
export interface Place {
  /**
   * Resolves when this one may run; undefined: it may run at once. Rejects with what `refuse` makes when a network that holds less has been given this
   * waiting place.
   */
  readonly turn: Promise<void> | undefined
  /** Gives the place back, whether it runs or still waits. The turn of one that leaves while it waits never comes. Calling it again does nothing. */
  leave(): void
}

export interface Shares {
  /** How many wait. */
  readonly waiting: number
  /** Takes a place. Throws what `refuse` makes when there is none for this network. */
  enter(network: Network): Place
}

export interface SharesOptions {
  /** How many run at once. */
  readonly places: number
  /** How many may wait. */
  readonly waiting: number
  readonly refuse: () => Error
}

/** What one network holds: a site, or a subnet of it. */
interface Holder {
  readonly name: string
  running: number
  waiting: number
}

interface Subnet extends Holder {
  /** In the order they came. */
  readonly waiters: Waiter[]
}

interface Site extends Holder {
  readonly subnets: Map<string, Subnet>
}

interface Waiter {
  begin(): void
  refuse(): void
}

/**
 * Shares places out by network, on two levels: the sites among each other, and the subnets inside a site. A network alone may use every place. While
 * others wait, it is given nothing beyond a quarter of all places. Who runs next is chosen by network: the one with the fewest running, and in turn
 * among those. When every waiting place is taken, a newcomer gets that of the newest waiter of the network that holds most, if its own network still
 * holds no more than that one afterwards. What runs is never interrupted. No state is kept for
 * networks that hold nothing.
 */
export function createShares({ places, waiting, refuse }: SharesOptions): Shares {
  const quarter = Math.max(1, Math.floor((places + waiting) / 4))
  const sites = new Map<string, Site>()
  const all = { running: 0, waiting: 0 }

  /** What the site and the subnet hold; new ones when they hold nothing yet. */
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

  /** Whether one more of this network may wait; if need be, another one is sent away for it. */
  function makeRoom(network: Network): boolean {
    const site = sites.get(network.site)
    const subnet = site?.subnets.get(network.subnet)
    const hasItsShare = (holder: Holder | undefined) =>
      holder !== undefined && held(holder) >= quarter && all.waiting > holder.waiting
    if (hasItsShare(subnet)) return false
    if (!hasItsShare(site)) {
      if (all.waiting < waiting) return true
      const largest = largestOf(sites)
      if (holdsLess(site, largest)) return sendAway(largest, largestOf(largest.subnets))
    }
    const neighbour = site && largestOf(site.subnets)
    return site !== undefined && holdsLess(subnet, neighbour) && sendAway(site, neighbour)
  }

  function sendAway(site: Site, subnet: Subnet | undefined): boolean {
    const waiter = subnet?.waiters.pop()
    if (subnet === undefined || waiter === undefined) return false
    count(site, subnet, { waiting: -1 })
    waiter.refuse()
    return true
  }

  function beginNext(): void {
    const site = next(sites)
    const subnet = site && next(site.subnets)
    const waiter = subnet?.waiters.shift()
    if (site === undefined || subnet === undefined || waiter === undefined) return
    count(site, subnet, { running: 1, waiting: -1 })
    waiter.begin()
  }

  function run(network: Network): Place {
    const [site, subnet] = open(network)
    count(site, subnet, { running: 1 })
    return { turn: undefined, leave: once(() => end(site, subnet)) }
  }

  function end(site: Site, subnet: Subnet): void {
    count(site, subnet, { running: -1 })
    beginNext()
  }

  function wait(network: Network): Place {
    const [site, subnet] = open(network)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // A caller may do something else before it awaits its turn; being sent away meanwhile is no unhandled rejection.
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
    get waiting() {
      return all.waiting
    },
    enter(network) {
      if (all.running < places) return run(network)
      if (!makeRoom(network)) throw refuse()
      return wait(network)
    },
  }
}

function held(holder: Holder | undefined): number {
  return holder === undefined ? 0 : holder.running + holder.waiting
}

/** The one with the fewest running of those with somebody waiting; among equals the one that was served longest ago. It is served now. */
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

/** The one that holds most of those with somebody waiting. */
function largestOf<H extends Holder>(holders: Map<string, H>): H | undefined {
  let largest: H | undefined
  for (const holder of holders.values()) {
    if (holder.waiting > 0 && held(holder) > held(largest)) largest = holder
  }
  return largest
}

/** Whether `one` holds less than `other`, and would still hold no more after taking one of its places. */
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
