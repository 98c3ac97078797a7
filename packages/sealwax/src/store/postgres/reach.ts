import { setTimeout as delay } from 'node:timers/promises'
import type postgres from 'postgres'
import { clientOf } from './client.ts'
import {
  connectionError,
  isAnswer,
  isFull,
  keepEpoch,
  look,
  refuseReadOnly,
  refusesTimeline,
  type Seen,
  sendOver,
  TakesNoWrites,
} from './look.ts'
import type { Place, PostgresAddress } from './url.ts'

/**
 * A checked connection: it leads to the primary. With `tables`, and if the server reports its
 * timeline, the feed's epoch is that of the timeline.
 */
export interface Opened {
  readonly client: postgres.Sql
  readonly instance: string
}

/**
 * A connection that may still be closed because another host was faster. That close must not be
 * reported.
 */
interface Candidate extends Opened {
  /** Calls `lost` when the connection is lost, or soon if it is lost already. */
  onLost(lost: () => void): void
}

export interface Kind {
  /** Whether the connection is used for writes. */
  readonly writes: boolean
}

/** An owner of connections. It is notified of what an attempt to open one has found. */
export interface Holder {
  /** The primary was found. Connections to any other instance no longer lead to the primary. */
  found(instance: string): void
  /**
   * An attempt to open a connection has failed, and not because the server has no free connection.
   */
  failed(): void
  /** The server does not respond, so there is no point in waiting on open connections. */
  unreachable(error: unknown): void
}

interface Failure {
  readonly error: unknown
  readonly at: number
  /** Whether the primary responded but accepts no writes. */
  readonly ofWriters: boolean
}

/** How long opening one connection may take, including the first check of the server. */
const OPEN_MS = 5000
/** If the last primary does not respond within this time, the other hosts are tried in parallel. */
const HEAD_START_MS = 500
/**
 * While the database is unavailable: the pause between two attempts, and how many may run at once.
 */
export const PAUSE_MS = 250
const MOST_ATTEMPTS = 3
/**
 * An older failure does not show the current state. Longer than an attempt takes, so that during an
 * outage there is always a recent failure.
 */
const FRESH_MS = 6000
/**
 * A check of a server that does not respond to a statement: how long it may take, and the minimum
 * interval between two checks.
 */
const CHECK_MS = 3000
const CHECK_EVERY_MS = 5000

const FAILED_OVER =
  'the database was failed over: the revocation feed has a new epoch, and every guard reads all revocations again'

/**
 * What the pools of one store share about the database: whether it is unavailable, which host is
 * the primary, and whether the server reports its timeline.
 */
export class Reach {
  readonly #address: PostgresAddress
  readonly #tables: boolean
  readonly #tell: (sentence: string) => void
  readonly #holders = new Set<Holder>()
  /** The host that was last found to be the primary. */
  #place: Place | undefined
  #failure: Failure | undefined
  #attempts = 0
  #attemptedAt = -Infinity
  #checkedAt = -Infinity
  #answeredAt = -Infinity
  #timeline = true
  readonly #stop = new AbortController()

  /**
   * @param tables whether the tables exist, so that the feed's epoch can be checked
   * @param tell called with a message after an outage and after a failover
   */
  constructor(
    address: PostgresAddress,
    { tables, tell = () => {} }: { tables: boolean; tell?: ((sentence: string) => void) | undefined },
  ) {
    this.#address = address
    this.#tables = tables
    this.#tell = tell
  }

  join(holder: Holder): void {
    this.#holders.add(holder)
  }

  /** Aborts attempts that are in progress. */
  close(): void {
    this.#stop.abort()
  }

  /** False if the server does not report its timeline; a failover then goes unnoticed. */
  get tellsTimeline(): boolean {
    return this.#timeline
  }

  /** For a client that is not in a pool. */
  get address(): PostgresAddress {
    return this.#place === undefined ? this.#address : { ...this.#address, places: [this.#place] }
  }

  /**
   * The error of the last failed attempt, if that was recent and concerns this kind of connection.
   */
  failureFor({ writes }: Kind): unknown {
    const failure = this.#failure
    if (failure === undefined || (failure.ofWriters && !writes)) return undefined
    return performance.now() - failure.at < FRESH_MS ? failure.error : undefined
  }

