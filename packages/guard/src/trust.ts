import type { JwtPayload, VerificationKeys, VerifyOptions } from '@sealwax/jwt'
import type { ReadClaims } from './claims.ts'
import type { DpopVerifier } from './dpop/verifier.ts'
import type { GuardErrorOptions } from './errors.ts'
import type { GuardOptions } from './options.ts'
import type { CookieRule } from './request/cookies.ts'
import type { ReadTokenPlace } from './request/token-place.ts'
import type { RevocationCheck } from './revocations/list.ts'
import type { TokenKind } from './token-kind.ts'
import type { TokenCache } from './tokens/cache.ts'
import type { Expected } from './tokens/mismatch.ts'
import type { VerifiedToken } from './tokens/verified-token.ts'

/** The checked options. */
export interface Trust {
  /**
   * Returns the keys for a token; a promise only if they must be fetched. Throws or rejects if they
   * are not available.
   */
  readonly keysFor: (token: string) => VerificationKeys | Promise<VerificationKeys>
  /**
   * Milliseconds for which a verified token keeps the keys of a source; 0: they are requested each
   * time.
   */
  readonly keysKept: number
  /** Returns keys to try after a token was refused; `undefined` if there are no others. */
  readonly newerThan: (keys: VerificationKeys) => VerificationKeys | Promise<VerificationKeys> | undefined
  /** Stops fetching keys. */
  readonly closeKeys: () => void | Promise<void>
  /** The revocation check; `null` if there is none. */
  readonly revocation: RevocationCheck | null
  /** Returns a promise if the feed must be awaited before the check. See `RevocationFeed.ready`. */
  readonly revocationReady: () => Promise<void> | undefined
  /** Stops following the feed. */
  readonly closeRevocation: () => void
  /** The cookie that may contain the token. */
  readonly cookie: CookieRule | undefined
  /** The only place that may contain the token, if it is not a usual one. */
  readonly place: ReadTokenPlace | undefined
  /** Checks proofs; `undefined` if tokens that are bound to a key are not accepted with one. */
  readonly dpop: DpopVerifier | undefined
  /** Verified tokens. */
  readonly cache: TokenCache<VerifiedToken>
  /** See `GuardOptions`. */
  readonly onRefusal: GuardOptions['onRefusal']
  /** The part that all challenges share. */
  readonly challenge: GuardErrorOptions
  /** Returns milliseconds since 1970. */
  readonly now: () => number
  /** In seconds. */
  readonly tolerance: number
  /** The options for `verify`. */
  readonly verification: Omit<VerifyOptions, 'currentDate' | 'issuer' | 'audience'> &
    Pick<GuardOptions, 'issuer' | 'audience'>
  /** What a refusal reports as expected. */
  readonly expected: Omit<Expected, 'keys'>
  /** See `GuardOptions`. */
  readonly kind: TokenKind
  /** Reads the claims of a verified token as `GuardOptions.claims` says. */
  readonly readClaims: (payload: JwtPayload) => ReadClaims
  /** See `GuardOptions`. */
  readonly check: GuardOptions['check']
  /**
   * When tokens of the issuer stop being accepted, in milliseconds since 1970; infinite for the
   * guard's own issuer.
   */
  readonly until: number
  /**
   * The other trusted issuers, each with its own keys and rules, until a time in milliseconds since
   * 1970.
   */
  readonly others: readonly {
    readonly issuer: string | null
    readonly until: number
    readonly trust: Trust
    /** Whether it has the same `iss` as the guard's own issuer. */
    readonly isOwn: boolean
  }[]
}
