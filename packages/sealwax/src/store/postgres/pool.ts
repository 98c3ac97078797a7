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
  /** Which of the store's pools has it now. */
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
 * A pool whose connections die for good. The library's own pool mends a broken connection in place,
 * and until it has, a statement of the transaction that was under way ends the process
 * (porsager/postgres#1154) or waits for ever. Here each connection is a client of its own: once it
 * is lost nothing is sent over it any more, and another is opened when somebody waits.
 *
 * When the server has no more connections to give, those who ask wait for one of those there are.
 * While it is away, they hear so at once.
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
  /** The server had none left: no more are asked for until then. */
  #fullUntil = -Infinity
  #fullMs = FULL_MS
  #retry: NodeJS.Timeout | undefined
  /** The next connection to become free is given up, for another pool that has none. */
  #yields = false
  /** Which of the store's pools gives up a connection when this one cannot get its first. */
  #neighbour: Pool | undefined

  constructor(reach: Reach, kind: Kind, { max, statementMs = STATEMENT_MS }: PoolLimits) {
    this.#reach = reach
    this.#kind = kind
    this.#max = max
    this.#statementMs = statementMs
    reach.join(this)
  }

  /** Neither of two pools can keep the other from having a connection at all. */
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
   * Refuses new reservations, and closes each connection once it is free, or after so many seconds.
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

  /** Opens another connection for those who wait, if there may be one more. */
  #grow(probing = false): void {
    const { size } = this.#members
    if (this.#ended || size + this.#opening >= this.#max) return
    if (!this.#reach.mayTry(this.#kind)) {
      // Those who wait are not refused now, and nobody else may try again for them.
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
   * Those who wait in vain hear so; for the others another connection is opened, if there may be
   * one more.
   */
  #serveWaiting(): void {
    if (this.#waiting.length === 0) return
    const failure = this.#reach.failureFor(this.#kind)
    if (failure !== undefined && this.#members.size === 0 && this.#opening === 0) this.#refuse(failure)
    else this.#grow()
  }

  /**
   * The server has no connection left: the pool goes on with those it has. One that has none asks
   * its neighbour for one.
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
   * Hands a connection over as it is: closed, another server might get the place. Does not ask for
   * another at once: the neighbour comes first.
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

  /** The connection is gone, or given up: another may be opened for those who wait. */
  #lose(member: Member): void {
    if (member.lost) return
    member.lost = true
    clearTimeout(member.idleTimer)
    this.#members.delete(member)
    const at = this.#idle.indexOf(member)
    if (at >= 0) this.#idle.splice(at, 1)
    // Rejects what is still under way, and keeps the client from connecting again.
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

  /** What Kysely holds while it uses a connection. */
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

  /** Gives the connection up when the server does not answer, or answers that it is of no use. */
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
      // They lead to the same server.
      for (const idle of [...this.#idle]) this.#lose(idle)
    })
  }
}
