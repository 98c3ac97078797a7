// The entry `@sealwax/client/dpop`.
import { isUsedUp } from './authorized-fetch.ts'
import { type DpopKey, readKeyPair, storedKeyPair } from './dpop-key.ts'
import { pageUrl } from './options.ts'

/** Options of `createDpopFetch`. */
export interface DpopFetchOptions {
  /**
   * The key pair, ECDSA with P-256, where there is no IndexedDB to keep one, as in Node. Default:
   * one that is generated and cannot be extracted; it is kept in IndexedDB, or else in memory.
   */
  readonly keyPair?: CryptoKeyPair
  /** The name of the key pair in IndexedDB. Default `default`. */
  readonly keyName?: string
}

/** What one request needs a proof for. */
interface Target {
  readonly method: string
  readonly url: URL
  readonly token: string | undefined
}

/** What the server has told: its time, and when that was by both clocks of this machine. */
interface ServerTime {
  readonly time: number
  readonly monotonic: number
  readonly wall: number
  /** Which of the two clocks is used if they disagree. */
  readonly trustsWall: boolean
}

/** Servers accept a nonce for a little longer. */
const NONCE_LIFE_MS = 4 * 60_000
/** Proofs may be older than this. */
const MOST_DISAGREEMENT_MS = 5000

/**
 * Creates a `fetch` for `createClient` that binds the session to a key of this browser (DPoP, RFC
 * 9449): stolen tokens are useless without the key, and scripts cannot read the key. Each request
 * gets a proof. It is sent once more if the server asks for a nonce, or if the clocks of this
 * machine disagree, unless its body can be sent only once.
 *
 * @throws {TypeError} where there is no `crypto.subtle`: it needs https, or http on localhost
 */
export function createDpopFetch({ keyPair, keyName = 'default' }: DpopFetchOptions = {}): typeof fetch {
  if (!globalThis.crypto?.subtle) throw new TypeError('DPoP needs crypto.subtle: https, or http on localhost')
  let key: Promise<DpopKey> | undefined
  let server: ServerTime | undefined
  /** The last nonce of each origin, and when it came. */
  const nonces = new Map<string, { readonly nonce: string; readonly at: number }>()

  function ownKey(): Promise<DpopKey> {
    key ??= Promise.resolve(keyPair ?? storedKeyPair(keyName)).then(readKeyPair)
    key.catch(() => {
      key = undefined
    })
    return key
  }

  function nonceOf(origin: string): string | undefined {
    const last = nonces.get(origin)
    return last && performance.now() - last.at < NONCE_LIFE_MS ? last.nonce : undefined
  }

  return async (input, init = {}) => {
    const { url, method = 'GET', headers: sent } = input as Partial<Request>
    const headers = new Headers(init.headers ?? sent)
    const authorization = headers.get('Authorization')
    const token = /^Bearer (.+)/i.exec(authorization ?? '')?.[1]
    // Whoever sends a token that is not bound needs no proof.
    if (authorization && !(token && isBound(token))) return fetch(input, init)
    if (token) headers.set('Authorization', `DPoP ${token}`)
    const target = { method: init.method ?? method, url: new URL(url ?? (input as string), pageUrl()), token }
    const { origin } = target.url

    async function attempt(nonce: string | undefined): Promise<Response> {
      const sentAt = performance.now()
      headers.set('DPoP', await createProof(await ownKey(), target, nonce, server))
      const reply = await fetch(input, { ...init, headers })
      if (!token && reply.ok) server = (await readTime(reply.clone(), sentAt)) ?? server
      return reply
    }

    const before = nonceOf(origin)
    const reply = await attempt(before)
    if (reply.status !== 400 && reply.status !== 401) return reply
    const nonce = reply.headers.get('DPoP-Nonce')
    if (nonce) nonces.set(origin, { nonce, at: performance.now() })
    // If the clocks of this machine disagree, one of them was set, or stood still: try the other.
    const mayHelp = nonce ? nonce !== before : server && disagreement(server) > MOST_DISAGREEMENT_MS
    if (!mayHelp || isUsedUp(input as string, init)) return reply
    if (server && !nonce) server = { ...server, trustsWall: !server.trustsWall }
    return attempt(nonce ?? before)
  }
}

async function createProof(
  { privateKey, jwk }: DpopKey,
  { method, url, token }: Target,
  nonce: string | undefined,
  server: ServerTime | undefined,
): Promise<string> {
  const header = { alg: 'ES256', typ: 'dpop+jwt', jwk }
  const payload = {
    jti: encode(crypto.getRandomValues(new Uint8Array(16))),
    // As `fetch` sends it: other methods keep their case.
    htm: /^(delete|get|head|options|post|put)$/i.test(method) ? method.toUpperCase() : method,
    htu: url.origin + url.pathname,
    iat: Math.floor(serverNow(server) / 1000),
    ath: token && encode(await crypto.subtle.digest('SHA-256', octets(token))),
    nonce,
  }
  const input = `${encode(octets(JSON.stringify(header)))}.${encode(octets(JSON.stringify(payload)))}`
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, octets(input))
  return `${input}.${encode(signature)}`
}

/**
 * The time of the server as far as known, since the clock of this machine may be wrong. If its two
 * clocks disagree, first the wall clock is used: on some systems the monotonic clock stands still
 * while the machine sleeps, and that is more common than a clock that is set.
 */
function serverNow(server: ServerTime | undefined): number {
  if (!server) return Date.now()
  const passed = server.trustsWall ? Date.now() - server.wall : performance.now() - server.monotonic
  return server.time + passed
}

function disagreement({ wall, monotonic }: ServerTime): number {
  return Math.abs(Date.now() - wall - (performance.now() - monotonic))
}

/** Reads when the access token in a reply was issued; undefined if there is none. */
async function readTime(reply: Response, sentAt: number): Promise<ServerTime | undefined> {
  try {
    const { access_token: token } = await reply.json()
    const elapsed = performance.now() - sentAt
    const wall = Date.now() - elapsed
    return { time: payloadOf(token).iat * 1000, monotonic: sentAt, wall, trustsWall: true }
  } catch {
    return undefined
  }
}

function isBound(token: string): boolean {
  try {
    return Boolean(payloadOf(token).cnf?.jkt)
  } catch {
    return false
  }
}

/** Not the text: other characters than ASCII stay encoded. */
function payloadOf(token: string): { readonly iat: number; readonly cnf?: { readonly jkt?: string } } {
  return JSON.parse(atob((token.split('.')[1] as string).replace(/-/g, '+').replace(/_/g, '/')))
}

function octets(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

/** base64url */
function encode(content: ArrayBuffer | Uint8Array): string {
  const text = String.fromCharCode(...new Uint8Array(content))
  return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}
