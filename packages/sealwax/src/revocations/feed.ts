import type { Revocation } from '@sealwax/guard'
import { type Context, perContext } from '../core/context.ts'
import { toSubnet } from '../core/network.ts'
import { AuthError } from '../errors.ts'
import type { RevocationRow } from './contract.ts'
import { oneAtATime } from './one-at-a-time.ts'

/** A page of the revocation feed, as remote guards read it. */
export interface FeedPage {
  /** Where the next page begins: the epoch of the feed and a position. */
  readonly cursor: string
  /** When the store was read, in seconds since 1970. */
  readonly as_of: number
  /** Whether the page begins with the oldest live entry, not after the given cursor. */
  readonly snapshot: boolean
  /** Whether another page follows. Until it is read, the list of revocations is incomplete. */
  readonly more: boolean
  readonly entries: readonly Revocation[]
}

/** The state of the feed in this process, updated by `followRevocations`. */
interface FeedState {
  /** The epoch when the store was last read. */
  epoch: string
  /** When the revocations were last read from the store, on the clock of `elapsed`. */
  readAt: number
  /** Requests that wait for a revocation, in order of arrival, with their network. */
  readonly waiting: Map<() => void, string>
  /** When they may be woken next, on the clock of `elapsed`. */
  wakeAt: number
  /** Whether a timer to wake them is set. */
  isWaking: boolean
  /** Reads that have not begun, by position. Requests for the same position share the page. */
  readonly reads: Map<string | undefined, Promise<FeedPage>>
  /** How often new entries were read. */
  news: number
  /** Whether requests no longer wait. */
  closed: boolean
}

/** The state of the feed in this process. */
export const feedState = perContext((): FeedState => {
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
})

/**
 * How many guards may wait in one process. For a further one, a guard of the network with the most
 * is replied to early (`makeRoom`), or it gets `temporarily_unavailable`.
 */
const MOST_WAITING = 200
const LONGEST_WAIT_MS = 25_000
/** The pause after waking guards, per guard: at most a thousand replies a second are sent. */
const WAKING_MS = 1
/** Rows read in one turn of the event loop, which takes a millisecond or two. */
const ROWS_A_TURN = 1000
/** The most rows of a short reply. Longer ones are pages, which are cached for all guards. */
const MOST_NEWS = 500
/** The most entries of a page, and the most rows read for it: some may have expired. */
const PAGE_ENTRIES = 5000
const PAGE_ROWS = 20_000
/** The longest pause between two reads for a page. */
const LONGEST_REST_MS = 5

/**
 * Reads all revocations from the store before the first request, then follows the store, so that
 * this process refuses what any process revokes.
 *
 * @param onRead called after each read
 * @returns a function that stops following
 */
