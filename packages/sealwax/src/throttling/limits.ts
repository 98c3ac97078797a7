/**
 * The limits, and the decision about one attempt. It is a pure function: the servers call it with
 * counters from the store, `sealwax throttle simulate` with counters in memory.
 */

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** A counter. An unused one has zeros. */
export interface Counter {
  /** The attempts that count. */
  readonly count: number
  /** When the next attempt is possible; for a steady limit, when the bucket is full again. */
  readonly at: number
  /** Whether `at` is a turn that was promised. */
  readonly booked: boolean
}

/** The counter of something that has never been seen. */
export const UNUSED: Counter = { count: 0, at: 0, booked: false }

/** A bucket of `burst` attempts that gets one back every `every` milliseconds. */
interface SteadyLimit {
  readonly burst: number
  readonly every: number
}

/**
 * `free` attempts without a pause, then pauses that double from `first` to `most` milliseconds.
 */
interface GrowingLimit {
  readonly free: number
  readonly first: number
  readonly most: number
}

/**
 * `device`: a device that has logged in to this account before. Its owner mistypes a few times; a
 * stolen device token gives its thief 10 guesses an hour.
 *
 * `address` (IPv4 address, IPv6 /64) and `network` (IPv4 /24, IPv6 /48): only failures stay
 * counted, so that an office or a school behind one address can log in. 30 wrong passwords at
 * once and 60 an hour are more than a few hundred people need.
 */
export const STEADY = {
  device: { burst: 10, every: 6 * MINUTE },
  address: { burst: 30, every: MINUTE },
  network: { burst: 60, every: 20 * SECOND },
} as const satisfies Record<string, SteadyLimit>

/**
 * Attempts from devices that have not logged in to this account before. `account`: from everywhere
 * together. Its pauses are short, because all networks share them: with 20 seconds, 45 networks can
 * be promised a turn within 15 minutes. `caller`: from one network.
 */
export const GROWING = {
  account: { free: 5, first: SECOND, most: 20 * SECOND },
  caller: { free: 5, first: SECOND, most: 15 * MINUTE },
} as const satisfies Record<string, GrowingLimit>

/** How far ahead a turn is promised, and how long it is kept after that. */
export const LONGEST_WAIT = 15 * MINUTE

/** After this time without an attempt, the pauses begin again with the free attempts. */
const FORGOTTEN_AFTER = 12 * HOUR

/**
 * What a guess costs its address and network while it is being checked; the rest is added when it
 * was wrong. So 300 people behind one address can log in at the same moment.
 */
const WHILE_CHECKED = 0.1

/** What is counted. */
export type CounterKind = keyof typeof STEADY | keyof typeof GROWING

/** Counters by kind. An attempt from a known device has only `device`, another one the others. */
export type Counters = Readonly<Partial<Record<CounterKind, Counter>>>

/** The decision about an attempt. */
export interface Decision {
  /** Milliseconds until it can be repeated; 0 if it is allowed. */
  readonly wait: number
  /** The counter that refuses. */
  readonly refusedBy: CounterKind | undefined
  /** The counters that change. */
  readonly next: Counters
}

/** Whether an attempt is a guess, which may turn out to be right, or a request, such as a mail. */
export type Nature = 'guess' | 'request'

/** Decides whether an attempt is allowed at `now`. */
export function decide(counters: Counters, now: number, nature: Nature): Decision {
  const next: Record<string, Counter> = {}
  let longest: Decision = { wait: 0, refusedBy: undefined, next: {} }
  for (const kind of ['device', 'address', 'network'] as const) {
    const counter = counters[kind]
    if (counter === undefined) continue
    const { burst, every } = STEADY[kind]
    const at = Math.max(counter.at, now) + costOf(kind, nature)
    const wait = at - burst * every - now
    if (wait > longest.wait) longest = { wait, refusedBy: kind, next: {} }
    next[kind] = { ...UNUSED, at }
  }
  if (longest.refusedBy !== undefined) return longest
  if (counters.account === undefined || counters.caller === undefined) return { ...longest, next }
  const turn = takeTurn(counters.caller, counters.account, now)
  return turn.wait > 0 ? turn : { ...turn, next: { ...next, ...turn.next } }
}

