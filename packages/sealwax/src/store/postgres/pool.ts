import type { PostgresJSReservedSql, PostgresJSSql } from 'kysely-postgres-js'
import type postgres from 'postgres'
import { connectionError, isAnswer, isFull, isUseless } from './look.ts'
import { type Pending, settled, UNDONE } from './pending.ts'
import {
  DOUBT_MS,
  FULL_MS,
  IDLE_MS,
  LONGEST_FULL_MS,
  type PoolLimits,
  RESERVATION_MS,
  SPARE_IDLE_MS,
  STARVING_MS,
  STATEMENT_MS,
} from './pool-limits.ts'
import { type Holder, type Kind, PAUSE_MS, type Reach } from './reach.ts'

interface Member {
  readonly client: postgres.Sql
  readonly instance: string
  /** The pool of the store that owns it now. */
  owner: Pool
  lost: boolean
  idleTimer?: NodeJS.Timeout
}

interface Waiting {
  resolve(reserved: PostgresJSReservedSql): void
  reject(error: unknown): void
  readonly timer: NodeJS.Timeout
}

/**
 * A pool that replaces lost connections instead of repairing them. The library's own pool
 * reconnects in place; until it has, a statement of the interrupted transaction ends the process
 * (porsager/postgres#1154) or waits forever. Here each connection is a separate client: once it is
 * lost, nothing more is sent over it, and another is opened if a reservation is waiting.
 *
 * When the server has no free connection, reservations wait for one that the pool already has. When
 * the database is unavailable and the pool has no connection, they fail immediately.
 */
export class Pool implements PostgresJSSql, Holder {
  readonly options = {}
  readonly #reach: Reach
  readonly #kind: Kind
  readonly #max: number
  readonly #statementMs: number
  readonly #members = new Set<Member>()
  readonly #idle: Member[] = []
  readonly #waiting: Waiting[] = []
  #opening = 0
  #ended = false
  /** The server had no free connection: until this time, a pool that has one opens no more. */
  #fullUntil = -Infinity
  #fullMs = FULL_MS
  #retry: NodeJS.Timeout | undefined
  /** Whether the next connection that becomes free goes to the neighbour, which has none. */
  #yields = false
  /** The other pool of the store. It gives up a connection if this one cannot get its first. */
  #neighbour: Pool | undefined

  constructor(reach: Reach, kind: Kind, { max, statementMs = STATEMENT_MS }: PoolLimits) {
    this.#reach = reach
    this.#kind = kind
    this.#max = max
    this.#statementMs = statementMs
    reach.join(this)
  }

  /** Links two pools, so that neither can leave the other without any connection. */
  static share(one: Pool, other: Pool): void {
    one.#neighbour = other
    other.#neighbour = one
  }

  reserve(): Promise<PostgresJSReservedSql> {
    if (this.#ended) return Promise.reject(connectionError('CONNECTION_ENDED'))
    return new Promise((resolve, reject) => {
      const free = this.#idle.pop()
      clearTimeout(free?.idleTimer)
      if (free !== undefined) return resolve(this.#reservation(free))
      const failure = this.#reach.failureFor(this.#kind)
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(own), 1)
        reject(connectionError('RESERVATION_TIMEOUT'))
      }, RESERVATION_MS)
      const own: Waiting = { resolve, reject, timer }
      this.#waiting.push(own)
      this.#grow(failure !== undefined && this.#members.size === 0)
      if (failure !== undefined && this.#members.size === 0) this.#refuse(failure)
    })
  }

