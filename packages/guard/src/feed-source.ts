import { clientTokens, type FeedClient } from './client-token.ts'
import { keepMetadata } from './issuer.ts'

/** Where a feed is, and what has to be shown there. */
export interface FeedSource {
  /** The URL of the feed. @param failed whether the last turn has failed */
  url(failed: boolean, signal: AbortSignal): Promise<URL>
  /** The header fields that a request needs. */
  headers(signal: AbortSignal): Promise<Record<string, string>>
  /** The headers were refused. Whether others can be had. */
  refused(): boolean
}

/**
 * Finds a feed and, for one that is not public, the token. What was found last stays good while the issuer's metadata cannot be had.
 * @param issuer may be anything where a URL and no client is given
 */
export function feedSource(
  { url, client }: { readonly url?: string; readonly client?: FeedClient },
  issuer: string,
): FeedSource {
  const metadata = keepMetadata(issuer)
  const tokens =
    client &&
    clientTokens(client, async (signal) => {
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
