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
import type { Auth } from './auth.ts'
import { createTokenCache, type TokenCache } from './cache.ts'
import { type CookieRule, readCookieRule } from './cookies.ts'
import type { GuardError, GuardErrorOptions } from './errors.ts'
import { discoverKeys, type KeySource } from './issuer.ts'
import type { Expected } from './mismatch.ts'
import { checkMembers, checkNames } from './option-checks.ts'
import type { GuardRequest } from './request.ts'
import type { FeedOptions } from './revocation-feed.ts'
import { REVOCATION, type Revoked, revocationOf } from './revocation-source.ts'
import type { RevocationCheck } from './revocations.ts'
import { isNotAboutToken } from './token-refusal.ts'
import { readTrustedIssuers, type TrustedIssuer } from './trusted-issuers.ts'
import { parseSecureUrl } from './urls.ts'
import type { VerifiedToken } from './verified-token.ts'

/** What a guard trusts. Unknown members and members that are `undefined` throw a TypeError. */
export interface GuardOptions {
  /** The `iss` of the tokens, compared exactly; others go into `issuers`, each with keys of its own. `null`: not checked. */
  readonly issuer: string | null
  /** The name of this API, or its names: `aud` must contain one. `null`: not checked. */
  readonly audience: string | readonly string[] | null
  /** The only accepted `typ`. Default `'at+jwt'`, with all the rules of access tokens (RFC 9068 §4). `null`: not checked. */
  readonly typ?: string | null
  /** Claims that a token must have. Default `iss sub aud exp iat jti`, but `iss` and `aud` only where they are checked. `sub` is always required. */
  readonly requiredClaims?: readonly string[]
  /** Allowance for clocks that differ. Default 5 seconds, at most 60. */
  readonly clockTolerance?: Duration
  /** Greatest `exp − iat`. Default 24 hours for `at+jwt`, none for another `typ`. */
  readonly maxLifetime?: Duration
  /**
   * Tokens that are bound to a key of their sender (`cnf`; RFC 9449, RFC 8705). `'refuse'`, the default: nobody checks here that the sender has the key, so
   * `token_proof_required`. `'ignore'`: they are accepted as bearer tokens.
   */
  readonly senderConstrained?: 'refuse' | 'ignore'
  /** A rule of your own for tokens of this issuer, asked once when a token was verified; `false` is 403 `check_failed`. Rules of one route belong into its requirement. */
  readonly check?: (auth: Auth) => boolean
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
  /**
   * Other issuers whose tokens are accepted, each with keys and rules of its own. The guard's revocations hold for those of which `keys` and no `revocation`
   * is given.
   * Default none.
   */
  readonly issuers?: readonly TrustedIssuer[]
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
  /** What a refusal says was expected. */
  readonly expected: Omit<Expected, 'keys'>
  readonly check: GuardOptions['check']
  /** When its tokens stop being accepted, in milliseconds since 1970; infinite for the guard's own. */
  readonly until: number
  /** Who else is trusted, each with keys and rules of its own, until a time in milliseconds since 1970. */
  readonly others: readonly {
    readonly issuer: string | null
    readonly until: number
    readonly trust: Trust
    /** Whether it goes by the name of the guard's own issuer. */
    readonly isOwn: boolean
  }[]
}

const DEFAULT_CACHE_SIZE = 2000
const DEFAULT_TOLERANCE = 5
const KEYS_KEPT = 1000

/**
 * Checks the options of `createGuard` and copies them.
 * @throws TypeError, JwtError see `createGuard`
 */
export function trustOf(options: GuardOptions): Trust {
  checkMembers(options)
  const { keys, onKeys, revocation, issuers = [], cookie, cacheSize = DEFAULT_CACHE_SIZE, ...rest } = options
  const { check, resourceMetadata, onRefusal, realm = 'api', now = () => Date.now(), ...verification } = rest
  if (onRefusal !== undefined && typeof onRefusal !== 'function')
    throw new TypeError('createGuard: onRefusal must be a function')
  if (check !== undefined && typeof check !== 'function')
    throw new TypeError('createGuard: check must be a function of the auth that returns true or false')
  if (onKeys !== undefined && typeof onKeys !== 'function')
    throw new TypeError('createGuard: onKeys must be a function')
  if (typeof now !== 'function') throw new TypeError('createGuard: now must be a function')
  if (typeof realm !== 'string' || !/^[\x20-\x7e]+$/.test(realm))
    throw new TypeError('createGuard: realm must be printable ASCII')
  if (!Number.isSafeInteger(cacheSize) || cacheSize < 0 || cacheSize > 1_000_000)
    throw new TypeError('createGuard: cacheSize must be a whole number of tokens, at most a million')
  if (resourceMetadata !== undefined && parseSecureUrl(resourceMetadata) === undefined)
    throw new TypeError('createGuard: resourceMetadata must be an https URL')
  checkNames(options)
  const checked = verificationOf(verification)
  probe(keys, checked)
  if (keys !== undefined && revocation === undefined) {
    throw new TypeError(`createGuard: revocation must be given: ${REVOCATION}`)
  }
  const source = keySourceOf(options, now)
  const revoked = revocationOf(revocation, options.issuer)
  const others = Array.isArray(issuers) && issuers.length === 0 ? [] : otherTrusts({ ...options, issuers }, revoked)
  return Object.freeze({
    ...source,
    ...revoked,
    others,
    cookie: cookie === undefined ? undefined : readCookieRule(cookie),
    cache: createTokenCache<VerifiedToken>(cacheSize),
    onRefusal,
    challenge: Object.freeze({ realm, resourceMetadata }),
    now,
    until: Number.POSITIVE_INFINITY,
    tolerance: checked.clockTolerance === undefined ? DEFAULT_TOLERANCE : toSeconds(checked.clockTolerance),
    verification: checked,
    expected: { ...checked, issuer: namesOf(options.issuer, others) },
    check,
  })
}

