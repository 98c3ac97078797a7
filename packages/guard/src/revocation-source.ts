import { feedSource } from './feed-source.ts'
import { type FeedOptions, followFeed, type RevocationFeed } from './revocation-feed.ts'
import { validateRevocationCheck } from './revocation-verdict.ts'
import { shapeOf } from './shape.ts'
import type { GuardOptions, Trust } from './trust.ts'
import { parseSecureUrl } from './urls.ts'

/** What may be written for the option. */
export const REVOCATION =
  'a RevocationList, { check } of your own, { url } of a revocation feed, or null if tokens of ended sessions may be used until they expire'

/** How a guard knows of revocations. */
export type Revoked = Pick<Trust, 'revocation' | 'revocationReady' | 'closeRevocation'>

/** Follows the feed where no list is given. */
export function revocationOf(revocation: GuardOptions['revocation'], issuer: GuardOptions['issuer']): Revoked {
  if (revocation !== undefined && typeof revocation !== 'object') {
    throw new TypeError(`createGuard: revocation must be ${REVOCATION}; got ${shapeOf(revocation)}`)
  }
  if (revocation === null || (revocation !== undefined && 'check' in revocation)) {
    if (revocation !== null) validateRevocationCheck(revocation)
    return { revocation, revocationReady: () => undefined, closeRevocation() {} }
  }
  const feed = feedOf(revocation ?? {}, issuer)
  return { revocation: feed, revocationReady: feed.ready, closeRevocation: feed.close }
}

function feedOf(options: FeedOptions, issuer: GuardOptions['issuer']): RevocationFeed {
  const { url, client } = options
  const asked =
    url === undefined ? 'revocation.url' : client === undefined ? undefined : 'an issuer with a token endpoint'
  if (asked !== undefined && parseSecureUrl(issuer) === undefined) {
    throw new TypeError(`createGuard: ${asked} must be given: only an issuer that is one https URL can be asked`)
  }
  return followFeed(feedSource(options, issuer as string), options)
}