/**
 * Networks that guess at one account take turns. One that is too early is promised the next free
 * turn, which no other network can take. So an attacker who asks more often gets no more turns.
 * While up to 44 other networks guess, the owner gets a turn after `LONGEST_WAIT` at most. With
 * more, not every network can be promised one.
 */
function takeTurn(caller: Counter, account: Counter, now: number): Decision {
  const allowed = (next: Counters): Decision => {
    const count = caller.count + 1
    const tried = { count, at: afterPause('caller', count, now), booked: false }
    return { wait: 0, refusedBy: undefined, next: { ...next, caller: tried } }
  }
  if (caller.at > now) return { wait: caller.at - now, refusedBy: caller.booked ? 'account' : 'caller', next: {} }
  if (caller.booked && now < caller.at + LONGEST_WAIT) return allowed({})
  const count = account.count + 1
  const at = Math.max(account.at, now)
  const after = { count, at: afterPause('account', count, at), booked: false }
  if (at === now) return allowed({ account: after })
  const wait = at - now
  // Too many networks are waiting to promise another turn.
  if (wait > LONGEST_WAIT) return { wait: wait - LONGEST_WAIT, refusedBy: 'account', next: {} }
  return { wait, refusedBy: 'account', next: { account: after, caller: { ...caller, at, booked: true } } }
}

/** The counter after a guess turned out to be wrong. */
export function afterFailure(kind: CounterKind, counter: Counter, now: number): Counter {
  if (kind !== 'address' && kind !== 'network') return counter
  return { ...counter, at: Math.max(counter.at, now) + Math.round((1 - WHILE_CHECKED) * STEADY[kind].every) }
}

/** A counted attempt: the counters as it found them, and those that it changed. */
export interface Counted {
  readonly before: Counters
  readonly after: Counters
  readonly nature: Nature
}

/** The counter after a guess turned out to be right: its network starts again at this account. */
export function afterSuccess(kind: CounterKind, counter: Counter, counted: Counted): Counter {
  return kind === 'caller' ? UNUSED : afterWithdrawal(kind, counter, counted)
}

/** The counter as if the attempt had not been made. Others may have changed it meanwhile. */
export function afterWithdrawal(kind: CounterKind, counter: Counter, { before, after, nature }: Counted): Counter {
  if (isSteady(kind)) return { ...counter, at: counter.at - costOf(kind, nature) }
  const [was, became] = [before[kind], after[kind]]
  if (was !== undefined && became !== undefined && isEqual(counter, became)) return was
  return { ...counter, count: Math.max(0, counter.count - 1) }
}

/** From when on the counter is the same as an unused one. */
export function expiryOf(kind: CounterKind, { at }: Counter, now: number): number {
  return isSteady(kind) ? at : Math.max(at, now) + FORGOTTEN_AFTER
}

/**
 * The counter as it counts at `now`. If the clock was set back, no time is further ahead than the
 * limit allows.
 */
export function asOf(kind: CounterKind, counter: Counter & { readonly expires_at: number }, now: number): Counter {
  if (counter.expires_at <= now) return UNUSED
  const { count, booked } = counter
  // As many guesses as may be checked at the same moment may all turn out to be wrong.
  const furthest = isSteady(kind)
    ? (1 + 1 / WHILE_CHECKED) * STEADY[kind].burst * STEADY[kind].every
    : LONGEST_WAIT + GROWING.account.most
  return { count, booked, at: Math.min(counter.at, now + furthest) }
}

function isSteady(kind: CounterKind): kind is keyof typeof STEADY {
  return kind in STEADY
}

/** How much later the bucket is full again. */
function costOf(kind: keyof typeof STEADY, nature: Nature): number {
  return Math.round((kind === 'device' || nature === 'request' ? 1 : WHILE_CHECKED) * STEADY[kind].every)
}

/**
 * When the next attempt is possible after this many. Without a pause it is 0, since the clock of
 * the server that counts the next one may be behind.
 */
function afterPause(kind: keyof typeof GROWING, count: number, now: number): number {
  const { free, first, most } = GROWING[kind]
  return count < free ? 0 : now + Math.min(first * 2 ** (count - free), most)
}

function isEqual(one: Counter, other: Counter): boolean {
  return one.count === other.count && one.at === other.at && one.booked === other.booked
}
