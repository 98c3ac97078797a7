import { audit, auditAlone } from '../core/audit.ts'
import { type Context, perContext } from '../core/context.ts'
import { networksOf } from '../core/network.ts'
import { purgeInPages } from '../core/purge.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { createShares } from '../core/shares.ts'
import { commit, type Unit } from '../core/unit-of-work.ts'
import { AuthError } from '../errors.ts'
import type { CounterName, CounterRow } from './contract.ts'
import { ACTIONS, type Action, accountHash, type CounterNames, namesOf } from './counter-names.ts'
import {
  afterFailure,
  afterSuccess,
  afterWithdrawal,
  asOf,
  type Counted,
  type Counter,
  type CounterKind,
  type Counters,
  decide,
  expiryOf,
  UNUSED,
} from './limits.ts'
import { type Refusal, refusalsOf } from './refusals.ts'

/**
 * How many attempts are counted at once. Attempts of a flood wait for each other's counters. If all
 * could, they would hold every connection to the database meanwhile.
 */
const COUNTED_AT_ONCE = 2

const counting = perContext(() =>
  createShares({
    places: COUNTED_AT_ONCE,
    waiting: Number.POSITIVE_INFINITY,
    refuse: () => new Error('any number of attempts may wait'),
  }),
)

/** An attempt, before it is counted. */
export interface AttemptRequest {
  readonly action: Action
  /**
   * The address of the account, normalised. If it is not an address, what was typed. Whether the
   * account exists makes no difference.
   */
  readonly account: string
  readonly origin: RequestOrigin
  /** The id from `knownDevice`, if the device has logged in to this account before. */
  readonly device?: string | undefined
  /** The id of the user, for the audit log. */
  readonly subject?: string | undefined
}

/** An attempt that was allowed and counted. */
export interface Attempt {
  /** The guess was right: it no longer counts, and its network starts again at this account. */
  succeeded(unit: Unit): Promise<void>
  /** The guess was wrong. */
  failed(): Promise<void>
  /** The attempt was not carried out, for example because the server is overloaded. */
  withdraw(): Promise<void>
}

/**
 * Counts an attempt, before the work that it asks for. Other servers on the same store see it.
 *
 * @throws {AuthError} `too_many_attempts` with the time to wait, equal for known and unknown
 * accounts
 */
export async function throttle(context: Context, request: AttemptRequest): Promise<Attempt> {
  await refuseAgain(context, request)
  const names = namesOf({ ...request, ip: request.origin.ip })
  const nature = ACTIONS[request.action]
  const lane = request.device === undefined ? 'normal' : 'priority'
  const { turn, leave } = counting(context).enter(networksOf(request.origin.ip), lane)
  await turn
  const { before, decision } = await commit(context, async (unit) => {
    const { counters, now } = await lockCounters(context, unit, names)
    const decision = decide(counters, now, nature)
    await unit.throttle.write(toRows(names, decision.next, now))
    return { before: counters, decision: { ...decision, now } }
  }).finally(leave)
  const { wait, refusedBy, next, now } = decision
  if (refusedBy === undefined) return attemptOf(context, names, { before, after: next, nature })
  // The account refuses each network separately: the next one may have its turn earlier.
  const name = names[refusedBy === 'account' ? 'caller' : refusedBy]
  const refusal = { by: refusedBy, until: now + wait }
  if (name !== undefined) refusalsOf(context).add(name.key, refusal, now)
  context.log.info({ action: request.action, by: refusedBy }, 'attempt refused: too many')
  return refuse(context, request, refusal)
}

/**
 * Refuses an attempt if the store has just refused the same one. Does not read the store, so it can
 * be called first, before anything else is done for the request.
 *
 * @throws {AuthError} `too_many_attempts`
 */
export async function refuseAgain(context: Context, request: AttemptRequest): Promise<void> {
  const names = namesOf({ ...request, ip: request.origin.ip })
  const keys = Object.values(names).map(({ key }) => key)
  const refusal = refusalsOf(context).find(keys, context.now())
  if (refusal !== undefined) await refuse(context, request, refusal)
}

