import { readBody } from '@sealwax/jwt/internal'
import type { Transport } from '../urls.ts'

/** An API client that the guard uses to read a feed that is not public. */
export interface FeedClient {
  /** The client id. */
  readonly id: string
  /** The client secret. */
  readonly secret: string
}

/** Access tokens that a client requests for itself. */
export interface ClientTokens {
  /**
   * Returns the current token, or requests a new one shortly before it expires. Rejects if the
   * request fails.
   */
  get(signal: AbortSignal): Promise<string>
  /** Discards the current token, because it was refused. */
  drop(): void
}

const SCOPE = 'revocations:read'
/** In bytes. */
const SIZE_LIMIT = 64 * 1024
/** A token is renewed when this fraction of its lifetime is left. */
const REST = 0.1

/**
 * Gets tokens by the `client_credentials` grant (RFC 6749 §4.4), with HTTP Basic. No message
 * contains a secret or a token.
 * @param findEndpoint returns the URL of the token endpoint
 */
export function clientTokens(
  { id, secret }: FeedClient,
  { fetch = globalThis.fetch }: Transport,
  findEndpoint: (signal: AbortSignal) => Promise<string>,
): ClientTokens {
  const credentials = Buffer.from(`${formEncoded(id)}:${formEncoded(secret)}`).toString('base64')
  let current: { readonly token: string; readonly until: number } | undefined

  async function request(signal: AbortSignal): Promise<string> {
    const began = performance.now()
    const response = await fetch(await findEndpoint(signal), {
      method: 'POST',
      headers: { authorization: `Basic ${credentials}`, accept: 'application/json' },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: SCOPE }),
      redirect: 'manual',
      signal,
    })
    const { access_token: token, expires_in: life, error } = readObject(await readBody(response, SIZE_LIMIT))
    if (response.status !== 200) {
      throw new Error(`the token endpoint responded with ${response.status}${isCode(error) ? ` ${error}` : ''}`)
    }
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token) || typeof life !== 'number') {
      throw new Error('the token endpoint returned no token')
    }
    current = { token, until: began + life * 1000 * (1 - REST) }
    return token
  }

  return {
    async get(signal) {
      return current !== undefined && performance.now() < current.until ? current.token : request(signal)
    },
    drop() {
      current = undefined
    },
  }
}

/** RFC 6749 §2.3.1 and Appendix B. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

/** Returns {} for a string that is not JSON, since the parser's error would quote it. */
function readObject(text: string): Record<string, unknown> {
  try {
    return (JSON.parse(text) ?? {}) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** RFC 6749 §5.2. Nothing else from the response is put into a message. */
function isCode(error: unknown): error is string {
  return typeof error === 'string' && /^[a-z_]{1,40}$/.test(error)
}
