import { type Duration, toSeconds } from '@sealwax/jwt'
import {
  checkOptions,
  isNonEmpty,
  mustBe,
  mustBeDuration,
  mustBeFunction,
  mustBeOneOf,
  type OptionRules,
} from '../strict-options.ts'
import { parseSecureUrl, type Transport } from '../urls.ts'
import type { FeedClient } from './client-token.ts'
import type { FeedSource } from './feed-source.ts'
import { getJson, hasBackground, UnexpectedStatus } from './feed-transport.ts'
import { createRevocationList, type Revocation, type RevocationCheck } from './list.ts'

/** How a guard follows the revocation feed of an issuer. */
export interface FeedOptions {
  /** Where the feed is. Default: `revocation_uri` of the issuer's metadata. */
  readonly url?: string
  /**
   * An API client of the issuer with the scope `revocations:read`, for a feed that is not public.
   * The guard requests and renews its tokens.
   */
  readonly client?: FeedClient
  /**
   * Maximum age of the last known state of the issuer's store. Default 1 minute, at least 30
   * seconds.
   */
  readonly staleAfter?: Duration
  /**
   * What happens when the state is older: `'deny'` refuses requests with 503
   * `revocation_unavailable`, `'allow'` uses the last known state. Default `'deny'`.
   */
  readonly whenStale?: 'deny' | 'allow'
  /** Called after each page and each failure, for metrics. Errors it throws are ignored. */
  readonly onFeed?: (report: FeedReport) => void
}

/** The result of one request to a feed. */
export interface FeedReport {
  /**
   * Number of entries in the page; a snapshot may have many pages. `undefined` if the request
   * failed.
   */
  readonly entries?: number
  /** Why the request failed. */
  readonly error?: unknown
  /** Consecutive failures, including this one. */
  readonly failures: number
  /**
   * Age of the known state of the issuer's store, in milliseconds; Infinity before the first
   * snapshot is complete.
   */
  readonly age: number
}

/** A feed that is followed. Makes no request before the first call of `ready`. */
export interface RevocationFeed extends RevocationCheck {
  /**
   * Returns a promise if the feed must be awaited before a check, else `undefined`. On Node, it
   * must be awaited until the first snapshot is complete, a request has failed or the time limit
   * has passed; without background work, while it is read. Never rejects.
   */
  ready(): Promise<void> | undefined
  /** See `RevocationCheck`. */
  subscribe(listener: (entry: Revocation) => void): () => void
  /** Stops following the feed. */
  close(): void
}

/** Seconds that a request for the next page may be held back at the issuer (RFC 7240 §4.3). */
const WAIT = 25
/** Milliseconds for one request, including the time it is held back. */
const TIME_LIMIT = (WAIT + 10) * 1000
/**
 * Milliseconds before the first retry; doubled with each further one, plus or minus half at random.
 */
const FIRST_PAUSE = 250
const LONGEST_PAUSE = 15_000
/**
 * Milliseconds for one request that is not held back; also how long the first requests wait for the
 * first snapshot.
 */
const PATIENCE = 5000
/** Milliseconds. */
const LONGEST_UNREAD = 1000