/** The guard's options hold for the other issuers, too, but those about the tokens of its own. */
function otherTrusts(options: GuardOptions & { issuers: readonly TrustedIssuer[] }, shared: Revoked): Trust['others'] {
  const { issuers, audience, clockTolerance, maxTokenLength, maxMembers, cacheSize, ...rest } = options
  const { now, realm, onRefusal, onKeys, resourceMetadata } = rest
  const limits = { clockTolerance, maxTokenLength, maxMembers, cacheSize }
  const common = defined({ ...limits, now, realm, onRefusal, onKeys, resourceMetadata })
  return readTrustedIssuers(issuers).map(({ issuer, until, rules }, index) => {
    // An issuer that is asked for its keys is asked for its revocations, too.
    const inherits = rules.keys !== undefined && rules.revocation === undefined
    const revocation = inherits && { revocation: shared.revocation }
    const trust = ofEntry(index, () => trustOf({ audience, ...common, ...rules, issuer, ...revocation }))
    const own = { ...trust, until, ...(inherits && { ...shared, closeRevocation() {} }) }
    return { issuer, until, isOwn: issuer === options.issuer, trust: own }
  })
}

/** Says of which entry a mistake is. */
function ofEntry<T>(index: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof TypeError || error instanceof JwtError
      ? renamed(error, `createGuard: issuers[${index}]: `)
      : error
  }
}

/** The same mistake under the name of what was called. */
function renamed(error: TypeError | JwtError, caller: string): Error {
  const message = `${caller}${error.message.replace(/^(verify|createGuard): /, '')}`
  return error instanceof JwtError
    ? new JwtError(error.code, message, { cause: error })
    : new TypeError(message, { cause: error })
}

function namesOf(issuer: string | null, others: Trust['others']): Expected['issuer'] {
  if (issuer === null || others.length === 0) return issuer
  return [...new Set([issuer, ...others.flatMap((other) => other.issuer ?? [])])]
}

function defined<T extends object>(options: T): Partial<{ [K in keyof T]: NonNullable<T[K]> }> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}

function keySourceOf(
  { keys, issuer, onKeys = () => {} }: GuardOptions,
  now: () => number,
): Pick<Trust, 'keysFor' | 'keysKept' | 'newerThan' | 'closeKeys'> {
  if (keys === undefined) {
    const url = parseSecureUrl(issuer)
    if (url === undefined || url.search !== '') {
      throw new TypeError(
        `createGuard: keys must be given: they can only be fetched from an issuer that is one https URL (http on loopback), and ${issuer === null ? 'null' : `"${issuer}"`} is not`,
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
  requiredClaims: given,
  senderConstrained = 'refuse',
  ...rest
}: Pick<VerifyOptions, 'issuer' | 'audience'> & Partial<VerifyOptions>): Trust['verification'] {
  const unchecked = new Set([rest.issuer === null && 'iss', rest.audience === null && 'aud'])
  const requiredClaims = given ?? ['iss', 'sub', 'aud', 'exp', 'iat', 'jti'].filter((claim) => !unchecked.has(claim))
  // Auth.subject is promised, so `sub` cannot be given up. What is not a list goes to verify, which says so.
  const needsSubject = Array.isArray(requiredClaims) && requiredClaims.length > 0 && !requiredClaims.includes('sub')
  const claims = needsSubject ? ['sub', ...requiredClaims] : requiredClaims
  return structuredClone({ ...rest, typ, senderConstrained, requiredClaims: claims })
}

/** Lets `verify` judge its options and the keys now instead of at the first request. The token it is given for that is never acceptable. */
function probe(keys: GuardOptions['keys'], verification: Trust['verification']): void {
  const alg = verification.algorithms?.[0] ?? 'ES256'
  const header = Buffer.from(JSON.stringify({ alg, kid: '?' })).toString('base64url')
  try {
    if (keys === undefined || typeof keys === 'function' || isKeySource(keys)) verify('', [], verification)
    else verify(`${header}.e30.`, keys, verification)
  } catch (error) {
    if (!(error instanceof JwtError)) throw error
    if (isNotAboutToken(error.code)) throw renamed(error, 'createGuard: ')
  }
}
