import type { GuardOptions } from '../options.ts'
import { isListOf, isNonEmpty, mustBe, type Rule } from '../strict-options.ts'

/**
 * The options of a guard for the tokens of one issuer: for `createGuard`, or for an entry of its
 * `issuers`. Spread them to change one: `{ ...okta({ … }), claims: { … } }`.
 */
export interface KnownIssuer
  extends Pick<GuardOptions, 'audience' | 'typ' | 'requiredClaims' | 'kind' | 'claims' | 'check'> {
  /** Its `iss`. The keys are found through its metadata. */
  readonly issuer: string
  /** None of these issuers has a revocation feed: a token is accepted until it expires. */
  readonly revocation: null
}

/** Names of an API or of clients: at least one. */
export type Names = string | readonly [string, ...string[]]

/** The claims that all of these issuers write. */
export const USUAL_CLAIMS = ['iss', 'sub', 'aud', 'exp', 'iat'] as const

/** A rule for a string. */
export function mustBeString(what: string): Rule {
  return mustBe(what, isNonEmpty)
}

/** A rule for {@link Names}. */
export function mustBeNames(what: string): Rule {
  return mustBe(what, (value) => isNonEmpty(value) || isListOf(value))
}

/** A rule for a host name: a URL would become a part of another one. */
export const mustBeHost = mustBe(
  "a host name such as 'example.okta.com', without https:// and path",
  (value) => typeof value === 'string' && /^[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?$/i.test(value),
)

/** A rule for the address of a server. */
export const mustBeBaseUrl = mustBe(
  "an https URL (http on loopback) without a slash at the end, such as 'https://id.example.com'",
  (value) => typeof value === 'string' && /^https?:\/\/[^?#]*[^/?#]$/.test(value) && URL.canParse(value),
)

/** Whether a claim is one of these names. */
export function isOneOf(value: unknown, names: Names): boolean {
  return typeof value === 'string' && [names].flat().includes(value)
}
