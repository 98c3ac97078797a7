import {
  createRemoteJWKSet,
  type LocalJWKSet,
  type RemoteJWKSet,
  type RemoteJWKSetOptions,
  toSeconds,
  unsafeDecode,
  type VerificationKeys,
} from '@sealwax/jwt'
import { isLoopback, readBody } from '@sealwax/jwt/internal'
import { anotherIssuer } from '../tokens/mismatch.ts'
import { parseSecureUrl, type Transport } from '../urls.ts'

/** A source of keys that must be fetched, such as the result of `createRemoteJWKSet`. */
export interface KeySource {
  /**
   * Returns the keys to verify a token with; a promise only if they must be fetched. Throws or
   * rejects if they are not available.
   */
  keysFor(token: string): VerificationKeys | Promise<VerificationKeys>
  /**
   * Returns keys to try after a token was refused with `keys`: newer ones, a promise of them, or
   * `undefined` if it is too early to fetch again. If this method is absent, the first refusal is
   * final.
   */
  newerThan?(keys: VerificationKeys): VerificationKeys | Promise<VerificationKeys> | undefined
  /** Stops fetching keys. */
  close(): void | Promise<void>
}

/** In seconds, for each of the two URLs: if one times out, the other must still be tried. */
const TIME_LIMIT = 5
/** In octets, of one document. */
const SIZE_LIMIT = 256 * 1024
/**
 * Milliseconds for which a failure is reported without a new request; the same as `Retry-After`.
 */
const COOL_DOWN = 5000
/** Milliseconds after which the metadata is read again: an issuer may move its keys. */
const LIFETIME = 3_600_000

/**
 * Finds the keys of an issuer through its metadata (RFC 8414 §3, OpenID Connect Discovery 1.0 §4).
 * Fetches nothing before the first token, makes one request at a time, and waits for the cool-down
 * after a failure. The last valid keys are kept while the issuer cannot be reached.
 * @param issuer an https URL, or http where that is allowed, without query
 * @param options for the keys; the time limit and the way of the requests are those of the
 * metadata, too
 */
export function discoverKeys(
  issuer: string,
  options: RemoteJWKSetOptions & Required<Pick<RemoteJWKSetOptions, 'now'>>,
): KeySource {
  const { now } = options
  const closing = new AbortController()
  let current: { readonly url: string; readonly keys: RemoteJWKSet } | undefined
  let flight: Promise<void> | undefined
  let failure: unknown
  let settledAt = Number.NEGATIVE_INFINITY

  async function discover(token: string): Promise<void> {
    const { jwksUri: url } = await findMetadata(issuer, options, closing.signal)
    if (url === current?.url) return
    const keys = createRemoteJWKSet(url, { ...options, issuer })
    if (current !== undefined) {
      // The current keys stay valid until the new URL has returned keys.
      await keys.keysFor(token)
      current.keys.close()
    }
    current = { url, keys }
    if (closing.signal.aborted) keys.close()
  }

  function start(token: string): Promise<void> {
    flight = discover(token)
      .then(
        () => {
          failure = undefined
        },
        (error: unknown) => {
          failure = error
          throw error
        },
      )
      .finally(() => {
        flight = undefined
        settledAt = now()
      })
    return flight
  }

  function keysOf(token: string): VerificationKeys | Promise<VerificationKeys> {
    closing.signal.throwIfAborted()
    const age = Math.abs(now() - settledAt)
    if (current !== undefined) {
      if (flight === undefined && age >= (failure === undefined ? LIFETIME : COOL_DOWN)) start(token).catch(() => {})
      return current.keys.keysFor(token)
    }
    unsafeDecode(token) // A malformed token is refused without a request.
    if (flight === undefined && failure !== undefined && age < COOL_DOWN) throw failure
    return (flight ?? start(token)).then(() => keysOf(token))
  }

  return {
    keysFor: keysOf,
    newerThan: (keys) => current?.keys.newerThan(keys as LocalJWKSet),
    async close() {
      closing.abort(new Error('the guard is closed'))
      await flight?.catch(() => {})
      current?.keys.close()
    },
  }
}

