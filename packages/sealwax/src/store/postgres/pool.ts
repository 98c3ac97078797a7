import type { PostgresJSReservedSql, PostgresJSSql } from 'kysely-postgres-js'
import type postgres from 'postgres'

/**
 * A pool whose connections die for good. The library's own pool mends a broken connection in place, and until it has, a statement of the
 * transaction that was under way ends the process (porsager/postgres#1154) or waits for ever. Here each connection is a client of its own: once it
 * is lost nothing is sent over it any more, and the next reservation opens another.
 */
export interface Pool extends PostgresJSSql {
  /** Refuses new reservations, and closes each connection once it is free, or after so many seconds. */
  end(options?: { timeout?: number }): Promise<void>
}

export interface PoolLimits {
  /** Connections at once. */
  readonly max: number
  /** How long one statement may take before its connection is given up, in milliseconds. Infinity for migrations and copies. */
  readonly statementMs?: number
}

interface Member {
  readonly client: postgres.Sql
  lost: boolean
  idleTimer?: NodeJS.Timeout
}

interface Waiting {
  resolve(reserved: PostgresJSReservedSql): void
  reject(error: Error): void
  readonly timer: NodeJS.Timeout
}

/** How long a reservation waits for a connection to become free; as long as SQLite waits for the write lock. */
const RESERVATION_MS = 5000
/** Far beyond what any of our statements takes: a server that is frozen, or cut off, does not hold requests for ever. */
const STATEMENT_MS = 20_000
const IDLE_MS = 60_000

/** @param open makes a client of one connection, which tells when that connection is lost. */
export function createPool(open: (lost: () => void) => postgres.Sql, limits: PoolLimits): Pool {
  const { max, statementMs = STATEMENT_MS } = limits
  const members = new Set<Member>()
  const idle: Member[] = []
  const waiting: Waiting[] = []
  let ended = false

  /** The connection is gone, or given up: one of those who wait may open another. */
  function lose(member: Member): void {
    if (member.lost) return
    member.lost = true
    clearTimeout(member.idleTimer)
    members.delete(member)
    const at = idle.indexOf(member)
    if (at >= 0) idle.splice(at, 1)
    // Rejects what is still under way, and keeps the client from connecting again.
    void member.client.end({ timeout: 0 })
    const next = waiting.shift()
    if (next !== undefined) give(add(), next)
  }

  function add(): Member {
    const member: Member = { client: open(() => lose(member)), lost: false }
    members.add(member)
    return member
  }

  function give(member: Member, { resolve, timer }: Waiting): void {
    clearTimeout(timer)
    resolve(reservation(member, () => release(member), lose, statementMs))
  }

  function release(member: Member): void {
    if (member.lost) return
    const next = ended ? undefined : waiting.shift()
    if (ended) lose(member)
    else if (next !== undefined) give(member, next)
    else {
      member.idleTimer = setTimeout(() => lose(member), IDLE_MS).unref()
      idle.push(member)
    }
  }

  return {
    options: {},
    reserve() {
      if (ended) return Promise.reject(connectionError('CONNECTION_ENDED'))
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(own), 1)
          reject(connectionError('RESERVATION_TIMEOUT'))
        }, RESERVATION_MS)
        const own: Waiting = { resolve, reject, timer }
        const free = idle.pop() ?? (members.size < max ? add() : undefined)
        clearTimeout(free?.idleTimer)
        if (free === undefined) waiting.push(own)
        else give(free, own)
      })
    },
    async end({ timeout = 5 } = {}) {
      ended = true
      for (const { reject, timer } of waiting.splice(0)) {
        clearTimeout(timer)
        reject(connectionError('CONNECTION_ENDED'))
      }
      const clients = [...members].map((member) => member.client.end({ timeout }))
      await Promise.all(clients)
    },
  }
}

/** What Kysely holds while it uses a connection. */
function reservation(
  member: Member,
  release: () => void,
  lose: (member: Member) => void,
  statementMs: number,
): PostgresJSReservedSql {
  return {
    release,
    unsafe(query, parameters, options) {
      const undoing = query === 'rollback'
      if (member.lost) return settled(undoing ? UNDONE : Promise.reject(connectionError('CONNECTION_CLOSED')))
      const pending = member.client.unsafe(query, parameters as never[], options)
      const timer = statementMs === Infinity ? undefined : setTimeout(() => lose(member), statementMs)
      const done = () => clearTimeout(timer)
      pending.then(done, done)
      if (!undoing) return pending as unknown as Pending
      return settled(
        pending.then(
          () => UNDONE,
          () => {
            lose(member)
            return UNDONE
          },
        ),
      )
    },
  }
}

type Pending = ReturnType<PostgresJSReservedSql['unsafe']>

/** What a rollback answers. One that cannot be sent has happened all the same: Postgres undoes what a lost connection left open. */
const UNDONE = Promise.resolve(Object.assign([], { command: 'ROLLBACK', count: 0 }))

function settled(answer: Promise<Awaited<Pending>>): Pending {
  return Object.assign(answer.then(), { cancel() {} })
}

function connectionError(code: string): Error {
  return Object.assign(new Error(`No connection to the database: ${code}`), { code })
}