export async function followRevocations(
  context: Context,
  onRead: (entries: readonly RevocationRow[]) => Promise<void>,
): Promise<() => Promise<void>> {
  const { store } = context
  const feed = feedState(context)
  let cursor: string | undefined
  const readSome = async () => {
    const page = await store.committed.revocations.since(cursor, { now: seconds(context.now()), limit: ROWS_A_TURN })
    feed.epoch = parseEpoch(page.cursor)
    for (const entry of page.entries) context.revoked.add(toRevocation(entry))
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

/** Replies to all waiting requests. Later requests do not wait. */
export function endWaiting(context: Context): void {
  const feed = feedState(context)
  feed.closed = true
  wakeAll(feed)
}

/**
 * Returns the cursor if it is well-formed, else undefined, which means the beginning. The store
 * checks the epoch.
 */
export function parsePosition(cursor: string | undefined): string | undefined {
  return /^[\w-]*\.[\d-]{1,100}$/.test(cursor ?? '') ? cursor : undefined
}

function parseEpoch(cursor: string): string {
  return cursor.slice(0, cursor.indexOf('.'))
}

/**
 * Returns the entries after a position, or all live ones, if they are few. If `more` is true, there
 * are too many: {@link readPage} returns them.
 *
 * @param options.wait how many seconds an empty reply is held back for a revocation, at most 25
 * @throws {AuthError} `temporarily_unavailable` when too many guards wait
 */
export async function readNews(
  context: Context,
  position: string | undefined,
  { wait, signal, ip }: { wait: number; signal?: AbortSignal; ip?: string | undefined },
): Promise<FeedPage> {
  const feed = feedState(context)
  const { news } = feed
  const page = await readShared(context, position)
  if (page.snapshot || page.more || page.entries.length > 0 || wait <= 0 || feed.closed) return page
  const network = toSubnet(ip) ?? ''
  if (feed.waiting.size >= MOST_WAITING && !makeRoom(feed, network)) {
    throw new AuthError('temporarily_unavailable', 'Too many guards are waiting', { retryAfter: 1 })
  }
  // An entry that was added during the read may be missing from the page.
  if (feed.news === news) await waitForChange(feed, network, Math.min(wait * 1000, LONGEST_WAIT_MS), signal)
  return readShared(context, position)
}

/** Guards that are woken together have the same position, so one read serves them all. */
function readShared(context: Context, position: string | undefined): Promise<FeedPage> {
  const { reads } = feedState(context)
  const shared = reads.get(position)
  if (shared !== undefined) return shared
  const read = turn().then(() => {
    // Later requests need a new read: this one may miss what happened before they arrived.
    reads.delete(position)
    return readRows(context, position, MOST_NEWS)
  })
  reads.set(position, read)
  return read
}

/** Reads a long page, with pauses so that other requests get two thirds of the time. */
export async function readPage(context: Context, position: string | undefined): Promise<FeedPage> {
  const pages: FeedPage[] = []
  let entries = 0
  for (let rows = 0; rows < PAGE_ROWS && entries < PAGE_ENTRIES; rows += ROWS_A_TURN) {
    const began = context.elapsed()
    const last = pages.at(-1)
    const from = last === undefined ? position : parsePosition(last.cursor)
    const page = await readRows(context, from, Math.min(ROWS_A_TURN, PAGE_ENTRIES - entries))
    // An older copy of the database was restored: the parts read before belong to another history.
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
  feedState(context).epoch = parseEpoch(cursor)
  return { cursor, as_of: asOf, snapshot, more, entries: entries.map(toRevocation) }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function rest(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Resolves when something is revoked, when the time is over, or when the request is aborted. */
function waitForChange(
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

/**
 * Replies to the newest request of the network with the most waiting requests, unless the network
 * of the newcomer would then have more.
 */
function makeRoom(feed: FeedState, newcomer: string): boolean {
  const networks = Map.groupBy(feed.waiting.keys(), (done) => feed.waiting.get(done) as string)
  const largest = [...networks.values()].reduce((a, b) => (b.length > a.length ? b : a))
  if ((networks.get(newcomer)?.length ?? 0) + 1 >= largest.length) return false
  largest.at(-1)?.()
  return true
}

/** Wakes the waiting guards, now or when the pause after the last time is over. */
function wake(context: Context): void {
  const { elapsed } = context
  const feed = feedState(context)
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

function toRevocation({ kind, key, ver, until, except_sid }: RevocationRow): Revocation {
  if (kind === 'ver') return { kind, subject: key, ver: ver ?? 0, until }
  if (kind === 'sub') return { kind, subject: key, below: ver ?? 0, ...(except_sid && { except: except_sid }), until }
  if (kind === 'jti') return { kind, jti: key, until }
  return kind === 'sid' ? { kind, sid: key, until } : { kind, kid: key, until }
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}

/**
 * After this time without reading the store, the guards of this process refuse tokens with
 * `revocation_unavailable`.
 */
const STALE_AFTER_MS = 60_000

/** Whether the last read is too old to decide what is revoked. */
export function isStale(context: Context): boolean {
  return context.elapsed() - feedState(context).readAt > STALE_AFTER_MS
}
