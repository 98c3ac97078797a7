// The entry `@sealwax/client/dpop`.
import { isUsedUp } from './authorized-fetch.ts'
import { type DpopKey, readKeyPair, storedKeyPair } from './dpop-key.ts'

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
}

/**
 * Creates a `fetch` for `createClient` that binds the session to a key of this browser (DPoP, RFC
 * 9449): stolen tokens are useless without the key, and scripts cannot read the key. Each request
 * gets a proof. It is sent once more if the server asks for a nonce, unless its body is a stream.
 *
 * @throws {TypeError} where there is no `crypto.subtle`: it needs https, or http on localhost
 */
export function createDpopFetch({ keyPair, keyName = 'default' }: DpopFetchOptions = {}): typeof fetch {
  if (!globalThis.crypto?.subtle) throw new TypeError('DPoP needs crypto.subtle: https, or http on localhost')
  let key: Promise<DpopKey> | undefined
  let server: ServerTime | undefined
  /** The last nonce of each origin. */
  const nonces = new Map<string, string>()

  function ownKey(): Promise<DpopKey> {
    key ??= Promise.resolve(keyPair ?? storedKeyPair(keyName)).then(readKeyPair)
    key.catch(() => {
      key = undefined
    })
    return key
  }

  return async (input, init = {}) => {
    const { url, method = 'GET', headers: sent } = input as Partial<Request>
    const headers = new Headers(init.headers ?? sent)
    const [, bearer] = /^Bearer (.+)/.exec(headers.get('Authorization') ?? '') ?? []
    const token = bearer && isBound(bearer) ? bearer : undefined
    // Whoever sends a token that is not bound needs no proof.
    if (bearer && !token) return fetch(input, init)
    if (token) headers.set('Authorization', `DPoP ${token}`)
    const target = { method: init.method ?? method, url: new URL(url ?? (input as string)), token }

    const { origin } = target.url

    async function attempt(): Promise<Response> {
      const sentAt = performance.now()
      headers.set('DPoP', await createProof(await ownKey(), target, nonces.get(origin), server))
      const reply = await fetch(input, { ...init, headers })
      if (!bearer && reply.ok) server = (await readTime(reply.clone(), sentAt)) ?? server
      return reply
    }

    const before = nonces.get(origin)
    const reply = await attempt()
    const nonce = reply.headers.get('DPoP-Nonce')
    if (!nonce || nonce === before) return reply
    nonces.set(origin, nonce)
    const isRefused = reply.status === 400 || reply.status === 401
    return isRefused && !isUsedUp(input as string, init) ? attempt() : reply
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
    htm: method.toUpperCase(),
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
 * The time of the server as far as known: the clock of this machine may be wrong. On some systems
 * the monotonic clock stands still while the machine sleeps.
 */
function serverNow(server: ServerTime | undefined): number {
  if (!server) return Date.now()
  return server.time + Math.max(performance.now() - server.monotonic, Date.now() - server.wall)
}

/** Reads when the access token in a reply was issued; undefined if there is none. */
async function readTime(reply: Response, sentAt: number): Promise<ServerTime | undefined> {
  try {
    const { access_token: token } = await reply.json()
    const elapsed = performance.now() - sentAt
    return { time: payloadOf(token).iat * 1000, monotonic: sentAt, wall: Date.now() - elapsed }
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
