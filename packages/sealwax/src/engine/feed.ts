import { AuthError } from '../errors.ts'
import { FEED_EPOCH } from '../store/contract/metadata.ts'
import type { RevocationRow } from '../store/contract/revocations.ts'
import type { Context, Revocation } from './context.ts'
import { networkOf } from './network.ts'

/** A page of the revocation feed, as other services follow it. */
export interface FeedPage {
  /** Where to read on: the feed's epoch and a position. */
  readonly cursor: string
  /** When the store was read, in seconds since 1970. */
  readonly as_of: number
  /** Whether the page begins with the oldest that is live (no cursor was given, or one of another epoch), or with what came after the cursor. */
  readonly snapshot: boolean
  /** Whether more is there already: without the pages that follow, what is known is not complete. */
  readonly more: boolean
  readonly entries: readonly Revocation[]
}

/** What this process knows of the feed. Filled by `followRevocations`. */
export interface FeedState {
  /** As it was last read. */
  epoch: string
  /** When revocations were last read from the store, on the clock of `elapsed`. */
  readAt: number
  /** Requests that wait for something to happen, in the order they came, each with the network it came from. */
  readonly waiting: Map<() => void, string>
  /** When they may next be woken, on the clock of `elapsed`. */
  wakeAt: number
  /** Whether they will be woken then. */
  isWaking: boolean
  /** Reads that are about to begin, by position: whoever asks for the same by then shares the page. */
  readonly reads: Map<string | undefined, Promise<FeedPage>>
  /** How often something new was read. */
  news: number
  closed: boolean
}

export function createFeedState(): FeedState {
  return {
    epoch: '',
    readAt: 0,
    waiting: new Map(),
    wakeAt: 0,
    isWaking: false,
    reads: new Map(),
    news: 0,
    closed: false,
  }
}

/** Guards that wait at once in one process; more are told to come back. */
const MOST_WAITING = 200
const LONGEST_WAIT_MS = 25_000
/** For each that is woken the next time is a millisecond later: however often something happens, a thousand replies a second are sent at most. */
const WAKING_MS = 1
/** Rows that are read in one turn of the event loop: a millisecond or two. */
const ROWS_A_TURN = 1000
/** Rows in an answer that is made for one guard. What is longer is read in pages, which serve all. */
const MOST_NEWS = 500
/** Entries of a page; a page that has found less after so many rows is sent all the same. */
const PAGE_ENTRIES = 5000
const PAGE_ROWS = 20_000
/** Between two readings for a page. */
const LONGEST_REST_MS = 5

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
  const readSome = async () => {
    const page = await store.committed.revocations.since(cursor, { now: seconds(context.now()), limit: ROWS_A_TURN })
    feed.epoch = epochOf(page.cursor)
    for (const entry of page.entries) context.revoked.add(revocationOf(entry))
    const happened = page.cursor !== cursor && page.entries.length > 0
    cursor = page.cursor
    if (happened) feed.news += 1
    if (happened) wake(context)
    await onRead(page.entries)
    return page.more
  }
  const read = async () => {
    while (await readSome()) await turn()
    feed.readAt = context.elapsed()
  }
  await read()
  const reading = oneAtATime(read, (error) => context.log.warn({ err: error }, 'revocations or keys could not be read'))
  const stop = store.follow(reading.start)
  return async () => {
    endWaiting(context)
    await stop()
    await reading.done()
  }
}

/** Answers those who wait, with the page as it stands, and lets nobody wait from now on. */
export function endWaiting({ feed }: Context): void {
  feed.closed = true
  wakeAll(feed)
}

/** A cursor as the store takes it; undefined: the beginning, since it is absent or none of ours. The store tells whether it is of another epoch. */
export function positionOf(cursor: string | undefined): string | undefined {
  return /^[\w-]*\.[\d-]{1,100}$/.test(cursor ?? '') ? cursor : undefined
}

function epochOf(cursor: string): string {
  return cursor.slice(0, cursor.indexOf('.'))
}

/**
 * Answers what happened after a position, or what is live, if that is short; with `more` it is not, and {@link readPage} has it. With `wait`, an answer
 * without entries is held back until something happens, for 25 s at most. Throws `temporarily_unavailable` when too many wait already.
 */
export async function readNews(
  context: Context,
  position: string | undefined,
  { wait, signal, ip }: { wait: number; signal?: AbortSignal; ip?: string | undefined },
): Promise<FeedPage> {
  const { feed } = context
  const { news } = feed
  const page = await readShared(context, position)
  if (page.snapshot || page.more || page.entries.length > 0 || wait <= 0 || feed.closed) return page
  const network = networkOf(ip) ?? ''
  if (feed.waiting.size >= MOST_WAITING && !makeRoom(feed, network)) {
    throw new AuthError('temporarily_unavailable', 'Too many guards wait here already', { retryAfter: 1 })
  }
  // What happened while the store was read may not be in the page.
  if (feed.news === news) await change(feed, network, Math.min(wait * 1000, LONGEST_WAIT_MS), signal)
  return readShared(context, position)
}

