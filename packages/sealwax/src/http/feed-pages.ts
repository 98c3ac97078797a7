import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Context } from '../engine/context.ts'
import { positionOf, readPage } from '../engine/feed.ts'
import { networksOf } from '../engine/network.ts'
import { createShares } from '../engine/shares.ts'
import { AuthError } from '../errors.ts'

/** A page of the feed as it is sent. Its buffers belong to everybody whom it is sent to. */
interface PackedPage {
  readonly gzip: Buffer
  /** The same for whoever cannot read gzip. */
  plain(): Promise<Buffer>
}

export interface FeedPages {
  /** Whether there is a long page that begins here. */
  has(position: string | undefined): boolean
  /** The long page that begins here; made once, however many ask. Rejects with `temporarily_unavailable`. @param ip who asks */
  get(position: string | undefined, ip: string | undefined): Promise<PackedPage>
}

/** How long a page is good for everybody: an entry that expires meanwhile does no harm. */
const LIFETIME_MS = 30_000
/** The last page grows with each revocation. Whoever gets an older one reads the rest next. */
const LAST_LIFETIME_MS = 1000
/** Octets of all pages together: those of a million revocations in both forms. */
const MOST_OCTETS = 96 * 1024 * 1024

/** Pages that begin where no other has ended wait for one another, shared out by network. */
const MOST_UNEXPECTED = 20

interface Kept {
  readonly packed: Promise<PackedPage>
  /** On the clock of `elapsed`. */
  until: number
  octets: number
  /** Where the page after it begins. */
  next: string | undefined
}

/**
 * Reads long pages from the store, one at a time, and keeps them for a while. Each page of a snapshot begins where the one before it ended, so everybody
 * reads the same pages. Pages that begin anywhere else, as strangers may ask for them, stand in a queue of their own.
 */
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

  /** The first page of another epoch is another page. */
  function keyOf(position: string | undefined): string {
    return position ?? context.feed.epoch
  }

  function drop(key: string): void {
    total -= kept.get(key)?.octets ?? 0
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
    const key = keyOf(position)
    drop(key)
    const isExpected = position === undefined || [...kept.values()].some(({ next }) => next === position)
    const pack = async () => {
      const page = await readPage(context, position)
      const text = Buffer.from(JSON.stringify(page))
      const packedText = await promisify(gzip)(text)
      entry.until = context.elapsed() + (page.more ? LIFETIME_MS : LAST_LIFETIME_MS)
      entry.next = positionOf(page.cursor)
      return pageOf(packedText, text.length)
    }
    const packed = isExpected ? expected(pack) : inTurn(ip, pack)
    const entry: Kept = { packed, until: Number.POSITIVE_INFINITY, octets: 0, next: undefined }
    kept.set(key, entry)
    packed.then(
      (page) => keep(key, entry, page),
      () => kept.get(key) === entry && drop(key),
    )
    return entry
  }

  function keep(key: string, entry: Kept, page: PackedPage & { octets: number }): void {
    if (kept.get(key) !== entry) return
    entry.octets = page.octets
    total += page.octets
    for (const oldest of kept.keys()) {
      if (total <= MOST_OCTETS) break
      if (oldest !== key) drop(oldest)
    }
    if (!sweeping) setTimeout(sweep, LIFETIME_MS).unref()
    sweeping = true
  }

  return {
    has: (position) => find(keyOf(position)) !== undefined,
    get: (position, ip) => (find(keyOf(position)) ?? make(position, ip)).packed,
  }
}

function pageOf(gzipped: Buffer, length: number): PackedPage & { octets: number } {
  let plain: Promise<Buffer> | undefined
  return {
    gzip: gzipped,
    octets: gzipped.length + length,
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