  /**
   * Refuses waiting and new reservations. Closes each connection when it has no running statement,
   * or after `timeout` seconds.
   */
  async end({ timeout = 5 }: { timeout?: number } = {}): Promise<void> {
    this.#ended = true
    clearTimeout(this.#retry)
    this.#refuse(connectionError('CONNECTION_ENDED'))
    await Promise.all([...this.#members].map((member) => member.client.end({ timeout })))
  }

  found(instance: string): void {
    for (const member of this.#members) if (member.instance !== instance) this.#lose(member)
    this.#serveWaiting()
  }

  failed(): void {
    this.#serveWaiting()
  }

  unreachable(error: unknown): void {
    const members = [...this.#members]
    this.#refuse(error)
    for (const member of members) this.#lose(member)
  }

  /** Opens another connection for waiting reservations, if the limits allow it. */
  #grow(probing = false): void {
    const { size } = this.#members
    if (this.#ended || size + this.#opening >= this.#max) return
    if (!this.#reach.mayTry(this.#kind)) {
      // Waiting reservations are not refused here, and no other event may trigger another attempt.
      if (!probing && this.#waiting.length > 0 && this.#retry === undefined) this.#tryAgainAfter(PAUSE_MS)
      return
    }
    if (this.#opening >= this.#waiting.length && !probing) return
    if (performance.now() < this.#fullUntil && (size > 0 || this.#opening > 0 || this.#retry !== undefined)) return
    this.#opening += 1
    void this.#open().finally(() => {
      this.#opening -= 1
      this.#serveWaiting()
    })
  }

  async #open(): Promise<void> {
    let member: Member | undefined
    let closed = false
    const lost = () => {
      closed = true
      if (member !== undefined) member.owner.#lose(member)
    }
    try {
      const opened = await this.#reach.open(this.#kind, lost)
      member = { ...opened, owner: this, lost: closed }
      this.#fullMs = FULL_MS
      this.#fullUntil = -Infinity
      if (closed) return
      this.#members.add(member)
      if (this.#ended) this.#lose(member)
      else this.#release(member)
    } catch (error) {
      if (isFull(error)) this.#makeDo()
    }
  }

  /**
   * Refuses waiting reservations if the database is unavailable and there is no connection to wait
   * for. Otherwise opens another one for them, if the limits allow it.
   */
  #serveWaiting(): void {
    if (this.#waiting.length === 0) return
    const failure = this.#reach.failureFor(this.#kind)
    if (failure !== undefined && this.#members.size === 0 && this.#opening === 0) this.#refuse(failure)
    else this.#grow()
  }

  /**
   * The server has no free connection, so the pool continues with those it has. If it has none, it
   * gets one from its neighbour.
   */
  #makeDo(): void {
    if (performance.now() >= this.#fullUntil) {
      this.#fullUntil = performance.now() + this.#fullMs
      this.#fullMs = Math.min(2 * this.#fullMs, LONGEST_FULL_MS)
    }
    if (this.#members.size > 0 || this.#retry !== undefined) return
    this.#neighbour?.giveUpOne()
    this.#tryAgainAfter(STARVING_MS)
  }

  #tryAgainAfter(milliseconds: number): void {
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.#serveWaiting()
    }, milliseconds)
  }

  giveUpOne(): void {
    const free = this.#idle.shift()
    clearTimeout(free?.idleTimer)
    if (free !== undefined) this.#yield(free)
    else this.#yields = this.#members.size > 0
  }

  /**
   * Hands over an open connection: if it were closed, another server process could get its place.
   * Does not open another one immediately, so that the neighbour is served first.
   */
  #yield(member: Member): void {
    this.#yields = false
    const neighbour = this.#neighbour as Pool
    this.#members.delete(member)
    this.#fullUntil = performance.now() + 2 * STARVING_MS
    this.#tryAgainAfter(2 * STARVING_MS)
    member.owner = neighbour
    neighbour.#members.add(member)
    neighbour.#release(member)
  }

  #refuse(error: unknown): void {
    for (const { reject, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer)
      reject(error)
    }
  }

  /**
   * Removes a connection that is lost or given up. Another may be opened for waiting reservations.
   */
  #lose(member: Member): void {
    if (member.lost) return
    member.lost = true
    clearTimeout(member.idleTimer)
    this.#members.delete(member)
    const at = this.#idle.indexOf(member)
    if (at >= 0) this.#idle.splice(at, 1)
    // Rejects running statements, and prevents the client from reconnecting.
    void member.client.end({ timeout: 0 })
    this.#serveWaiting()
  }

  #release(member: Member): void {
    if (member.lost) return
    const next = this.#ended || this.#yields ? undefined : this.#waiting.shift()
    if (this.#ended) this.#lose(member)
    else if (this.#yields) this.#yield(member)
    else if (next !== undefined) {
      clearTimeout(next.timer)
      next.resolve(this.#reservation(member))
    } else {
      const limit = this.#members.size > 1 ? SPARE_IDLE_MS : IDLE_MS
      member.idleTimer = setTimeout(() => this.#lose(member), limit).unref()
      this.#idle.push(member)
    }
  }

  /** The object that Kysely holds while it uses a connection. */
  #reservation(member: Member): PostgresJSReservedSql {
    return {
      release: () => member.owner.#release(member),
      unsafe: (query, parameters, options) => {
        const undoing = query === 'rollback'
        if (member.lost) return settled(undoing ? UNDONE : Promise.reject(connectionError('CONNECTION_CLOSED')))
        const pending = member.client.unsafe(query, parameters as never[], options)
        this.#watch(member, pending)
        if (!undoing) return pending as unknown as Pending
        return settled(
          pending.then(
            () => UNDONE,
            () => {
              this.#lose(member)
              return UNDONE
            },
          ),
        )
      },
    }
  }

  /**
   * Closes the connection if the server does not respond in time, or responds with an error after
   * which the connection cannot be used.
   */
  #watch(member: Member, pending: PromiseLike<unknown>): void {
    const limited = this.#statementMs !== Infinity
    const doubt = limited ? setTimeout(() => void this.#reach.check(this.#kind), DOUBT_MS) : undefined
    const limit = limited ? setTimeout(() => this.#lose(member), this.#statementMs) : undefined
    const done = () => {
      clearTimeout(doubt)
      clearTimeout(limit)
    }
    const answered = () => {
      done()
      this.#reach.answered()
    }
    pending.then(answered, (error) => {
      if (isAnswer(error)) answered()
      else done()
      if (!isUseless(error)) return
      this.#lose(member)
      // Idle connections lead to the same server.
      for (const idle of [...this.#idle]) this.#lose(idle)
    })
  }
}