  /**
   * While the database is unavailable, only a few attempts run at a time, however many reservations
   * are waiting.
   */
  mayTry({ writes }: Kind): boolean {
    if (this.#failure === undefined || (this.#failure.ofWriters && !writes)) return true
    return this.#attempts < MOST_ATTEMPTS && performance.now() - this.#attemptedAt >= PAUSE_MS
  }

  /** Opens a connection. A failure is remembered, unless the server has no free connection. */
  async open(kind: Kind, lost: () => void, withinMs = OPEN_MS): Promise<Opened> {
    this.#attempts += 1
    this.#attemptedAt = performance.now()
    try {
      const opened = await this.#openSomewhere(kind, withinMs)
      opened.onLost(lost)
      this.#attempts -= 1
      if (kind.writes || this.#failure?.ofWriters !== true) this.#recover()
      for (const holder of this.#holders) holder.found(opened.instance)
      return opened
    } catch (error) {
      this.#attempts -= 1
      if (isFull(error)) {
        // The server is reachable, so a connection may become free.
        if (this.#failure?.ofWriters === false) this.#recover()
        throw error
      }
      this.#failure = { error, at: performance.now(), ofWriters: error instanceof TakesNoWrites }
      for (const holder of this.#holders) holder.failed()
      throw error
    }
  }

  /** Records that the server has responded to a statement, over any connection. */
  answered(): void {
    this.#answeredAt = performance.now()
  }

  /**
   * Checks whether the server still responds, after a statement has had no response for a while. If
   * it does not, all connections are given up. But if other statements get a response meanwhile,
   * this one is waiting for a lock, and new connections wait for their turn at a pooler.
   */
  async check(kind: Kind): Promise<void> {
    const began = performance.now()
    if (began - this.#checkedAt < CHECK_EVERY_MS) return
    this.#checkedAt = began
    try {
      const { client } = await this.open(kind, () => {}, CHECK_MS)
      await client.end({ timeout: 0 })
    } catch (error) {
      if (isFull(error) || isAnswer(error) || this.#answeredAt > began) return
      for (const holder of this.#holders) holder.unreachable(error)
    }
  }

  /**
   * Checks the server over a new or an open connection: behind a pooler, an open one may lead to
   * another server by now.
   */
  async lookAgain(send: Parameters<typeof look>[0], { writes }: Kind): Promise<Seen> {
    const seen = await this.#look(send)
    refuseReadOnly(seen, { writes })
    if (await keepEpoch(send, seen)) this.#tell(FAILED_OVER)
    return seen
  }

  #recover(): void {
    if (this.#failure === undefined) return
    this.#failure = undefined
    const [place] = this.#place === undefined ? this.#address.places : [this.#place]
    this.#tell(`the database answers again, at ${place?.host}:${place?.port}`)
  }

  /**
   * Tries the last primary first. Of several hosts, the first that turns out to be the primary is
   * used.
   */
  async #openSomewhere(kind: Kind, withinMs: number): Promise<Candidate> {
    const { places } = this.#address
    if (places.length < 2) return this.#openAt(undefined, kind, withinMs)
    const [first, ...others] = [...places].sort((a, b) => Number(b === this.#place) - Number(a === this.#place))
    const decided = new AbortController()
    const isLate = delay(HEAD_START_MS, undefined, { signal: decided.signal }).catch(() => {})
    const attempt = (place: Place | undefined) =>
      this.#openAt(place, kind, withinMs).then((opened) => {
        // Another host was faster.
        if (decided.signal.aborted) void opened.client.end({ timeout: 0 })
        decided.abort()
        return { opened, place }
      })
    const head = attempt(first)
    await Promise.race([head, isLate]).catch(() => {})
    try {
      const rest = decided.signal.aborted ? [] : others.map(attempt)
      const { opened, place } = await Promise.any([head, ...rest])
      this.#place = place
      return opened
    } catch (error) {
      const errors: unknown[] = error instanceof AggregateError ? error.errors : [error]
      // An error from a server that responded is more useful than one from a server that is
      // unreachable.
      throw errors.find((each) => isAnswer(each)) ?? errors[0]
    } finally {
      decided.abort()
    }
  }

  async #openAt(place: Place | undefined, kind: Kind, withinMs: number): Promise<Candidate> {
    const address = place === undefined ? this.#address : { ...this.#address, places: [place] }
    const closed = Promise.withResolvers<void>()
    const client = clientOf(address, { onclose: closed.resolve })
    const { promise: givenUp, reject } = Promise.withResolvers<never>()
    givenUp.catch(() => {})
    const timer = setTimeout(() => reject(connectionError('CONNECT_TIMEOUT')), withinMs)
    const end = () => reject(connectionError('CONNECTION_ENDED'))
    this.#stop.signal.addEventListener('abort', end, { once: true })
    try {
      const { instance } = await Promise.race([this.lookAgain(sendOver(client), kind), givenUp])
      return { client, instance, onLost: (lost) => void closed.promise.then(lost) }
    } catch (error) {
      void client.end({ timeout: 0 })
      throw error
    } finally {
      clearTimeout(timer)
      this.#stop.signal.removeEventListener('abort', end)
    }
  }

  async #look(send: Parameters<typeof look>[0]): Promise<Seen> {
    const tables = this.#tables
    try {
      return await look(send, { tables, timeline: this.#tables && this.#timeline })
    } catch (error) {
      if (!this.#timeline || !refusesTimeline(error)) throw error
      const seen = await look(send, { tables, timeline: false })
      this.#timeline = false
      return seen
    }
  }
}