/** Guards that are woken together stand at the same position, so that one read serves them all. */
function readShared(context: Context, position: string | undefined): Promise<FeedPage> {
  const { reads } = context.feed
  const shared = reads.get(position)
  if (shared !== undefined) return shared
  const read = turn().then(() => {
    // Whoever comes from now on may know of something that this read does not see.
    reads.delete(position)
    return readRows(context, position, MOST_NEWS)
  })
  reads.set(position, read)
  return read
}

/** Reads a long page, a few milliseconds of work at a time and twice as long for others in between. */
export async function readPage(context: Context, position: string | undefined): Promise<FeedPage> {
  const pages: FeedPage[] = []
  let entries = 0
  for (let rows = 0; rows < PAGE_ROWS && entries < PAGE_ENTRIES; rows += ROWS_A_TURN) {
    const began = context.elapsed()
    const last = pages.at(-1)
    const from = last === undefined ? position : positionOf(last.cursor)
    const page = await readRows(context, from, Math.min(ROWS_A_TURN, PAGE_ENTRIES - entries))
    // The store has gone back in time: what was read before belongs to another one.
    if (page.snapshot) pages.length = 0
    pages.push(page)
    entries += page.entries.length
    if (!page.more) break
    await rest(Math.min(2 * (context.elapsed() - began), LONGEST_REST_MS))
  }
  const [first, last] = [pages[0], pages.at(-1)] as [FeedPage, FeedPage]
  return { ...last, snapshot: first.snapshot, entries: pages.flatMap((page) => page.entries) }
}

async function readRows(context: Context, position: string | undefined, limit: number): Promise<FeedPage> {
  const asOf = seconds(context.now())
  const { entries, cursor, more, snapshot } = await context.store.committed.revocations.since(position, {
    now: asOf,
    limit,
  })
  context.feed.epoch = epochOf(cursor)
  return { cursor, as_of: asOf, snapshot, more, entries: entries.map(revocationOf) }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function rest(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Resolves when something was revoked, when the time is over, or when the one who waits has gone. */
function change(
  feed: FeedState,
  network: string,
  milliseconds: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      feed.waiting.delete(done)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    feed.waiting.set(done, network)
    signal?.addEventListener('abort', done)
    if (signal?.aborted === true) done()
  })
}

/** Answers the newest one of the network that has most waiting, if that is more than the newcomer's network would then have. */
function makeRoom(feed: FeedState, newcomer: string): boolean {
  const networks = Map.groupBy(feed.waiting.keys(), (done) => feed.waiting.get(done) as string)
  const largest = [...networks.values()].reduce((a, b) => (b.length > a.length ? b : a))
  if ((networks.get(newcomer)?.length ?? 0) + 1 >= largest.length) return false
  largest.at(-1)?.()
  return true
}

/** At once, or with what else happens until it may be done again. */
function wake({ feed, elapsed }: Context): void {
  if (feed.isWaking) return
  const rest = feed.wakeAt - elapsed()
  const now = () => {
    feed.isWaking = false
    feed.wakeAt = elapsed() + WAKING_MS * feed.waiting.size
    wakeAll(feed)
  }
  if (rest <= 0) now()
  else {
    feed.isWaking = true
    setTimeout(now, rest).unref()
  }
}

function wakeAll(feed: FeedState): void {
  for (const done of [...feed.waiting.keys()]) done()
}

/**
 * Whether the database is a copy of another, or was restored from one, and starts for the first time: then it has keys, and no epoch. What was revoked since the copy
 * was made is unknown to it and known to guards elsewhere.
 */
export async function isCopy({ store }: Context): Promise<boolean> {
  // In this order: a new installation has its epoch before its first key.
  const hasKeys = (await store.committed.signingKeys.list()).length > 0
  return hasKeys && (await store.committed.metadata.get(FEED_EPOCH)) === undefined
}

/** Gives the feed its epoch on the first start. A restored or copied database gets a new one by losing the old. */
export async function openFeed({ store, randomBytes }: Context): Promise<void> {
  if ((await store.committed.metadata.get(FEED_EPOCH)) !== undefined) return
  const epoch = randomBytes(9).toString('base64url')
  await store.transaction((facts) => facts.metadata.getOrSet(FEED_EPOCH, epoch))
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
