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
 * A connection that was looked at: it leads to the primary, and the feed's epoch is that of its
 * timeline.
 */
export interface Opened {
  readonly client: postgres.Sql
  readonly instance: string
}

/** One that was not chosen yet: when another host is, nobody must hear that this one closes. */
interface Candidate extends Opened {
  /** Calls back when the connection is lost, also if it is already. */
  onLost(lost: () => void): void
}

export interface Kind {
  /** Whether what uses the connection writes. */
  readonly writes: boolean
}

/** Who holds connections, and hears what was found out by opening one. */
export interface Holder {
  /**
   * There is a primary. Connections to any other start of a server lead to one that is no longer
   * it.
   */
  found(instance: string): void
  /** An attempt to open a connection has failed. */
  failed(): void
  /** Nobody answers: connections that stand are waited for in vain. */
  unreachable(error: unknown): void
}

interface Failure {
  readonly error: unknown
  readonly at: number
  /** Whether the primary is there, and takes no writes. */
  readonly ofWriters: boolean
}

/** How long opening one connection may take, with the first look. */
const OPEN_MS = 5000
/** When the place that was good last does not answer so soon, the others are tried beside it. */
const HEAD_START_MS = 500
/** While the database is away: between two attempts, and how many may be under way. */
export const PAUSE_MS = 250
const MOST_ATTEMPTS = 3
/**
 * A failure tells nothing about now when it is older. Longer than an attempt takes: there is always
 * one that has failed meanwhile.
 */
const FRESH_MS = 6000
/**
 * A check of a server that does not answer a statement: how long it may take, and how often it is
 * made.
 */
const CHECK_MS = 3000
const CHECK_EVERY_MS = 5000

const FAILED_OVER =
  'the database was failed over: the revocation feed has a new epoch, and every guard reads all revocations again'

/**
 * What the pools of one store know together about the way to the database: whether it is away,
 * which host is the primary, and what it refuses to tell.
 */
export class Reach {
  readonly #address: PostgresAddress
  readonly #tables: boolean
  readonly #tell: (sentence: string) => void
  readonly #holders = new Set<Holder>()
  /** The host that was the primary when it was last asked. */
  #place: Place | undefined
  #failure: Failure | undefined
  #attempts = 0
  #attemptedAt = -Infinity
  #checkedAt = -Infinity
  #answeredAt = -Infinity
  #timeline = true
  readonly #stop = new AbortController()

  /**
   * @param tables whether the schema stands, so that the feed's epoch can be looked after
   * @param tell hears when an outage is over, and of a failover
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

  /** Ends what is under way. */
  close(): void {
    this.#stop.abort()
  }

  /** False where the server refuses to tell its timeline: then nobody notices a failover. */
  get tellsTimeline(): boolean {
    return this.#timeline
  }

  /** For a client that is not in a pool. */
  get address(): PostgresAddress {
    return this.#place === undefined ? this.#address : { ...this.#address, places: [this.#place] }
  }

  /** Why the last attempt failed, if that was just now. */
  failureFor({ writes }: Kind): unknown {
    const failure = this.#failure
    if (failure === undefined || (failure.ofWriters && !writes)) return undefined
    return performance.now() - failure.at < FRESH_MS ? failure.error : undefined
  }

  /** While the database is away few try at a time, whoever waits. */
  mayTry({ writes }: Kind): boolean {
    if (this.#failure === undefined || (this.#failure.ofWriters && !writes)) return true
    return this.#attempts < MOST_ATTEMPTS && performance.now() - this.#attemptedAt >= PAUSE_MS
  }

  /**
   * Opens a connection. What it rejects with is remembered, except that the server has no more to
   * give.
   */
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
        // The server is there: who waits may hope for a connection.
        if (this.#failure?.ofWriters === false) this.#recover()
        throw error
      }
      this.#failure = { error, at: performance.now(), ofWriters: error instanceof TakesNoWrites }
      for (const holder of this.#holders) holder.failed()
      throw error
    }
  }

  /** A statement was answered, over whichever connection. */
  answered(): void {
    this.#answeredAt = performance.now()
  }

  /**
   * A statement has not been answered for a while: is the server still there? If not, all
   * connections are given up. But when others are answered meanwhile, it waits for a lock, and new
   * connections wait for their turn at a pooler.
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

  /** Looks again over a connection that stands: behind a pooler it may lead elsewhere by now. */
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
   * The last primary first. Of several hosts the first that turns out to be the primary is taken.
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
      // What a server that is there has said tells more than that another is not.
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
