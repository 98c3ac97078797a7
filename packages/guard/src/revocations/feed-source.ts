import { keepMetadata } from '../keys/issuer.ts'
import type { Transport } from '../urls.ts'
import { clientTokens, type FeedClient } from './client-token.ts'

/** Where a feed is, and the header fields it needs. */
export interface FeedSource {
  /**
   * Returns the URL of the feed.
   * @param failed whether the last request failed
   */
  url(failed: boolean, signal: AbortSignal): Promise<URL>
  /** Returns the header fields that a request needs. */
  headers(signal: AbortSignal): Promise<Record<string, string>>
  /** Called when the header fields were refused. Returns whether others can be requested. */
  refused(): boolean
}

/**
 * Finds a feed and, if it is not public, the token for it. The last known URL is used while the
 * issuer's metadata is not available.
 * @param issuer not used if a URL but no client is given
 */
export function feedSource(
  { url, client }: { readonly url?: string; readonly client?: FeedClient },
  issuer: string,
  transport: Transport,
): FeedSource {
  const metadata = keepMetadata(issuer, transport)
  const tokens =
    client &&
    clientTokens(client, transport, async (signal) => {
      const { tokenEndpoint } = await metadata(false, signal)
      if (tokenEndpoint !== undefined) return tokenEndpoint
      throw new Error('the metadata of the issuer names no token endpoint')
    })
  return {
    async url(failed, signal) {
      const found = url ?? (await metadata(failed, signal)).revocationUri
      if (found !== undefined) return new URL(found)
      throw new Error('the metadata of the issuer names no revocation feed: write revocation: null to do without')
    },
    async headers(signal) {
      return tokens === undefined ? {} : { authorization: `Bearer ${await tokens.get(signal)}` }
    },
    refused() {
      tokens?.drop()
      return tokens !== undefined
    },
  }
}