/**
 * Follows the revocation feed of an issuer: first a snapshot in pages, then each revocation as it
 * happens.
 * @throws {TypeError} for an option that is not well-formed
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory, each part of it short
export function followFeed(source: FeedSource, options: FeedOptions, transport: Transport): RevocationFeed {
  const { staleAfter, whenStale, onFeed } = readOptions(options, transport)
  const list = createRevocationList()
  const closing = new AbortController()
  let cursor: string | undefined
  let knownAt = Number.NEGATIVE_INFINITY
  /** Whether the issuer has more pages now. */
  let more = false
  let failures = 0
  let following = false
  let flight: Promise<void> | undefined
  const firstSnapshot = Promise.withResolvers<void>()
  let settled = false
  /**
   * Ends the wait for the first snapshot: it is complete, a request failed, or the time limit has
   * passed.
   */
  const settle = () => {
    settled = true
    firstSnapshot.resolve()
  }

  const age = () => performance.now() - knownAt
  const report = (turn: Pick<FeedReport, 'entries' | 'error'>) => {
    try {
      onFeed?.({ ...turn, failures, age: age() })
    } catch {
      // Metrics must not stop the feed.
    }
  }

  /** Returns how many entries the page had. */
  async function turn(): Promise<number> {
    const url = await source.url(failures > 0, closing.signal)
    if (cursor !== undefined) url.searchParams.set('after', cursor)
    // An issuer at its limit of held-back requests still responds to those that do not wait.
    const waits = cursor !== undefined && !more && hasBackground && failures === 0
    const { body, date } = await ask(url, waits)
    const page = readPage(body)
    for (const entry of page.entries) list.add(entry)
    cursor = page.cursor
    more = page.more
    // The age is measured with the issuer's clock only, so that ours may differ. The state is
    // complete only with the last page.
    if (!more) knownAt = performance.now() - Math.max(0, (date ?? page.as_of) - page.as_of) * 1000
    failures = 0
    report({ entries: page.entries.length })
    return page.entries.length
  }

  async function ask(url: URL, waits: boolean): Promise<{ body: unknown; date: number | undefined }> {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(waits ? TIME_LIMIT : PATIENCE)])
    const get = async () => {
      const headers = { accept: 'application/json', ...(waits && { prefer: `wait=${WAIT}` }) }
      return getJson(url, transport, { ...headers, ...(await source.headers(signal)) }, signal)
    }
    try {
      return await get()
    } catch (error) {
      const status = error instanceof UnexpectedStatus ? error.status : undefined
      // A token that expired or was revoked is replaced immediately, one without the scope with the
      // next request.
      const another = (status === 401 || status === 403) && source.refused()
      if (another && status === 401) return get()
      throw error
    }
  }

  async function tryTurn(): Promise<number> {
    let entries = 0
    try {
      entries = await turn()
    } catch (error) {
      if (closing.signal.aborted) return 0
      failures += 1
      report({ error })
    }
    if (!more || failures > 0) settle()
    return entries
  }

  async function follow(): Promise<void> {
    while (!closing.signal.aborted) {
      const [struggled, before, began] = [failures > 0, cursor, performance.now()]
      const entries = await tryTurn()
      const brief = performance.now() - began < LONGEST_UNREAD
      // While a transaction stays open at the issuer, it returns the same entries immediately,
      // again and again. Behind a proxy that drops `Prefer`, it returns empty pages.
      const idle = cursor === before || (entries === 0 && before !== undefined && !more)
      if (failures === 0 && struggled && !more) await pause(LONGEST_UNREAD, closing.signal)
      else if (failures === 0 && brief && idle) await pause(FIRST_PAUSE, closing.signal)
      if (failures > 0) await pause(Math.min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE), closing.signal)
    }
  }

  /**
   * Without background work between requests, as on Workers, a request reads the feed if its state
   * is older than a second.
   */
  function readWithin(): Promise<void> | undefined {
    if (age() <= LONGEST_UNREAD || closing.signal.aborted) return undefined
    flight ??= readAll().finally(() => {
      flight = undefined
    })
    return flight
  }

  async function readAll(): Promise<void> {
    const began = performance.now()
    do await tryTurn()
    while (more && failures === 0 && performance.now() - began < PATIENCE)
  }

  return {
    check(token) {
      if (age() > staleAfter * 1000 && whenStale === 'deny') return 'revocation_unavailable'
      return list.check(token)
    },
    ready() {
      if (!hasBackground) return readWithin()
      if (!following) {
        following = true
        AbortSignal.timeout(PATIENCE).addEventListener('abort', settle, { once: true })
        void follow()
      }
      return settled ? undefined : firstSnapshot.promise
    },
    subscribe: (listener) => list.subscribe(listener),
    close() {
      closing.abort(new Error('the guard is closed'))
      settle()
    },
  }
}

const feedRules = (transport: Transport): OptionRules<FeedOptions> => ({
  example: '{ url }',
  rules: {
    url: mustBe(
      'an https URL (http on loopback, or at an origin in allowHttp)',
      (value) => parseSecureUrl(value, transport) !== undefined,
    ),
    client: mustBe('{ id, secret } of an API client, two strings and nothing else', isClient),
    // A response may be held back for 25 seconds.
    staleAfter: mustBeDuration('at least 30 seconds', 30),
    whenStale: mustBeOneOf('deny', 'allow'),
    onFeed: mustBeFunction(),
  },
})

function readOptions(options: FeedOptions, transport: Transport) {
  checkOptions('createGuard', options, feedRules(transport), 'revocation')
  const { staleAfter = 60, whenStale = 'deny', onFeed } = options
  return { staleAfter: toSeconds(staleAfter), whenStale, onFeed }
}

function isClient(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { id, secret } = value as Record<string, unknown>
  return Object.keys(value).length === 2 && isNonEmpty(id) && isNonEmpty(secret)
}

interface Page {
  readonly cursor: string
  readonly as_of: number
  readonly more: boolean
  readonly entries: readonly Revocation[]
}

function readPage(body: unknown): Page {
  const { cursor, as_of: asOf, more = false, entries } = (body ?? {}) as Record<string, unknown>
  const good = typeof cursor === 'string' && typeof asOf === 'number' && typeof more === 'boolean'
  if (!good || !Array.isArray(entries)) throw new Error('the response is not a page of a revocation feed')
  return { cursor, as_of: asOf, more, entries }
}

/** Waits for 0.5 to 1.5 times the given time. Does not keep the process alive. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds * (0.5 + Math.random()))
    if (typeof timer === 'object') timer.unref?.()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
