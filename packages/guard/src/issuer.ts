import {
  createRemoteJWKSet,
  type KeysNews,
  type LocalJWKSet,
  type RemoteJWKSet,
  unsafeDecode,
  type VerificationKeys,
} from '@sealwax/jwt'
import { textWithin } from './bounded-text.ts'
import { anotherIssuer } from './mismatch.ts'
import { isLoopback, parseSecureUrl } from './urls.ts'

/** Where keys come from that have to be fetched, such as what `createRemoteJWKSet` makes. */
export interface KeySource {
  /** The keys to verify a token with; a promise only when they must be fetched. Throws or rejects when they cannot be had. */
  keysFor(token: string): VerificationKeys | Promise<VerificationKeys>
  /**
   * Keys to try once more after a token was refused with `keys`: newer ones if there are any, a promise of one request, or `undefined` if it is too early to
   * look again. Where it is absent the first refusal stands.
   */
  newerThan?(keys: VerificationKeys): VerificationKeys | Promise<VerificationKeys> | undefined
  close(): void | Promise<void>
}

/** In milliseconds, for each of the two addresses: one that does not answer must not keep the other from being asked. */
const TIME_LIMIT = 5000
/** In octets, of one document. */
const SIZE_LIMIT = 256 * 1024
/** Milliseconds for which a failure is the answer to everybody; as long as `Retry-After` says. */
const COOL_DOWN = 5000
/** Milliseconds after which the metadata is read again: an issuer may move its keys. */
const LIFETIME = 3_600_000

/**
 * The keys of an issuer, by way of its metadata (RFC 8414 §3, OpenID Connect Discovery 1.0 §4). Fetches nothing before the first token; one request at
 * a time, one within the cool-down after a failure; the last good answer is kept while the issuer cannot be reached.
 * @param issuer an https URL, or http on loopback, without query @param now milliseconds since 1970 @param onKeys see `createRemoteJWKSet`
 */
export function discoverKeys(issuer: string, now: () => number, onKeys: (news: KeysNews) => void): KeySource {
  const closing = new AbortController()
  let current: { readonly url: string; readonly keys: RemoteJWKSet } | undefined
  let flight: Promise<void> | undefined
  let failure: unknown
  let settledAt = Number.NEGATIVE_INFINITY

  async function discover(token: string): Promise<void> {
    const { jwksUri: url } = await findMetadata(issuer, closing.signal)
    if (url === current?.url) return
    const keys = createRemoteJWKSet(url, { now, onKeys })
    if (current !== undefined) {
      // The keys known so far are good until the new place has shown that it has some.
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
    unsafeDecode(token) // Garbage is refused without asking anybody.
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

/** What of an issuer's metadata a guard needs. */
export interface IssuerMetadata {
  readonly jwksUri: string
  /** Where its revocations are told; most issuers have no such place. */
  readonly revocationUri: string | undefined
  /** Where clients get tokens. */
  readonly tokenEndpoint: string | undefined
}

/**
 * Keeps the metadata of an issuer: read once, and again in the background after an hour, or after a failure that it might explain; what was read
 * last is kept while it cannot be read. @param issuer an https URL, or http on loopback
 */
export function keepMetadata(issuer: string): (failed: boolean, signal: AbortSignal) => Promise<IssuerMetadata> {
  let known: IssuerMetadata | undefined
  let flight: Promise<IssuerMetadata> | undefined
  let settledAt = Number.NEGATIVE_INFINITY

  function read(signal: AbortSignal): Promise<IssuerMetadata> {
    flight ??= findMetadata(issuer, signal)
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

/** Finds the metadata of an issuer. Rejects when there is none, or when it is not to be believed. */
async function findMetadata(issuer: string, closing: AbortSignal): Promise<IssuerMetadata> {
  const failures: Error[] = []
  for (const url of metadataUrls(issuer)) {
    const signal = AbortSignal.any([closing, AbortSignal.timeout(TIME_LIMIT)])
    try {
      return readMetadata(await fetchJson(url, signal), issuer)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      failures.push(new Error(`${url}: ${reason}`, { cause: error }))
    }
  }
  const reasons = failures.map(({ message }) => message).join('; ')
  throw new AggregateError(failures, `the metadata of the issuer ${issuer} cannot be had: ${reasons}`)
}

/** RFC 8414 §3.1: between host and path; OpenID Connect Discovery §4.1: behind the path. Neither doubles a slash. */
function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ]
}

/** RFC 8414 §3.3: metadata that names another issuer must not be used. */
function readMetadata(metadata: unknown, issuer: string): IssuerMetadata {
  const { issuer: named, jwks_uri, revocation_uri, token_endpoint } = (metadata ?? {}) as Record<string, unknown>
  if (named !== issuer) throw new Error(anotherIssuer(issuer, named))
  const jwksUri = trustedUrl(jwks_uri, issuer)
  if (jwksUri === undefined) throw new Error('jwks_uri is not an https URL')
  return {
    jwksUri,
    revocationUri: trustedUrl(revocation_uri, issuer),
    tokenEndpoint: trustedUrl(token_endpoint, issuer),
  }
}

/** http is for an issuer that is on loopback itself. */
function trustedUrl(text: unknown, issuer: string): string | undefined {
  const url = parseSecureUrl(text)
  const trusted = url?.protocol === 'https:' || isLoopback(new URL(issuer).hostname)
  return trusted ? url?.href : undefined
}

async function fetchJson(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { signal, redirect: 'manual', headers: { accept: 'application/json' } })
  if (response.ok) return JSON.parse(await textWithin(response, SIZE_LIMIT))
  await response.body?.cancel()
  throw new Error(`the answer is ${response.status}`)
}