async function refuse(
  context: Context,
  { action, origin, subject }: AttemptRequest,
  { by, until }: Refusal,
): Promise<never> {
  const now = context.now()
  await auditAlone(context, {
    type: 'throttle.refused',
    time: now,
    subject,
    ...auditOrigin(origin),
    data: { action, counter: by },
  })
  throw new AuthError('too_many_attempts', 'Too many attempts: wait as long as Retry-After says', {
    retryAfter: Math.max(1, Math.ceil((until - now) / 1000)),
  })
}

function auditOrigin({ ip, userAgent }: RequestOrigin): RequestOrigin {
  return { ip, userAgent }
}

function attemptOf(context: Context, names: CounterNames, counted: Counted): Attempt {
  const guess = counted.nature === 'guess'
  return {
    async succeeded(unit) {
      if (guess) await change(context, unit, names, (kind, counter) => afterSuccess(kind, counter, counted))
    },
    withdraw: () =>
      commit(context, (unit) =>
        change(context, unit, names, (kind, counter) => afterWithdrawal(kind, counter, counted)),
      ),
    async failed() {
      const { address, network } = names
      if (!guess || address === undefined || network === undefined) return
      await commit(context, (unit) => change(context, unit, { address, network }, afterFailure))
    },
  }
}

/** Changes counters as they are now. */
async function change(
  context: Context,
  unit: Unit,
  names: CounterNames,
  to: (kind: CounterKind, counter: Counter, now: number) => Counter,
): Promise<void> {
  const { counters, now } = await lockCounters(context, unit, names)
  const next = Object.fromEntries(kindsOf(counters).map(([kind, counter]) => [kind, to(kind, counter, now)]))
  await unit.throttle.write(toRows(names, next, now))
}

/** Locks counters, and returns them as of the time at which they were locked. */
async function lockCounters(
  context: Context,
  unit: Unit,
  names: CounterNames,
): Promise<{ counters: Counters; now: number }> {
  const rows = await unit.throttle.lock(Object.values(names))
  const now = context.now()
  const stored = new Map(rows.map((row) => [row.key, row]))
  const counters = Object.entries(names).map(([kind, { key }]) => {
    const row = stored.get(key)
    return [kind, row === undefined ? UNUSED : asOf(kind as CounterKind, row, now)]
  })
  return { counters: Object.fromEntries(counters), now }
}

function toRows(names: CounterNames, counters: Counters, now: number): CounterRow[] {
  return kindsOf(counters).map(([kind, counter]) => {
    const name = names[kind] as CounterName
    return { ...name, ...counter, expires_at: expiryOf(kind, counter, now) }
  })
}

function kindsOf(counters: Counters): [CounterKind, Counter][] {
  return Object.entries(counters) as [CounterKind, Counter][]
}

/** What an operator sees of a counter. */
export interface CounterShown {
  /** Such as `login` and `caller`. */
  readonly action: string
  /** See `limits.ts`. */
  readonly kind: string
  /** The attempts that count. */
  readonly count: number
  /** When the next attempt is possible; undefined if it is possible now. */
  readonly next: Date | undefined
}

/** Returns the counters of an account in use. */
export async function countersOf(context: Context, account: string): Promise<CounterShown[]> {
  const now = context.now()
  const rows = await context.store.committed.throttle.ofAccount(accountHash(account))
  return rows
    .filter(({ expires_at }) => expires_at > now)
    .map(({ key, count, at }) => {
      const [action = '', kind = ''] = key.split(':')
      const isWait = at > now && kind !== 'device'
      return { action, kind, count, next: isWait ? new Date(at) : undefined }
    })
}

/** Deletes the counters of an account; returns how many there were. Servers follow within 2 s. */
export async function clearAccount(context: Context, account: string): Promise<number> {
  return commit(context, async (unit) => {
    const counters = await unit.throttle.clear(accountHash(account))
    await audit(unit, { type: 'throttle.cleared', time: context.now(), data: { counters } })
    return counters
  })
}

/** Deletes the counters that are the same as unused ones. */
export async function purgeCounters(
  { store, now }: Pick<Context, 'store' | 'now'>,
  signal: AbortSignal,
): Promise<void> {
  const before = now()
  await purgeInPages(signal, (limit) => store.transaction((facts) => facts.throttle.purge(before, limit)))
}
