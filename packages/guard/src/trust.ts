import {
  type Algorithm,
  type Duration,
  JwtError,
  toSeconds,
  type VerificationKeys,
  type VerifyOptions,
  verify,
} from '@sealwax/jwt'
import { createTokenCache, type TokenCache } from './cache.ts'
import { type CookieRule, readCookieRule } from './cookies.ts'
import type { GuardError, GuardErrorOptions } from './errors.ts'
import { discoverKeys, type KeySource } from './issuer.ts'
import type { GuardRequest } from './request.ts'
import type { RevocationCheck } from './revocations.ts'
import { isProgrammingError } from './token-refusal.ts'
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
  /** Narrows the algorithms; each key accepts only its own anyway. */
  readonly algorithms?: readonly Algorithm[]
  /**
   * The keys that tokens are verified with, a function that returns the current ones, or what `createRemoteJWKSet` made (which the guard does not
   * close). Default: those that the issuer's metadata names (RFC 8414, OpenID Connect Discovery); nothing is fetched before the first
   * token. Keys that cannot be had are answered with `keys_unavailable`, 503.
   */
  readonly keys?: VerificationKeys | (() => VerificationKeys) | KeySource
  /** Where revocations are known. `null`: nowhere, so a token is accepted until it expires even if its session has ended. */
  readonly revocation: RevocationCheck | null
  /** Lets the access token come in a cookie as well as in the Authorization header, never in both. Default: the header only. */
  readonly cookie?: CookieRule
  /** How many verified tokens are remembered, so that the next request with one costs no signature check. Default 2000; 0: none. */
  readonly cacheSize?: number
  /** URL of the document of `protectedResourceMetadata`, which challenges then point to (RFC 9728 §5.1): https, or http on loopback. Default none. */
  readonly resourceMetadata?: string
  /** Sees every refusal once, before it is thrown. What it throws or rejects with is dropped: it must not change the answer. */
  readonly onRefusal?: (error: GuardError, request: GuardRequest) => void
  /** The protection space named in challenges (RFC 9110 §11.5): printable ASCII. Default `'api'`. */
  readonly realm?: string
  /** The time in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
}

/** The checked options. */
export interface Trust {
  /** The keys for a token; a promise only when they must be fetched. Throws or rejects when they cannot be had. */
  readonly keysFor: (token: string) => VerificationKeys | Promise<VerificationKeys>
  readonly closeKeys: () => void | Promise<void>
  readonly revocation: RevocationCheck | null
  readonly cookie: CookieRule | undefined
  readonly cache: TokenCache<VerifiedToken>
  readonly onRefusal: GuardOptions['onRefusal']
  /** What every challenge says. */
  readonly challenge: GuardErrorOptions
  readonly now: () => number
  /** In seconds. */
  readonly tolerance: number
  readonly verification: Omit<VerifyOptions, 'currentDate'>
}

const MEMBERS: ReadonlySet<string> = new Set<keyof GuardOptions>([
  ...(['issuer', 'audience', 'typ', 'requiredClaims', 'clockTolerance', 'maxLifetime', 'algorithms'] as const),
  ...(['keys', 'revocation', 'cookie', 'cacheSize', 'resourceMetadata', 'onRefusal', 'realm', 'now'] as const),
])

/** Members without a default, and what to write. */
const SPELLED_OUT: Readonly<Record<string, string>> = {
  issuer: 'the issuer of the tokens, or null to accept any',
  audience: 'the name of this API in the tokens, or null to accept tokens meant for others',
  revocation:
    'a RevocationList, or null if tokens of ended sessions may be used until they expire. A remote issuer is not asked for its revocations, and most have none to give',
}

const DEFAULT_CACHE_SIZE = 2000
const DEFAULT_TOLERANCE = 5

/**
 * Checks the options of `createGuard` and copies them.
 * @throws TypeError, JwtError see `createGuard`
 */
export function trustOf(options: GuardOptions): Trust {
  checkMembers(options)
  const { keys, revocation, cookie, cacheSize = DEFAULT_CACHE_SIZE, ...rest } = options
  const { resourceMetadata, onRefusal, realm = 'api', now = Date.now, ...verification } = rest
  if (revocation !== null && typeof revocation.check !== 'function') {
    throw new TypeError(`createGuard: revocation must be ${SPELLED_OUT.revocation}`)
  }
  if (onRefusal !== undefined && typeof onRefusal !== 'function')
    throw new TypeError('createGuard: onRefusal must be a function')
  if (typeof now !== 'function') throw new TypeError('createGuard: now must be a function')
  if (typeof realm !== 'string' || !/^[\x20-\x7e]+$/.test(realm))
    throw new TypeError('createGuard: realm must be printable ASCII')
  if (!Number.isSafeInteger(cacheSize) || cacheSize < 0 || cacheSize > 1_000_000)
    throw new TypeError('createGuard: cacheSize must be a whole number of tokens, at most a million')
  if (resourceMetadata !== undefined && parseSecureUrl(resourceMetadata) === undefined)
    throw new TypeError('createGuard: resourceMetadata must be an https URL')
  const checked = verificationOf(verification)
  probe(keys, checked)
  return Object.freeze({
    ...keySourceOf(options, now),
    revocation,
    cookie: cookie === undefined ? undefined : readCookieRule(cookie),
    cache: createTokenCache<VerifiedToken>(cacheSize),
    onRefusal,
    challenge: Object.freeze({ realm, resourceMetadata }),
    now,
    tolerance: checked.clockTolerance === undefined ? DEFAULT_TOLERANCE : toSeconds(checked.clockTolerance),
    verification: checked,
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
}

function keySourceOf({ keys, issuer }: GuardOptions, now: () => number): Pick<Trust, 'keysFor' | 'closeKeys'> {
  if (keys === undefined) {
    const url = parseSecureUrl(issuer)
    if (url === undefined || url.search !== '') {
      throw new TypeError(
        'createGuard: keys must be given: the keys that tokens are verified with. Only an issuer that is one https URL can be asked for them',
      )
    }
    const source = discoverKeys(issuer as string, now)
    return { keysFor: source.keysFor, closeKeys: source.close }
  }
  if (isKeySource(keys)) return { keysFor: (token) => keys.keysFor(token), closeKeys() {} }
  const own = Array.isArray(keys) ? Object.freeze([...keys]) : (keys as Exclude<typeof keys, KeySource>)
  return { keysFor: typeof own === 'function' ? own : () => own, closeKeys() {} }
}

function isKeySource(keys: NonNullable<GuardOptions['keys']>): keys is KeySource {
  return 'keysFor' in keys && typeof keys.keysFor === 'function'
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
    if (!(error instanceof JwtError) || isProgrammingError(error.code)) throw error
  }
}
