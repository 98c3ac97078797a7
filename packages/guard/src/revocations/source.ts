import type { GuardOptions } from '../options.ts'
import type { Trust } from '../trust.ts'
import { parseSecureUrl, type Transport } from '../urls.ts'
import { type FeedOptions, followFeed, type RevocationFeed } from './feed.ts'
import { feedSource } from './feed-source.ts'
import { validateRevocationCheck } from './verdict.ts'

/** The parts of `Trust` about revocations. */
export type Revoked = Pick<Trust, 'revocation' | 'revocationReady' | 'closeRevocation'>

/** Returns the given check, or follows the feed. */
export function revocationOf(
  revocation: GuardOptions['revocation'],
  issuer: GuardOptions['issuer'],
  transport: Transport,
): Revoked {
  if (revocation === null || (revocation !== undefined && 'check' in revocation)) {
    if (revocation !== null) validateRevocationCheck(revocation)
    return { revocation, revocationReady: () => undefined, closeRevocation() {} }
  }
  const feed = feedOf(revocation ?? {}, issuer, transport)
  return { revocation: feed, revocationReady: feed.ready, closeRevocation: feed.close }
}

function feedOf(options: FeedOptions, issuer: GuardOptions['issuer'], transport: Transport): RevocationFeed {
  const { url, client } = options
  const asked =
    url === undefined ? 'revocation.url' : client === undefined ? undefined : 'an issuer with a token endpoint'
  if (asked !== undefined && parseSecureUrl(issuer, transport) === undefined) {
    throw new TypeError(
      `createGuard: ${asked} must be given: metadata can only be fetched from an issuer that is one https URL`,
    )
  }
  return followFeed(feedSource(options, issuer as string, transport), options, transport)
}
