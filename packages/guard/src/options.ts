import type { Algorithm, Duration, Fetch, KeysNews, RemoteJWKSetOptions, VerificationKeys } from '@sealwax/jwt'
import type { Auth } from './auth.ts'
import type { ClaimMapping } from './claims.ts'
import type { DpopVerifier } from './dpop/verifier.ts'
import type { GuardError } from './errors.ts'
import type { KeySource } from './keys/issuer.ts'
import type { CookieRule } from './request/cookies.ts'
import type { GuardRequest } from './request/request.ts'
import type { TokenPlace } from './request/token-place.ts'
import type { FeedOptions } from './revocations/feed.ts'
import type { RevocationCheck } from './revocations/list.ts'
import type { TokenKind } from './token-kind.ts'

/** The options of `createRemoteJWKSet` that a guard passes on. */
export type RemoteKeysOptions = Readonly<Pick<RemoteJWKSetOptions, 'cacheMaxAge' | 'coolDown' | 'timeout'>>

/** What a guard trusts. Unknown members and members that are `undefined` cause a TypeError. */
export interface GuardOptions<Claims = unknown> {
  /**
   * The `iss` of the tokens, compared exactly. Other issuers go into `issuers`, each with its own
   * keys. `null`: not checked.
   */
  readonly issuer: string | null
  /** The name of this API, or its names: `aud` must contain one. `null`: not checked. */
  readonly audience: string | readonly string[] | null
  /**
   * The only accepted `typ`. Default `'at+jwt'`, with all the rules of access tokens (RFC 9068 §4).
   * `null`: not checked.
   */
  readonly typ?: string | null
  /**
   * Claims that a token must have. Default `iss sub aud exp iat jti`, without `iss` or `aud` where
   * that is `null`. The subject is always required: `sub`, or what `claims.subject` says.
   */
  readonly requiredClaims?: readonly string[]
  /** How far the clocks of issuer and guard may differ. Default 5 seconds, at most 60. */
  readonly clockTolerance?: Duration
  /** Greatest `exp − iat`. Default 24 hours for `at+jwt`, none for another `typ`. */
  readonly maxLifetime?: Duration
  /**
   * Tokens that are bound to a key of their sender (`cnf`; RFC 9449, RFC 8705). The guard cannot
   * check that the sender has the key, except with `dpop`. `'refuse'` (default): they are refused
   * with `token_proof_required`. `'ignore'`: they are accepted as bearer tokens.
   */
  readonly senderConstrained?: 'refuse' | 'ignore'
  /**
   * What `createDpopVerifier` (`@sealwax/guard/dpop`) returns: accepts tokens that are bound to a
   * key, sent with the scheme DPoP and a proof (RFC 9449). As bearer tokens they are still refused.
   * Default: they are always refused.
   */
  readonly dpop?: DpopVerifier
  /**
   * The kind of token that is accepted. Refresh, logout and other tokens that declare their kind
   * are always refused with `token_type_invalid`. `'ID token'`: for issuers whose ID tokens are the
   * credentials, such as Firebase. Default `'access token'`.
   */
  readonly kind?: TokenKind
  /**
   * Where the tokens of this issuer say who they are about and what they may do: `{ scopes, roles,
   * clientId, subject }`, each the name of a claim, a path or a function; and a `schema` for the
   * other claims. Read once, when a token is verified. Default: the claims that {@link Auth} names.
   */
  readonly claims?: ClaimMapping<Claims>
  /**
   * Your own rule for tokens of this issuer, called once after a token is verified; returns `true`
   * or `false`, or a promise of it. `false` is refused with 403 `check_failed`. A rule for one
   * route belongs in its requirement.
   */
  readonly check?: (auth: Auth<Claims>) => boolean | Promise<boolean>
  /**
   * Restricts the algorithms. Each key only accepts its own algorithm anyway; an RSA key without
   * `alg` accepts those listed here.
   */
  readonly algorithms?: readonly Algorithm[]
  /**
   * The longest token that is accepted, in characters. Default 16,384. Servers limit the length of
   * header fields, too.
   */
  readonly maxTokenLength?: number
  /** Maximum number of members in the claims, all levels together. Default 1,024. */
  readonly maxMembers?: number
  /**
   * The keys that tokens are verified with, a function that returns the current ones, or the result
   * of `createRemoteJWKSet` (which the guard does not close). Default: the keys in the issuer's
   * metadata (RFC 8414, OpenID Connect Discovery), fetched when the first token arrives. While no
   * keys are available, requests are refused with 503 `keys_unavailable`.
   */
  readonly keys?: VerificationKeys | (() => VerificationKeys) | KeySource
  /**
   * Called after each request for keys that the guard makes itself, with the keys, those left out
   * and why, or the error. Errors it throws are ignored.
   */
  readonly onKeys?: (news: KeysNews) => void
  /**
   * How long the keys that the guard fetches itself are cached, and how it fetches them: `{
   * cacheMaxAge, coolDown, timeout }`, as in `createRemoteJWKSet`.
   */
  readonly remoteKeys?: RemoteKeysOptions
  /**
   * Makes the guard's requests to the issuer (metadata, keys, revocations): for header fields, a
   * proxy, an agent or a private CA, such as `(url, init) => fetch(url, { ...init, dispatcher })`.
   * Default: the global `fetch`; in Node a connection of its own for revocations, which waits for
   * them in the background.
   */
  readonly fetch?: Fetch
  /**
   * Origins that the guard may use over plain http, such as `['http://keycloak:8080']`: whoever is
   * on the path can replace the keys, so only on a private network. Default: loopback only.
   */
  readonly allowHttp?: readonly string[]
  /**
   * Where revocations come from: a list, or the feed of the issuer, which the guard then follows.
   * `null`: a token is accepted until it expires, even if its session has ended. Default, if the
   * keys come from the issuer's metadata: the feed named there. For an issuer without a feed, write
   * `null`.
   */
  readonly revocation?: RevocationCheck | FeedOptions | null
  /**
   * Other issuers whose tokens are accepted, each with its own keys and rules. An issuer with
   * `keys` but no `revocation` uses the guard's revocations. Default none.
   */
  readonly issuers?: readonly TrustedIssuer[]
  /**
   * Accepts the access token in a cookie or in the Authorization header, never in both. Default:
   * the header only.
   */
  readonly cookie?: CookieRule
  /**
   * The only place where the token is accepted: `{ header: 'Cf-Access-Jwt-Assertion' }`, `{ scheme:
   * 'Token' }` for another scheme than Bearer, or a function of the request. Not together with
   * `cookie`. Default: the Authorization header with the scheme Bearer.
   */
  readonly token?: TokenPlace
  /**
   * How many verified tokens are cached, so that the next request with the same token does not need
   * a signature check. Default 2000; 0: none.
   */
  readonly cacheSize?: number
  /**
   * The URL where you serve `protectedResourceMetadata` (`@sealwax/guard/resource-metadata`), added
   * to challenges (RFC 9728 §5.1): https, or http on loopback. Default none.
   */
  readonly resourceMetadata?: string
  /**
   * Called once for every refusal, before it is thrown. Errors it throws or rejects with are
   * ignored.
   */
  readonly onRefusal?: (error: GuardError, request: GuardRequest) => void
  /**
   * The protection space named in challenges (RFC 9110 §11.5): printable ASCII. Default `'api'`.
   */
  readonly realm?: string
  /** Returns the time in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
}

/**
 * An issuer in addition to the guard's own: another identity provider, or the system that yours
 * replaces, whose tokens remain valid until a date. Its tokens are checked with its own keys and
 * rules, never with the guard's (RFC 8725 §3.8).
 */
export interface TrustedIssuer
  extends Pick<
    GuardOptions,
    | 'keys'
    | 'revocation'
    | 'kind'
    | 'claims'
    | 'check'
    | 'typ'
    | 'requiredClaims'
    | 'algorithms'
    | 'maxLifetime'
    | 'senderConstrained'
    | 'remoteKeys'
    | 'fetch'
    | 'allowHttp'
  > {
  /**
   * Its `iss`, compared exactly; `null`: its tokens have none. It may equal the guard's own issuer;
   * then tokens of either set of keys are accepted.
   */
  readonly issuer: string | null
  /** As in `GuardOptions`. Default: the guard's. */
  readonly audience?: string | readonly string[] | null
  /**
   * When its tokens stop being accepted: a Date, or a string such as `'2027-03-31'` or
   * `'2027-03-31T12:00:00Z'`. Default: never. With a date, or if `issuer` is `null`, the defaults
   * match the tokens of most older systems: `typ` is `'JWT'`, and `requiredClaims` are `iss sub
   * exp` (without `iss` for `null`).
   */
  readonly until?: Date | string
}
