import { findDots, longestTokenLength, parseHeader } from './compact.ts'
import type { Duration } from './duration.ts'
import { toSeconds } from './duration.ts'
import { JwtError } from './errors.ts'
import type { LeftOutKey, LocalJWKSet } from './jwks.ts'
import { buildKeySet } from './jwks.ts'
import { checkOptions, refuseOption } from './options.ts'

/** Options of {@link createRemoteJWKSet}. */
export interface RemoteJWKSetOptions {
  /**
   * How long an answer counts as fresh. Default: 10 minutes; at most a day. A shorter `Cache-Control: max-age` of the
   * answer is honoured, a longer one is not. It is also how long a key that its issuer withdrew is still trusted.
   */
  cacheMaxAge?: Duration
  /** The shortest time from the end of one request to the start of the next. Default: 30 seconds; 1 second to a day. */
  coolDown?: Duration
  /** How long one request may take, body included. Default: 5 seconds; 1 to 60 seconds. */
  timeout?: Duration
  /** The clock, in milliseconds since 1970. Default: `Date.now()`, asked each time. */
  now?: () => number
  /** Hears what came of each request: the keys, those left out and why, or the failure. What it throws is dropped. */
  onKeys?: (news: KeysNews) => void
}

/** What {@link RemoteJWKSetOptions.onKeys} is told about one request. */
export interface KeysNews {
  /** Where the keys were requested, without the query. */
  readonly url: string
  /** The keys in use from now on; empty if the request failed: then those of before stay in use. */
  readonly keys: readonly { readonly kid: string; readonly alg: string }[]
  /** The keys of the answer that are not used. */
  readonly leftOut: readonly LeftOutKey[]
  /** Why the request failed. */
  readonly error?: JwtError
}

/** Keys that are fetched when they are needed. Made by {@link createRemoteJWKSet}. */
export interface RemoteJWKSet {
  /**
   * The keys to verify a token with. Reads nothing of the token but its `kid`; a set comes at once when it is fresh and
   * has that key, else after one request. The set may lack the key: `verify` then says `ERR_JWT_KEY_UNKNOWN`.
   *
   * @throws {JwtError} `ERR_JWT_MALFORMED` for what is no token: nobody is asked because of it. Throws or rejects with
   *   `ERR_JWT_KEYS_UNAVAILABLE` when no good set has been received yet, or after `close`.
   */
  keysFor(token: string): LocalJWKSet | Promise<LocalJWKSet>
  /**
   * For a token whose signature did not verify with `keys`, or that names no key: its issuer may have put another key under the same `kid`. Gives a newer
   * set if there is one, else a promise of one request, which may bring the same set; `undefined` within the cool-down.
   */
  newerThan(keys: LocalJWKSet): LocalJWKSet | Promise<LocalJWKSet> | undefined
  /** Ends a request that is under way. There is nothing else to close: no timer runs between requests. */
  close(): void
}

/** In octets. */
const maxBody = 256 * 1024
/** In milliseconds. Without any keys a caller is better served by a try each 5 seconds than by the whole cool-down. */
const retryWithoutKeys = 5000

/**
 * The JWK Set (RFC 7517 §5) at a URL: https, or http on a loopback address. Nothing is requested before the first token.
 *
 * One request at a time, whoever waits for it, and none within `coolDown` of the last, so that tokens with invented
 * `kid`s cannot make this a flood. When a request fails the last good set stays in use, however old, until a good answer
 * replaces it: an issuer that is down logs nobody out. As long as requests fail, tokens whose key is known do not wait
 * for the next one. Before the first good answer the next request may follow 5 seconds after a failure.
 *
 * An answer is good when it is 200 with a JSON body of at most 256 KiB, no redirect, and at least one usable key. Keys of it
 * that are malformed, weak, secret, private or of unknown kinds are left out, and so are different keys that share `kid` and
 * algorithm; `onKeys` and the cause of `ERR_JWT_KEY_UNKNOWN` tell which and why. The keys belong to this object alone: what another URL says of the same `kid` is not known here
 * (RFC 8725 §3.8).
 *
 * @throws {JwtError} `ERR_JWT_OPTION`.
 */
