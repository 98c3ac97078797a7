import { readBody } from './body.ts'
import { findDots, longestTokenLength, parseHeader } from './compact.ts'
import { JwtError } from './errors.ts'
import type { LocalJWKSet } from './jwks.ts'
import { buildKeySet } from './jwks.ts'
import { type Fetch, type RemoteJWKSetOptions, readOptions, readUrl } from './remote-jwks-options.ts'

/** Keys that are fetched when needed. Created by {@link createRemoteJWKSet}. */
export interface RemoteJWKSet {
  /**
   * Returns the keys to verify a token with: the cached set if it is fresh and has the `kid` of the
   * token, else a promise of one request. If the set does not have the key, `verify` throws
   * `ERR_JWT_KEY_UNKNOWN`.
   *
   * @param token The token. Only its `kid` is used.
   * @returns The key set.
   * @throws {JwtError} `ERR_JWT_MALFORMED` if it is not a token, without any request;
   *   `ERR_JWT_KEYS_UNAVAILABLE`, also as a rejection, if no keys have been received yet, or after
   *   `close`
   */
  keysFor(token: string): LocalJWKSet | Promise<LocalJWKSet>
  /**
   * For a token without `kid`, or whose signature did not verify with `keys`: its issuer may have
   * replaced the key under the same `kid`.
   *
   * @param keys The set that did not verify the token.
   * @returns A newer set if there is one, else a promise of one request, which may return the same
   *   set; `undefined` within the cool-down.
   */
  newerThan(keys: LocalJWKSet): LocalJWKSet | Promise<LocalJWKSet> | undefined
  /** Aborts a running request. No timer runs between requests. */
  close(): void
}

/** Octets. */
const maxBody = 256 * 1024
/** Milliseconds. Without any keys, a retry every 5 seconds is better than the whole cool-down. */
const retryWithoutKeys = 5000

/**
 * Creates a key set that fetches the JWK Set (RFC 7517 §5) at a URL. The first token causes the
 * first request.
 *
 * There is one request at a time, and none within `coolDown` of the last, so that tokens with
 * unknown `kid`s cannot flood the issuer. If a request fails, the last valid set stays in use,
 * however old, so that users stay logged in while an issuer is down; tokens whose key is in the set
 * do not wait for the next request. Before the first valid response, the next request may follow 5
 * seconds after a failure.
 *
 * A valid response has status 200, a JSON body of at most 256 KiB and at least one usable key;
 * redirects are not followed. Keys that are malformed, weak, secret, private or of unknown types
 * are left out, as are different keys that share `kid` and algorithm; `onKeys` and the cause of
 * `ERR_JWT_KEY_UNKNOWN` report which and why. Keys of one URL never verify tokens for another (RFC
 * 8725 §3.8).
 *
 * @param url The URL: https, or http on a loopback address or an origin in `allowHttp`.
 * @param options Time limits, how requests are made, the clock and a callback.
 * @returns The key set.
 * @throws {JwtError} `ERR_JWT_OPTION`
 */
export function createRemoteJWKSet(url: string | URL, options: RemoteJWKSetOptions = {}): RemoteJWKSet {
  const { cacheMaxAge, coolDown, timeout, issuer, fetch, allowHttp, now, notify } = readOptions(options)
  const source = readUrl(url, allowHttp)
  let current: { set: LocalJWKSet; since: number; lifetime: number } | undefined
  let flight: { result: Promise<LocalJWKSet>; abort: AbortController } | undefined
  let settledAt = Number.NEGATIVE_INFINITY
  let failure: JwtError | undefined
  let closed = false

  /**
   * Milliseconds since a time. Infinite if the clock was set back, so that this does not extend the
   * cache.
   */
  function elapsed(since: number): number {
    const age = now() - since
    return age >= 0 ? age : Number.POSITIVE_INFINITY
  }

  async function request(abort: AbortController): Promise<LocalJWKSet> {
    const timer = setTimeout(() => abort.abort(new Error(`no response within ${timeout} ms`)), timeout)
    try {
      const { set, maxAge } = await fetchKeySet(source, { issuer, fetch, signal: abort.signal })
      current = { set, since: now(), lifetime: Math.min(cacheMaxAge, maxAge) }
      failure = undefined
      notify({ url: withoutQuery(source), keys: set.keys.map(({ kid, alg }) => ({ kid, alg })), leftOut: set.leftOut })
    } catch (cause) {
      failure = unavailable(source, cause)
      notify({ url: withoutQuery(source), keys: [], leftOut: [], error: failure })
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
      // With any keys, `verify` refuses a kid that is not a string.
      const known = typeof kid !== 'string' || current.set.get(kid) !== undefined
      if (known && elapsed(current.since) < current.lifetime) return current.set
      if (flight === undefined && !rested) return current.set
      const fetched = refresh()
      if (!known || failure === undefined) return fetched
      fetched.catch(() => {}) // only rejects after close
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

/** The query may contain a secret that must not be logged. */
const withoutQuery = ({ origin, pathname }: URL) => `${origin}${pathname}`

function unavailable(url: URL, cause: unknown): JwtError {
  return new JwtError('ERR_JWT_KEYS_UNAVAILABLE', `no keys could be fetched from ${withoutQuery(url)}`, { cause })
}

function closedError(): JwtError {
  return new JwtError('ERR_JWT_KEYS_UNAVAILABLE', 'the remote key set is closed')
}

async function fetchKeySet(
  url: URL,
  { issuer, fetch, signal }: { issuer: string | undefined; fetch: Fetch; signal: AbortSignal },
): Promise<{ set: LocalJWKSet; maxAge: number }> {
  const headers = { accept: 'application/jwk-set+json, application/json' }
  // With 'manual', a redirect has a status other than 200. Workers do not support 'error'.
  const response = await fetch(url.href, { headers, redirect: 'manual', signal })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`the response status is ${response.status}`)
  }
  const text = await readBody(response, maxBody)
  const set = buildKeySet(parseJson(text), true, issuer)
  return { set, maxAge: freshness(response.headers) }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's error quotes the response, so it is not kept as the cause.
    throw new Error('the response is not JSON')
  }
}

/**
 * How many milliseconds the response stays fresh according to its headers (RFC 9111 §4.2.1,
 * §5.2.2).
 */
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