/** The part of an issuer's metadata that a guard needs. */
export interface IssuerMetadata {
  /** Where its keys are. */
  readonly jwksUri: string
  /** Where its revocation feed is; most issuers have none. */
  readonly revocationUri: string | undefined
  /** Where clients get tokens. */
  readonly tokenEndpoint: string | undefined
}

/**
 * Caches the metadata of an issuer: fetched once, and again in the background after an hour, or
 * after a failure that outdated metadata might explain. The last metadata is kept while it cannot
 * be fetched.
 * @param issuer an https URL, or http where that is allowed
 */
export function keepMetadata(
  issuer: string,
  transport: Transport,
): (failed: boolean, signal: AbortSignal) => Promise<IssuerMetadata> {
  let known: IssuerMetadata | undefined
  let flight: Promise<IssuerMetadata> | undefined
  let settledAt = Number.NEGATIVE_INFINITY

  function read(signal: AbortSignal): Promise<IssuerMetadata> {
    flight ??= findMetadata(issuer, transport, signal)
      .then((metadata) => {
        known = metadata
        return metadata
      })
      .finally(() => {
        flight = undefined
        settledAt = performance.now()
      })
    return flight
  }

  return async (failed, signal) => {
    if (known === undefined) return read(signal)
    if (performance.now() - settledAt >= (failed ? COOL_DOWN : LIFETIME)) read(signal).catch(() => {})
    return known
  }
}

/** Fetches the metadata of an issuer. Rejects if there is none, or if it names another issuer. */
async function findMetadata(
  issuer: string,
  options: Transport & Pick<RemoteJWKSetOptions, 'timeout'>,
  closing: AbortSignal,
): Promise<IssuerMetadata> {
  const timeout = toSeconds(options.timeout ?? TIME_LIMIT) * 1000
  const failures: Error[] = []
  for (const url of metadataUrls(issuer)) {
    const signal = AbortSignal.any([closing, AbortSignal.timeout(timeout)])
    try {
      return readMetadata(await fetchJson(url, options, signal), issuer, options)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      failures.push(new Error(`${url}: ${reason}`, { cause: error }))
    }
  }
  const reasons = failures.map(({ message }) => message).join('; ')
  throw new AggregateError(failures, `the metadata of the issuer ${issuer} is not available: ${reasons}`)
}

/**
 * RFC 8414 §3.1: between host and path; OpenID Connect Discovery §4.1: after the path. A slash at
 * the end of the path is dropped.
 */
function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ]
}

/** RFC 8414 §3.3: metadata that names another issuer must not be used. */
function readMetadata(metadata: unknown, issuer: string, transport: Transport): IssuerMetadata {
  const { issuer: named, jwks_uri, revocation_uri, token_endpoint } = (metadata ?? {}) as Record<string, unknown>
  if (named !== issuer) throw new Error(anotherIssuer(issuer, named))
  const jwksUri = trustedUrl(jwks_uri, issuer, transport)
  if (jwksUri === undefined) throw new Error('jwks_uri is not an https URL')
  return {
    jwksUri,
    revocationUri: trustedUrl(revocation_uri, issuer, transport),
    tokenEndpoint: trustedUrl(token_endpoint, issuer, transport),
  }
}

/** http on loopback is accepted only from an issuer that is on loopback itself. */
function trustedUrl(text: unknown, issuer: string, transport: Transport): string | undefined {
  const url = parseSecureUrl(text, transport)
  const isLocal = url?.protocol === 'http:' && isLoopback(url.hostname)
  return isLocal && !isLoopback(new URL(issuer).hostname) ? undefined : url?.href
}

async function fetchJson(url: string, transport: Transport, signal: AbortSignal): Promise<unknown> {
  const { fetch = globalThis.fetch } = transport
  const response = await fetch(url, { signal, redirect: 'manual', headers: { accept: 'application/json' } })
  if (response.ok) return JSON.parse(await readBody(response, SIZE_LIMIT))
  await response.body?.cancel()
  throw new Error(`the response has status ${response.status}`)
}
