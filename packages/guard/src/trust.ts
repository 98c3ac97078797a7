import {
  type Algorithm,
  type Duration,
  JwtError,
  type KeysNews,
  toSeconds,
  type VerificationKeys,
  type VerifyOptions,
  verify,
} from '@sealwax/jwt'
import { createTokenCache, type TokenCache } from './cache.ts'
import { type CookieRule, readCookieRule } from './cookies.ts'
import type { GuardError, GuardErrorOptions } from './errors.ts'
import { feedSource } from './feed-source.ts'
import { type FormerIssuer, readFormerIssuers } from './former-issuers.ts'
import { discoverKeys, type KeySource } from './issuer.ts'
import type { GuardRequest } from './request.ts'
import { type FeedOptions, followFeed, type RevocationFeed } from './revocation-feed.ts'
import { validateRevocationCheck } from './revocation-verdict.ts'
import type { RevocationCheck } from './revocations.ts'
import { isNotAboutToken } from './token-refusal.ts'
import { parseSecureUrl } from './urls.ts'
import type { VerifiedToken } from './verified-token.ts'

/** What a guard trusts. Unknown members and members that are `undefined` throw a TypeError. */
export interface GuardOptions {
  /** The only accepted `iss`, or several; compared exactly. `null`: not checked. */
  readonly issuer: string | readonly string[] | null
  /** The name of this API, or its names: `aud` must contain one. `null`: not checked. */
  readonly audience: string | readonly string[] | null
  /** The only accepted `typ`. Default `'at+jwt'`, with all the rules of access tokens (RFC 9068 §4). `null`: not checked. */
  readonly typ?: string | null
  /** Claims that a token must have. Default `iss sub aud exp iat jti`. `sub` is always required. */
  readonly requiredClaims?: readonly string[]
  /** Allowance for clocks that differ. Default 5 seconds, at most 60. */
  readonly clockTolerance?: Duration
  /** Greatest `exp − iat`. Default 24 hours for `at+jwt`, none for another `typ`. */
  readonly maxLifetime?: Duration
  /** Narrows the algorithms; each key accepts only its own anyway, and an RSA key that names none accepts those that are named here. */
  readonly algorithms?: readonly Algorithm[]
  /** The longest token that is looked at, in characters. Default 16,384; a server may take no longer header fields. */
  readonly maxTokenLength?: number
  /** How many members the claims may have, at all levels together. Default 1,024. */
  readonly maxMembers?: number
  /**
   * The keys that tokens are verified with, a function that returns the current ones, or what `createRemoteJWKSet` made (which the guard does not
   * close). Default: those that the issuer's metadata names (RFC 8414, OpenID Connect Discovery); nothing is fetched before the first
   * token. Keys that cannot be had are answered with `keys_unavailable`, 503.
   */
  readonly keys?: VerificationKeys | (() => VerificationKeys) | KeySource
  /** Hears what came of each request for keys that the guard makes itself: the keys, those left out and why, or the failure. What it throws is dropped. */
  readonly onKeys?: (news: KeysNews) => void
  /**
   * Where revocations are known: a list, or the feed of the issuer, which is then followed. `null`: nowhere, so a token is accepted until it
   * expires even if its session has ended. Default, when the keys are found through the issuer: the feed that its metadata names; an
   * issuer without one needs `null` in writing.
   */
  readonly revocation?: RevocationCheck | FeedOptions | null
  /** Issuers of before, whose tokens are good until a date beside those of `issuer`; the guard's revocations hold for them, too. Default none. */
  readonly trust?: readonly FormerIssuer[]
  /** Lets the access token come in a cookie as well as in the Authorization header, never in both. Default: the header only. */
  readonly cookie?: CookieRule
  /** How many verified tokens are remembered, so that the next request with one costs no signature check. Default 2000; 0: none. */
  readonly cacheSize?: number
  /** URL of the document of `protectedResourceMetadata` (`@sealwax/guard/resource-metadata`), which challenges then point to (RFC 9728 §5.1): https, or http on loopback. Default none. */
  readonly resourceMetadata?: string
  /** Sees every refusal once, before it is thrown. What it throws or rejects with is dropped: it must not change the answer. */
  readonly onRefusal?: (error: GuardError, request: GuardRequest) => void
  /** The protection space named in challenges (RFC 9110 §11.5): printable ASCII. Default `'api'`. */
  readonly realm?: string
  /** The time in milliseconds since 1970. Default `Date.now()`, asked each time. */
  readonly now?: () => number
}