export function createRemoteJWKSet(url: string | URL, options: RemoteJWKSetOptions = {}): RemoteJWKSet {
  const source = readUrl(url)
  const { cacheMaxAge, coolDown, timeout, now, tell } = readOptions(options)
  let current: { set: LocalJWKSet; since: number; lifetime: number } | undefined
  let flight: { result: Promise<LocalJWKSet>; abort: AbortController } | undefined
  let settledAt = Number.NEGATIVE_INFINITY
  let failure: JwtError | undefined
  let closed = false

  /** A clock that was set back must not make a cache last: then everything is long ago. */
  function elapsed(since: number): number {
    const age = now() - since
    return age >= 0 ? age : Number.POSITIVE_INFINITY
  }

  async function request(abort: AbortController): Promise<LocalJWKSet> {
    const timer = setTimeout(() => abort.abort(new Error(`no answer within ${timeout} ms`)), timeout)
    try {
      const { set, maxAge } = await fetchKeySet(source, abort.signal)
      current = { set, since: now(), lifetime: Math.min(cacheMaxAge, maxAge) }
      failure = undefined
      tell({ url: placeOf(source), keys: set.keys.map(({ kid, alg }) => ({ kid, alg })), leftOut: set.leftOut })
    } catch (cause) {
      failure = unavailable(source, cause)
      tell({ url: placeOf(source), keys: [], leftOut: [], error: failure })
    } finally {
      clearTimeout(timer)
      flight = undefined
      settledAt = now()
    }
    if (closed) throw closedError()
    if (current === undefined) throw failure ?? closedError()
    return current.set
  }

  function refresh(): Promise<LocalJWKSet> {
    if (flight !== undefined) return flight.result
    const abort = new AbortController()
    const result = request(abort)
    flight = { result, abort }
    return result
  }

  return {
    keysFor(token) {
      const { kid } = parseHeader(token, findDots(token, longestTokenLength))
      if (closed) throw closedError()
      const rested = elapsed(settledAt) >= (current === undefined ? Math.min(coolDown, retryWithoutKeys) : coolDown)
      if (current === undefined) {
        if (flight === undefined && !rested && failure !== undefined) throw failure
        return refresh()
      }
      // A kid that no header may carry is refused whatever the keys are.
      const known = typeof kid !== 'string' || current.set.get(kid) !== undefined
      if (known && elapsed(current.since) < current.lifetime) return current.set
      if (flight === undefined && !rested) return current.set
      const fetched = refresh()
      if (!known || failure === undefined) return fetched
      fetched.catch(() => {}) // told to nobody: it only rejects after close
      return current.set
    },
    newerThan(keys) {
      if (closed || current === undefined) return undefined
      if (current.set !== keys) return current.set
      return flight !== undefined || elapsed(settledAt) >= coolDown ? refresh() : undefined
    },
    close() {
      closed = true
      flight?.abort.abort(closedError())
    },
  }
}

const optionNames: ReadonlySet<string> = new Set(['cacheMaxAge', 'coolDown', 'timeout', 'now', 'onKeys'])

function milliseconds(name: string, duration: Duration, longest: number): number {
  const seconds = toSeconds(duration)
  if (seconds < 1 || seconds > longest) {
    throw refuseOption(`createRemoteJWKSet: ${name} is from 1 to ${longest} seconds`)
  }
  return seconds * 1000
}

