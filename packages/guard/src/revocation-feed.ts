import { type Duration, toSeconds } from '@sealwax/jwt'
import type { FeedClient } from './client-token.ts'
import type { FeedSource } from './feed-source.ts'
import { getJson, hasBackground, UnexpectedStatus } from './feed-transport.ts'
import { createRevocationList, type Revocation, type RevocationCheck } from './revocations.ts'
import { parseSecureUrl } from './urls.ts'

/** How a guard follows the revocations of an issuer elsewhere. */
export interface FeedOptions {
  /** Where the feed is. Default: `revocation_uri` of the issuer's metadata. */
  readonly url?: string
  /** An API client of the issuer with the scope `revocations:read`, for a feed that is not public. The guard gets and renews its tokens by itself. */
  readonly client?: FeedClient
  /** What was last known of the issuer's store may be so old. Default 1 minute, at least 30 seconds. */
  readonly staleAfter?: Duration
  /** What happens to tokens when it is older: `'deny'` answers 503 `revocation_unavailable`, `'allow'` goes on with what is known. Default `'deny'`. */
  readonly whenStale?: 'deny' | 'allow'
  /** Hears how the following goes, for metrics: each page read, each failure. What it throws is dropped. */
  readonly onFeed?: (report: FeedReport) => void
}

/** One turn of following a feed. */
export interface FeedReport {
  /** Entries in the page, of which a snapshot may take many; undefined when the turn failed. */
  readonly entries?: number
  readonly error?: unknown
  /** Failures in a row, this one included. */
  readonly failures: number
  /** How old what is known of the issuer's store is now, in milliseconds; Infinity before the first snapshot is complete. */
  readonly age: number
}

/** A feed being followed. Opens nothing before `ready` is first called. */
export interface RevocationFeed extends RevocationCheck {
  /** Undefined once the first snapshot is complete, else a promise that it is, or that waiting for it makes no sense now. Never rejects. */
  ready(): Promise<void> | undefined
  subscribe(listener: (entry: Revocation) => void): () => void
  close(): void
}

/** Seconds that a request for the next page may be held back at the issuer (RFC 7240 §4.3). */
const WAIT = 25
/** Milliseconds for one request, the waiting included. */
const TIME_LIMIT = (WAIT + 10) * 1000
/** Milliseconds before the second try after a failure; doubled with each further one, and jittered by half. */
const FIRST_PAUSE = 250
const LONGEST_PAUSE = 15_000
/** Milliseconds for one request that is not held back, and for which the first requests wait for the first snapshot. */
const PATIENCE = 5000
const LEAST_STALE_AFTER = 30
/** Milliseconds. */
const LONGEST_UNREAD = 1000

/**
 * Follows the revocation feed of an issuer: a snapshot first, in pages, then each revocation the moment it happens.
 * @throws TypeError for an option that is not well-formed
 */
export function followFeed(source: FeedSource, options: FeedOptions): RevocationFeed {
  const { staleAfter, whenStale, onFeed } = readOptions(options)
  const list = createRevocationList()
  const closing = new AbortController()
  let cursor: string | undefined
  let knownAt = Number.NEGATIVE_INFINITY
  /** Whether more is there already than was read. */
  let more = false
  let failures = 0
  let following = false
  let flight: Promise<void> | undefined
  const firstSnapshot = Promise.withResolvers<void>()
  let settled = false
  /** Whoever waits for the first snapshot has it, or has waited long enough. */
  const settle = () => {
    settled = true
    firstSnapshot.resolve()
  }

  const age = () => performance.now() - knownAt
  const report = (turn: Pick<FeedReport, 'entries' | 'error'>) => {
    try {
      onFeed?.({ ...turn, failures, age: age() })
    } catch {
      // What hears the report does not decide.
    }
  }

  /** Returns how many entries the page had. */
  async function turn(): Promise<number> {
    const url = await source.url(failures > 0, closing.signal)
    if (cursor !== undefined) url.searchParams.set('after', cursor)
    // An issuer that has no room for those who wait answers those who do not.
    const waits = cursor !== undefined && !more && hasBackground && failures === 0
    const { body, date } = await ask(url, waits)
    const page = readPage(body)
    for (const entry of page.entries) list.add(entry)
    cursor = page.cursor
    more = page.more
    // The issuer's clock measures how old its knowledge is, so that ours need not agree with it. Until the last page nothing is known as of now.
    if (!more) knownAt = performance.now() - Math.max(0, (date ?? page.as_of) - page.as_of) * 1000
    failures = 0
    report({ entries: page.entries.length })
    return page.entries.length
  }

  async function ask(url: URL, waits: boolean): Promise<{ body: unknown; date: number | undefined }> {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(waits ? TIME_LIMIT : PATIENCE)])
    const get = async () => {
      const headers = { accept: 'application/json', ...(waits && { prefer: `wait=${WAIT}` }) }
      return getJson(url, { ...headers, ...(await source.headers(signal)) }, signal)
    }
    try {
      return await get()
    } catch (error) {
      const status = error instanceof UnexpectedStatus ? error.status : undefined
      // A token of the guard's own that has expired or was taken back is replaced at once, one that lacks the scope with the next turn.
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
      // While a transaction stays open at the issuer, the same entries come at once again and again. Where a proxy drops `Prefer`, empty pages do.
      const idle = cursor === before || (entries === 0 && before !== undefined && !more)
      if (failures === 0 && struggled && !more) await pause(LONGEST_UNREAD, closing.signal)
      else if (failures === 0 && brief && idle) await pause(FIRST_PAUSE, closing.signal)
      if (failures > 0) await pause(Math.min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE), closing.signal)
    }
  }

  /** Where nothing may go on between two requests, as on Workers, a request reads what is older than a second. */
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

function readOptions(options: FeedOptions) {
  for (const [name, value] of Object.entries(options)) {
    if (!['url', 'client', 'staleAfter', 'whenStale', 'onFeed'].includes(name)) {
      throw new TypeError(`createGuard: unknown option "revocation.${name}"`)
    }
    if (value === undefined) throw new TypeError(`createGuard: revocation.${name} is undefined; leave it out`)
  }
  const { url, client, staleAfter = 60, whenStale = 'deny', onFeed } = options
  if (client !== undefined) checkClient(client)
  if (url !== undefined && parseSecureUrl(url) === undefined) {
    throw new TypeError('createGuard: revocation.url must be an https URL')
  }
  if (whenStale !== 'deny' && whenStale !== 'allow') {
    throw new TypeError("createGuard: revocation.whenStale must be 'deny' or 'allow'")
  }
  const seconds = toSeconds(staleAfter)
  if (seconds < LEAST_STALE_AFTER) {
    throw new TypeError(
      `createGuard: revocation.staleAfter must be at least ${LEAST_STALE_AFTER} seconds: an answer may be held back so long`,
    )
  }
  return { staleAfter: seconds, whenStale, onFeed }
}

function checkClient(client: FeedClient): void {
  const members = Object.entries(typeof client === 'object' ? (client ?? {}) : {})
  const good = members.every(
    ([name, value]) => ['id', 'secret'].includes(name) && typeof value === 'string' && value !== '',
  )
  if (!good || members.length !== 2) {
    throw new TypeError('createGuard: revocation.client must be { id, secret } of an API client, and nothing else')
  }
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
  if (!good || !Array.isArray(entries)) throw new Error('the answer is not a page of a revocation feed')
  return { cursor, as_of: asOf, more, entries }
}

/** Keeps no process alive. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds * (0.5 + Math.random()))
    if (typeof timer === 'object') timer.unref?.()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