/** The checked options. */
export interface Trust {
  /** The keys for a token; a promise only when they must be fetched. Throws or rejects when they cannot be had. */
  readonly keysFor: (token: string) => VerificationKeys | Promise<VerificationKeys>
  /** Milliseconds for which the keys of a source serve a token that was verified with them; 0: they are asked for each time. */
  readonly keysKept: number
  /** Keys to try once more after a token was refused with some; `undefined` if there are no others. */
  readonly newerThan: (keys: VerificationKeys) => VerificationKeys | Promise<VerificationKeys> | undefined
  readonly closeKeys: () => void | Promise<void>
  readonly revocation: RevocationCheck | null
  /** A promise while the first page of the feed is awaited. */
  readonly revocationReady: () => Promise<void> | undefined
  readonly closeRevocation: () => void
  readonly cookie: CookieRule | undefined
  readonly cache: TokenCache<VerifiedToken>
  readonly onRefusal: GuardOptions['onRefusal']
  /** What every challenge says. */
  readonly challenge: GuardErrorOptions
  readonly now: () => number
  /** In seconds. */
  readonly tolerance: number
  readonly verification: Omit<VerifyOptions, 'currentDate'>
  /** Who else is trusted, each with keys and rules of its own, until a time in milliseconds since 1970. */
  readonly former: readonly {
    readonly issuer: string
    readonly until: number
    readonly trust: Trust
    /** Whether it goes by a name of the guard's own issuer. */
    readonly isOwn: boolean
  }[]
}

const MEMBERS: ReadonlySet<string> = new Set<keyof GuardOptions>([
  ...(['issuer', 'audience', 'typ', 'requiredClaims', 'clockTolerance', 'maxLifetime', 'algorithms'] as const),
  ...(['maxTokenLength', 'maxMembers', 'onKeys'] as const),
  ...(['keys', 'revocation', 'trust', 'cookie', 'cacheSize', 'resourceMetadata', 'onRefusal', 'realm', 'now'] as const),
])

/** Members without a default, and what to write. */
const SPELLED_OUT: Readonly<Record<string, string>> = {
  issuer: 'the issuer of the tokens, or null to accept any',
  audience: 'the name of this API in the tokens, or null to accept tokens meant for others',
}

const REVOCATION =
  'a RevocationList, { url } of a revocation feed, or null if tokens of ended sessions may be used until they expire'

const DEFAULT_CACHE_SIZE = 2000
const DEFAULT_TOLERANCE = 5
const KEYS_KEPT = 1000

/**
 * Checks the options of `createGuard` and copies them.
 * @throws TypeError, JwtError see `createGuard`
 */
export function trustOf(options: GuardOptions): Trust {
  checkMembers(options)
  const { keys, onKeys, revocation, trust = [], cookie, cacheSize = DEFAULT_CACHE_SIZE, ...rest } = options
  const { resourceMetadata, onRefusal, realm = 'api', now = () => Date.now(), ...verification } = rest
  if (onRefusal !== undefined && typeof onRefusal !== 'function')
    throw new TypeError('createGuard: onRefusal must be a function')
  if (onKeys !== undefined && typeof onKeys !== 'function')
    throw new TypeError('createGuard: onKeys must be a function')
  if (typeof now !== 'function') throw new TypeError('createGuard: now must be a function')
  if (typeof realm !== 'string' || !/^[\x20-\x7e]+$/.test(realm))
    throw new TypeError('createGuard: realm must be printable ASCII')
  if (!Number.isSafeInteger(cacheSize) || cacheSize < 0 || cacheSize > 1_000_000)
    throw new TypeError('createGuard: cacheSize must be a whole number of tokens, at most a million')
  if (resourceMetadata !== undefined && parseSecureUrl(resourceMetadata) === undefined)
    throw new TypeError('createGuard: resourceMetadata must be an https URL')
  const checked = verificationOf(verification)
  probe(keys, checked)
  const revoked = revocationOf(revocation, options.issuer)
  return Object.freeze({
    ...keySourceOf(options, now),
    ...revoked,
    former: trust.length === 0 ? [] : formerTrusts(options, revoked.revocation, now),
    cookie: cookie === undefined ? undefined : readCookieRule(cookie),
    cache: createTokenCache<VerifiedToken>(cacheSize),
    onRefusal,
    challenge: Object.freeze({ realm, resourceMetadata }),
    now,
    tolerance: checked.clockTolerance === undefined ? DEFAULT_TOLERANCE : toSeconds(checked.clockTolerance),
    verification: checked,
  })
}

function formerTrusts(options: GuardOptions, revocation: RevocationCheck | null, now: () => number): Trust['former'] {
  const { trust: _, keys: _keys, algorithms: _algorithms, maxLifetime: _maxLifetime, ...rest } = options
  return readFormerIssuers(options.trust ?? [], now).map(({ issuer, until, keys, rules }) => {
    const audience = rules.audience === undefined ? options.audience : rules.audience
    const trust = trustOf({ ...rest, ...rules, issuer, audience, keys, revocation })
    const isOwn = options.issuer === null || [options.issuer].flat().includes(issuer)
    return { issuer, until, isOwn, trust: isKeySource(keys) ? { ...trust, closeKeys: () => keys.close() } : trust }
  })
}

