import { AuthError } from '../errors.ts'
import type { RevocationRow } from '../store/contract/revocations.ts'
import type { Context, Revocation } from './context.ts'

/** A page of the revocation feed, as other services follow it. */
export interface FeedPage {
  /** Where to read on: the feed's epoch and a position. */
  readonly cursor: string
  /** When the store was read, in seconds since 1970. */
  readonly as_of: number
  /** Whether the entries are all that is live (no cursor was given, or one of another epoch), or what came after the cursor. */
  readonly snapshot: boolean
  readonly entries: readonly Revocation[]
}

/** What this process knows of the feed. Filled by `followRevocations`. */
export interface FeedState {
  epoch: string
  /** When revocations were last read from the store, on the clock of `elapsed`. */
  readAt: number
  /** Requests that wait for something to happen. */
  readonly waiting: Set<() => void>
  closed: boolean
}

export function createFeedState(): FeedState {
  return { epoch: '', readAt: 0, waiting: new Set(), closed: false }
}

/** Guards that wait at once in one process; more are told to come back. */
const MOST_WAITING = 200
const LONGEST_WAIT_MS = 25_000

const EPOCH = 'feed_epoch'

/**
 * Fills this process's list from the store before the first request, then keeps following it: what any process revokes is refused here
 * too. `onRead` is called after each reading. Answers what stops the following.
 */
export async function followRevocations(
  context: Context,
  onRead: (entries: readonly RevocationRow[]) => Promise<void>,
): Promise<() => Promise<void>> {
  const { store, feed } = context
  let cursor: string | undefined
  const read = async () => {
    const page = await store.committed.revocations.since(cursor, seconds(context.now()))
    for (const entry of page.entries) context.revoked.add(revocationOf(entry))
    const happened = page.cursor !== cursor && page.entries.length > 0
    cursor = page.cursor
    feed.readAt = context.elapsed()
    if (happened) wake(feed)
    await onRead(page.entries)
  }
  await read()
  const reading = oneAtATime(read, (error) => context.log.warn({ err: error }, 'revocations or keys could not be read'))
  const stop = store.follow(reading.start)
  return async () => {
    feed.closed = true
    wake(feed)
    await stop()
    await reading.done()
  }
}

/**
 * Answers what happened after a cursor; everything live when the cursor is absent or of another epoch. With `wait`, an answer without entries is
 * held back until something happens, for 25 s at most. Throws `temporarily_unavailable` when too many wait already.
 */
export async function readFeed(
  context: Context,
  after: string | undefined,
  { wait, signal }: { wait: number; signal?: AbortSignal },
): Promise<FeedPage> {
  const { feed } = context
  const [epoch, position] = (after ?? '').split('.')
  const known = epoch === feed.epoch && /^\d{1,39}$/.test(position ?? '')
  const cursor = known ? position : undefined
  const page = await readPage(context, cursor)
  if (!known || page.entries.length > 0 || wait <= 0 || feed.closed) return page
  if (feed.waiting.size >= MOST_WAITING) {
    throw new AuthError('temporarily_unavailable', 'Too many guards wait here already', { retryAfter: 1 })
  }
  await change(feed, Math.min(wait * 1000, LONGEST_WAIT_MS), signal)
  return readPage(context, cursor)
}

async function readPage(context: Context, cursor: string | undefined): Promise<FeedPage> {
  const asOf = seconds(context.now())
  const { entries, cursor: next } = await context.store.committed.revocations.since(cursor, asOf)
  return {
    cursor: `${context.feed.epoch}.${next}`,
    as_of: asOf,
    snapshot: cursor === undefined,
    entries: entries.map(revocationOf),
  }
}

/** Resolves when something was revoked, when the time is over, or when the one who waits has gone. */
function change(feed: FeedState, milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      feed.waiting.delete(done)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    feed.waiting.add(done)
    signal?.addEventListener('abort', done)
    if (signal?.aborted === true) done()
  })
}

function wake(feed: FeedState): void {
  for (const done of [...feed.waiting]) done()
}

/**
 * Whether the database is a copy of another, or was restored from one, and starts for the first time: then it has keys, and no epoch. What was revoked since the copy
 * was made is unknown to it and known to guards elsewhere.
 */
export async function isCopy({ store }: Context): Promise<boolean> {
  // In this order: a new installation has its epoch before its first key.
  const hasKeys = (await store.committed.signingKeys.list()).length > 0
  return hasKeys && (await store.committed.metadata.get(EPOCH)) === undefined
}

/** Gives the feed its epoch on the first start. A restored or copied database gets a new one by losing the old. */
export async function openFeed({ store, feed, randomBytes }: Context): Promise<void> {
  const known = await store.committed.metadata.get(EPOCH)
  const epoch = randomBytes(9).toString('base64url')
  feed.epoch = known ?? (await store.transaction((facts) => facts.metadata.getOrSet(EPOCH, epoch)))
}

/** Calls that come while one is under way become one more call after it. */
function oneAtATime(run: () => Promise<void>, failed: (error: unknown) => void) {
  let running: Promise<void> | undefined
  let again = false
  const runAll = async () => {
    do {
      again = false
      await run().catch(failed)
    } while (again)
    running = undefined
  }
  return {
    start() {
      if (running === undefined) running = runAll()
      else again = true
    },
    async done() {
      await running
    },
  }
}

function revocationOf({ kind, key, ver, until, except_sid }: RevocationRow): Revocation {
  if (kind === 'ver') return { kind, subject: key, ver: ver ?? 0, until }
  if (kind === 'sub') return { kind, subject: key, below: ver ?? 0, ...(except_sid && { except: except_sid }), until }
  return kind === 'sid' ? { kind, sid: key, until } : { kind, kid: key, until }
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}
