import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Context } from '../core/context.ts'
import { networksOf } from '../core/network.ts'
import { createShares } from '../core/shares.ts'
import { AuthError } from '../errors.ts'
import { feedState, parsePosition, readPage } from './feed.ts'

/** A page of the feed as it is sent. All receivers share its buffers: they must not be changed. */
interface PackedPage {
  readonly gzip: Buffer
  /** The page without gzip. */
  plain(): Promise<Buffer>
}

/** A cache of long pages of the feed. */
export interface FeedPages {
  /** Whether the cache has a page that begins at this position. */
  has(position: string | undefined): boolean
  /**
   * Returns the long page that begins at this position. Concurrent calls share the work.
   *
   * @param ip the address of the caller
   * @throws {AuthError} `temporarily_unavailable`
   */
  get(position: string | undefined, ip: string | undefined): Promise<PackedPage>
}

/** How long a page is reused. Entries that expire meanwhile are harmless. */
const LIFETIME_MS = 30_000
/**
 * The last page grows with each revocation. Readers of an older one get the rest in the next page.
 */
const LAST_LIFETIME_MS = 1000
/** The size of all pages in bytes: enough for a million revocations, with and without gzip. */
const MOST_BYTES = 96 * 1024 * 1024

/** How many requests may wait for pages that begin where no other page ended. */
const MOST_UNEXPECTED = 20

interface Kept {
  readonly packed: Promise<PackedPage>
  /** On the clock of `elapsed`. */
  until: number
  bytes: number
  /** Where the page after it begins. */
  next: string | undefined
}

/**
 * Reads long pages from the store, one at a time, and caches them. Each page of a snapshot begins
 * where the previous one ended, so all readers request the same pages. Requests for pages that
 * begin elsewhere, which may come from attackers, wait in a separate queue, shared by network.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory, each part of it short
export function createFeedPages(context: Context): FeedPages {
  const kept = new Map<string, Kept>()
  const expected = oneAtATime()
  const refuse = () => new AuthError('temporarily_unavailable', 'Too many read this at once', { retryAfter: 2 })
  const unexpected = createShares({ places: 1, waiting: MOST_UNEXPECTED, refuse })
  let total = 0
  let sweeping = false

  function find(key: string): Kept | undefined {
    const page = kept.get(key)
    return page !== undefined && context.elapsed() < page.until ? page : undefined
  }

  /** The key of a page. The first page has a different one in each epoch. */
  function toKey(position: string | undefined): string {
    return position ?? feedState(context).epoch
  }

  function drop(key: string): void {
    total -= kept.get(key)?.bytes ?? 0
    kept.delete(key)
  }

  function sweep(): void {
    for (const [key, { until }] of kept) if (context.elapsed() >= until) drop(key)
    sweeping = kept.size > 0
    if (sweeping) setTimeout(sweep, LIFETIME_MS).unref()
  }

  async function inTurn<T>(ip: string | undefined, run: () => Promise<T>): Promise<T> {
    const { turn, leave } = unexpected.enter(networksOf(ip))
    try {
      await turn
      return await run()
    } finally {
      leave()
    }
  }

  function make(position: string | undefined, ip: string | undefined): Kept {
    const key = toKey(position)
    drop(key)
    const isExpected = position === undefined || [...kept.values()].some(({ next }) => next === position)
    const pack = async () => {
      const page = await readPage(context, position)
      const text = Buffer.from(JSON.stringify(page))
      const packedText = await promisify(gzip)(text)
      entry.until = context.elapsed() + (page.more ? LIFETIME_MS : LAST_LIFETIME_MS)
      entry.next = parsePosition(page.cursor)
      return createPage(packedText, text.length)
    }
    const packed = isExpected ? expected(pack) : inTurn(ip, pack)
    const entry: Kept = { packed, until: Number.POSITIVE_INFINITY, bytes: 0, next: undefined }
    kept.set(key, entry)
    packed.then(
      (page) => keep(key, entry, page),
      () => kept.get(key) === entry && drop(key),
    )
    return entry
  }

  function keep(key: string, entry: Kept, page: PackedPage & { bytes: number }): void {
    if (kept.get(key) !== entry) return
    entry.bytes = page.bytes
    total += page.bytes
    for (const oldest of kept.keys()) {
      if (total <= MOST_BYTES) break
      if (oldest !== key) drop(oldest)
    }
    if (!sweeping) setTimeout(sweep, LIFETIME_MS).unref()
    sweeping = true
  }

  return {
    has: (position) => find(toKey(position)) !== undefined,
    get: (position, ip) => (find(toKey(position)) ?? make(position, ip)).packed,
  }
}

function createPage(gzipped: Buffer, length: number): PackedPage & { bytes: number } {
  let plain: Promise<Buffer> | undefined
  return {
    gzip: gzipped,
    bytes: gzipped.length + length,
    plain() {
      plain ??= promisify(gunzip)(gzipped)
      return plain
    },
  }
}

function oneAtATime(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (run) => {
    const mine = last.then(run)
    last = mine.catch(() => {})
    return mine
  }
}