/** The options with their defaults, in milliseconds. */
function readOptions(options: RemoteJWKSetOptions) {
  checkOptions(options, optionNames, 'createRemoteJWKSet')
  // Date.now is looked up each time, so that fake timers work that are turned on later.
  const { now = () => Date.now(), onKeys } = options
  if (typeof now !== 'function') throw refuseOption('createRemoteJWKSet: now must be a function')
  if (onKeys !== undefined && typeof onKeys !== 'function') {
    throw refuseOption('createRemoteJWKSet: onKeys must be a function')
  }
  return {
    cacheMaxAge: milliseconds('cacheMaxAge', options.cacheMaxAge ?? 600, 86_400),
    coolDown: milliseconds('coolDown', options.coolDown ?? 30, 86_400),
    timeout: milliseconds('timeout', options.timeout ?? 5, 60),
    now,
    tell(news: KeysNews) {
      try {
        const result: unknown = onKeys?.(news)
        if (result instanceof Promise) result.catch(() => {})
      } catch {
        // The keys count, whatever becomes of the news.
      }
    },
  }
}

/** `*.localhost` is loopback, too (RFC 6761 §6.3). */
const loopback = /^(?:(?:[^.]+\.)*localhost|\[::1\]|127(?:\.\d{1,3}){3})$/

function readUrl(given: unknown): URL {
  const text = given instanceof URL ? given.href : given
  if (typeof text !== 'string' || !URL.canParse(text))
    throw refuseOption('createRemoteJWKSet: url is not an absolute URL')
  const url = new URL(text)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback.test(url.hostname))) {
    throw refuseOption('createRemoteJWKSet: url is https, or http on a loopback address')
  }
  if (url.username !== '' || url.password !== '' || text.includes('#')) {
    throw refuseOption('createRemoteJWKSet: url has no user name, password or fragment')
  }
  return url
}

/** Without the query, which may hold what is not for a log. */
const placeOf = ({ origin, pathname }: URL) => `${origin}${pathname}`

function unavailable(url: URL, cause: unknown): JwtError {
  return new JwtError('ERR_JWT_KEYS_UNAVAILABLE', `no keys could be had from ${placeOf(url)}`, { cause })
}

function closedError(): JwtError {
  return new JwtError('ERR_JWT_KEYS_UNAVAILABLE', 'the remote key set is closed')
}

async function fetchKeySet(url: URL, signal: AbortSignal): Promise<{ set: LocalJWKSet; maxAge: number }> {
  const headers = { accept: 'application/jwk-set+json, application/json' }
  // Not 'error', which Workers do not have: with 'manual' a redirect is an answer other than 200.
  const response = await fetch(url, { headers, redirect: 'manual', signal })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`the answer is ${response.status}`)
  }
  const text = new TextDecoder('utf-8', { fatal: true }).decode(await readBody(response))
  const set = buildKeySet(parseJson(text), true)
  return { set, maxAge: freshness(response.headers) }
}

async function readBody(response: Response): Promise<Uint8Array> {
  const octets = new Uint8Array(maxBody)
  let size = 0
  const reader = response.body?.getReader()
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    if (size + part.value.length > maxBody) {
      await reader?.cancel()
      throw new Error(`the answer is longer than ${maxBody} octets`)
    }
    octets.set(part.value, size)
    size += part.value.length
  }
  return octets.subarray(0, size)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own error quotes the text, so it is not kept.
    throw new Error('the answer is not JSON')
  }
}

/** Milliseconds for which the answer is fresh by its own account (RFC 9111 §4.2.1, §5.2.2). */
function freshness(headers: Headers): number {
  const directives = (headers.get('cache-control') ?? '').toLowerCase().split(',')
  let seconds = Number.POSITIVE_INFINITY
  for (const directive of directives) {
    const [name = '', value = ''] = directive.trim().split('=')
    if (name === 'no-store' || name === 'no-cache') return 0
    if (name === 'max-age')
      seconds = Math.min(seconds, /^"?\d{1,10}"?$/.test(value) ? Number(value.replaceAll('"', '')) : 0)
  }
  const age = Number(headers.get('age') ?? 0)
  return Math.max(0, seconds - (age > 0 ? age : 0)) * 1000
}
