import type { Duration } from './duration.ts'
import { readSeconds } from './duration.ts'
import type { JwtError } from './errors.ts'
import type { LeftOutKey } from './jwks.ts'
import { isHttpOrigins, isSecureUrl } from './loopback.ts'
import { checkOptions, refuseOption } from './options.ts'

/**
 * A function like the global `fetch`. The response must be that of exactly this request: redirects
 * are not followed.
 */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** Options of `createRemoteJWKSet`. */
export interface RemoteJWKSetOptions {
  /**
   * How long keys are cached. Default: 10 minutes; 1 second to 1 day. A shorter `Cache-Control:
   * max-age` of the response applies, a longer one does not. A key that its issuer removed stays
   * trusted for that long.
   */
  cacheMaxAge?: Duration
  /** Minimum time between requests. Default: 30 seconds; 1 second to 1 day. */
  coolDown?: Duration
  /** Maximum time for one request, body included. Default: 5 seconds; 1 to 60 seconds. */
  timeout?: Duration
  /**
   * The issuer that the keys are for: a key whose member `issuer` names another one is left out.
   * Only Microsoft Entra has this member. Default: not checked.
   */
  issuer?: string
  /**
   * Makes the requests: for header fields, a proxy, an agent or a private CA, such as `(url, init)
   * => fetch(url, { ...init, dispatcher })`. Default: the global `fetch`.
   */
  fetch?: Fetch
  /**
   * Origins that may be used over plain http, such as `['http://keycloak:8080']`: whoever is on the
   * path can replace the keys, so only on a private network. Default: loopback addresses only.
   */
  allowHttp?: readonly string[]
  /** The clock, in milliseconds since 1970. Default: `Date.now()`. */
  now?: () => number
  /** Called after each request with its result. Errors that it throws are ignored. */
  onKeys?: (news: KeysNews) => void
}

/** The result of one request, for {@link RemoteJWKSetOptions.onKeys}. */
export interface KeysNews {
  /** The URL of the request, without the query. */
  readonly url: string
  /** The keys received. Empty if the request failed; then the previous keys stay in use. */
  readonly keys: readonly { readonly kid: string; readonly alg: string }[]
  /** The keys of the response that are left out, and why. */
  readonly leftOut: readonly LeftOutKey[]
  /** Why the request failed. */
  readonly error?: JwtError
}

const optionNames: ReadonlySet<string> = new Set([
  ...['cacheMaxAge', 'coolDown', 'timeout', 'issuer', 'fetch', 'allowHttp', 'now', 'onKeys'],
])

const milliseconds = (option: string, duration: Duration, most: number) =>
  readSeconds('createRemoteJWKSet', option, duration, 1, most) * 1000

/**
 * The options with their defaults, in milliseconds.
 *
 * @throws {JwtError} `ERR_JWT_OPTION`
 */
export function readOptions(options: RemoteJWKSetOptions) {
  checkOptions(options, optionNames, 'createRemoteJWKSet')
  // Not `Date.now` itself, which fake timers may replace later.
  const { now = () => Date.now(), onKeys, issuer, allowHttp } = options
  const { fetch = (url: string, init: RequestInit) => globalThis.fetch(url, init) } = options
  for (const [name, given] of Object.entries({ now, fetch })) {
    if (typeof given !== 'function') throw refuseOption('createRemoteJWKSet', name, 'must be a function', given)
  }
  if (allowHttp !== undefined && !isHttpOrigins(allowHttp)) {
    const allowed = "must be a list of origins such as ['http://keycloak:8080']"
    throw refuseOption('createRemoteJWKSet', 'allowHttp', allowed, allowHttp)
  }
  if (issuer !== undefined && (typeof issuer !== 'string' || issuer === '')) {
    throw refuseOption('createRemoteJWKSet', 'issuer', 'must be a non-empty string', issuer)
  }
  if (onKeys !== undefined && typeof onKeys !== 'function') {
    throw refuseOption('createRemoteJWKSet', 'onKeys', 'must be a function', onKeys)
  }
  return {
    cacheMaxAge: milliseconds('cacheMaxAge', options.cacheMaxAge ?? 600, 86_400),
    coolDown: milliseconds('coolDown', options.coolDown ?? 30, 86_400),
    timeout: milliseconds('timeout', options.timeout ?? 5, 60),
    now,
    issuer,
    fetch,
    allowHttp,
    notify(news: KeysNews) {
      try {
        const result: unknown = onKeys?.(news)
        if (result instanceof Promise) result.catch(() => {})
      } catch {
        // An error of the callback must not affect the keys.
      }
    },
  }
}

/**
 * The URL of a set, if keys may be fetched from there.
 *
 * @throws {JwtError} `ERR_JWT_OPTION`
 */
export function readUrl(given: unknown, allowHttp: readonly string[] | undefined): URL {
  const text = given instanceof URL ? given.href : given
  if (typeof text !== 'string' || !URL.canParse(text)) {
    throw refuseUrl('must be an absolute URL', given)
  }
  const url = new URL(text)
  if (!isSecureUrl(url, allowHttp)) {
    throw refuseUrl('must be https, or http on a loopback address or an origin in allowHttp', given)
  }
  if (url.username !== '' || url.password !== '' || text.includes('#')) {
    throw refuseUrl('must not have a user name, password or fragment', given)
  }
  return url
}

const refuseUrl = (allowed: string, given: unknown) => refuseOption('createRemoteJWKSet', 'url', allowed, given)