function checkMembers(options: GuardOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (!MEMBERS.has(name)) throw new TypeError(`createGuard: unknown option "${name}"`)
    if (value === undefined && !(name in SPELLED_OUT)) {
      throw new TypeError(`createGuard: ${name} is undefined; leave it out to get its default`)
    }
  }
  for (const [name, meaning] of Object.entries(SPELLED_OUT)) {
    if (options[name as keyof GuardOptions] === undefined)
      throw new TypeError(`createGuard: ${name} must be given: ${meaning}`)
  }
  if (options.keys !== undefined && options.revocation === undefined) {
    throw new TypeError(`createGuard: revocation must be given: ${REVOCATION}`)
  }
}

/** Follows the feed where no list is given. */
function revocationOf(
  revocation: GuardOptions['revocation'],
  issuer: GuardOptions['issuer'],
): Pick<Trust, 'revocation' | 'revocationReady' | 'closeRevocation'> {
  if (revocation === null || (revocation !== undefined && 'check' in revocation)) {
    if (revocation !== null) validateRevocationCheck(revocation)
    return { revocation, revocationReady: () => undefined, closeRevocation() {} }
  }
  const feed = feedOf(revocation ?? {}, issuer)
  return { revocation: feed, revocationReady: feed.ready, closeRevocation: feed.close }
}

function feedOf(options: FeedOptions, issuer: GuardOptions['issuer']): RevocationFeed {
  if (typeof options !== 'object') throw new TypeError(`createGuard: revocation must be ${REVOCATION}`)
  const { url, client } = options
  const asked =
    url === undefined ? 'revocation.url' : client === undefined ? undefined : 'an issuer with a token endpoint'
  if (asked !== undefined && parseSecureUrl(issuer) === undefined) {
    throw new TypeError(`createGuard: ${asked} must be given: only an issuer that is one https URL can be asked`)
  }
  return followFeed(feedSource(options, issuer as string), options)
}

function keySourceOf(
  { keys, issuer, onKeys = () => {} }: GuardOptions,
  now: () => number,
): Pick<Trust, 'keysFor' | 'keysKept' | 'newerThan' | 'closeKeys'> {
  if (keys === undefined) {
    const url = parseSecureUrl(issuer)
    if (url === undefined || url.search !== '') {
      throw new TypeError(
        'createGuard: keys must be given: the keys that tokens are verified with. Only an issuer that is one https URL can be asked for them',
      )
    }
    const source = discoverKeys(issuer as string, now, onKeys)
    return { ...fromSource(source), closeKeys: source.close }
  }
  if (isKeySource(keys)) return { ...fromSource(keys), closeKeys() {} }
  const own = Array.isArray(keys) ? Object.freeze([...keys]) : (keys as Exclude<typeof keys, KeySource>)
  return { keysFor: typeof own === 'function' ? own : () => own, keysKept: 0, newerThan() {}, closeKeys() {} }
}

function fromSource(source: KeySource): Pick<Trust, 'keysFor' | 'keysKept' | 'newerThan'> {
  return {
    keysFor: (token) => source.keysFor(token),
    newerThan: (keys) => source.newerThan?.(keys),
    keysKept: KEYS_KEPT,
  }
}

function isKeySource(keys: NonNullable<GuardOptions['keys']>): keys is KeySource {
  return typeof keys === 'object' && keys !== null && 'keysFor' in keys && typeof keys.keysFor === 'function'
}

function verificationOf({
  typ = 'at+jwt',
  requiredClaims = ['iss', 'sub', 'aud', 'exp', 'iat', 'jti'],
  ...rest
}: Pick<VerifyOptions, 'issuer' | 'audience'> & Partial<VerifyOptions>): Trust['verification'] {
  // Auth.subject is promised, so `sub` cannot be given up. What is not a list goes to verify, which says so.
  const needsSubject = Array.isArray(requiredClaims) && requiredClaims.length > 0 && !requiredClaims.includes('sub')
  return structuredClone({ ...rest, typ, requiredClaims: needsSubject ? ['sub', ...requiredClaims] : requiredClaims })
}

/** Lets `verify` judge its options and the keys now instead of at the first request. The token it is given for that is never acceptable. */
function probe(keys: GuardOptions['keys'], verification: Trust['verification']): void {
  const alg = verification.algorithms?.[0] ?? 'ES256'
  const header = Buffer.from(JSON.stringify({ alg, kid: '?' })).toString('base64url')
  try {
    if (keys === undefined || typeof keys === 'function' || isKeySource(keys)) verify('', [], verification)
    else verify(`${header}.e30.`, keys, verification)
  } catch (error) {
    if (!(error instanceof JwtError) || isNotAboutToken(error.code)) throw error
  }
}
