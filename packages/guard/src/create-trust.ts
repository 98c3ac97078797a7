import { JwtError, toSeconds, type VerifyOptions, verify } from '@sealwax/jwt'
import { CLAIM_MAPPING, type ClaimMapping, type ClaimSource, claimsReader } from './claims.ts'
import { discoverKeys, type KeySource } from './keys/issuer.ts'
import { readTrustedIssuers } from './keys/trusted-issuers.ts'
import { GUARD_OPTIONS, REMOTE_KEYS, REVOCATION } from './option-rules.ts'
import type { GuardOptions, TrustedIssuer } from './options.ts'
import { readCookieRule } from './request/cookies.ts'
import { readTokenPlace } from './request/token-place.ts'
import { type Revoked, revocationOf } from './revocations/source.ts'
import { checkOptions } from './strict-options.ts'
import { createTokenCache } from './tokens/cache.ts'
import type { Expected } from './tokens/mismatch.ts'
import { isNotAboutToken } from './tokens/refusal.ts'
import type { VerifiedToken } from './tokens/verified-token.ts'
import type { Trust } from './trust.ts'
import { parseSecureUrl } from './urls.ts'

const DEFAULT_CACHE_SIZE = 2000
const DEFAULT_TOLERANCE = 5
const KEYS_KEPT = 1000

/**
 * Checks the options of `createGuard` and copies them.
 * @throws {TypeError | JwtError} see `createGuard`
 */
export function trustOf(options: GuardOptions): Trust {
  checkOptions('createGuard', options, GUARD_OPTIONS)
  const { keys, onKeys, revocation, issuers = [], cookie, token, cacheSize = DEFAULT_CACHE_SIZE, ...rest } = options
  const {
    kind = 'access token',
    claims,
    check,
    resourceMetadata,
    onRefusal,
    realm = 'api',
    now = () => Date.now(),
    remoteKeys,
    fetch,
    allowHttp,
    dpop,
    ...verification
  } = rest
  if (remoteKeys !== undefined) checkOptions('createGuard', remoteKeys, REMOTE_KEYS, 'remoteKeys')
  if (claims !== undefined) checkOptions('createGuard', claims, CLAIM_MAPPING, 'claims')
  if (dpop !== undefined) refuseWithProofs(options)
  // With `dpop`, the guard itself checks what the token is bound to.
  const constrained = dpop === undefined ? {} : ({ senderConstrained: 'ignore' } as const)
  const checked = verificationOf({ ...verification, ...constrained }, claims?.subject)
  probe(keys, checked)
  if (keys !== undefined && revocation === undefined) {
    throw new TypeError(`createGuard: revocation must be given: ${REVOCATION}`)
  }
  if (cookie !== undefined && token !== undefined) {
    throw new TypeError('createGuard: cookie and token cannot be combined: a token is accepted in one place only')
  }
  const place = token === undefined ? undefined : readTokenPlace(token)
  const source = keySourceOf(options, now)
  const revoked = revocationOf(revocation, options.issuer, { fetch, allowHttp })
  const others = otherTrusts({ ...options, issuers }, revoked)
  return Object.freeze({
    ...source,
    ...revoked,
    others,
    cookie: cookie === undefined ? undefined : readCookieRule(cookie),
    place,
    cache: createTokenCache<VerifiedToken>(cacheSize),
    onRefusal,
    dpop,
    challenge: Object.freeze({
      ...{ realm, resourceMetadata, dpopAlgorithms: dpop?.algorithms },
      scheme: dpop?.required === true ? 'DPoP' : typeof place === 'object' ? place.scheme : undefined,
    }),
    now,
    until: Number.POSITIVE_INFINITY,
    tolerance: checked.clockTolerance === undefined ? DEFAULT_TOLERANCE : toSeconds(checked.clockTolerance),
    verification: checked,
    expected: { ...checked, issuer: namesOf(options.issuer, others) },
    kind,
    readClaims: claimsReader(claims),
    check,
  })
}

/** A bound token is accepted after the scheme DPoP only. */
function refuseWithProofs({ token, senderConstrained }: GuardOptions): void {
  const other = token !== undefined ? 'token' : senderConstrained !== undefined ? 'senderConstrained' : undefined
  if (other !== undefined) throw new TypeError(`createGuard: dpop and ${other} cannot be combined`)
}

/** The guard's options apply to the other issuers, too, except those about its own tokens. */
function otherTrusts(options: GuardOptions & { issuers: readonly TrustedIssuer[] }, shared: Revoked): Trust['others'] {
  const { issuers, audience, claims, clockTolerance, maxTokenLength, maxMembers, cacheSize, ...rest } = options
  const { now, realm, onRefusal, onKeys, resourceMetadata, remoteKeys, fetch, allowHttp, dpop } = rest
  const limits = { clockTolerance, maxTokenLength, maxMembers, cacheSize }
  const requests = { onKeys, remoteKeys, fetch, allowHttp }
  const common = defined({ ...limits, ...requests, now, realm, onRefusal, resourceMetadata })
  return readTrustedIssuers(issuers).map(({ issuer, until, rules }, index) => {
    // If the keys come from the issuer's metadata, so do the revocations.
    const inherits = rules.keys !== undefined && rules.revocation === undefined
    const revocation = inherits && { revocation: shared.revocation }
    // What an entry says about bound tokens comes first.
    const proofs = rules.senderConstrained === undefined ? defined({ dpop }) : {}
    const own = { ...common, ...proofs, ...rules, ...schemaFor(rules.claims, claims) }
    const trust = ofEntry(index, () => trustOf({ audience, ...own, issuer, ...revocation }))
    const bound = { ...trust, until, ...(inherits && { ...shared, closeRevocation() {} }) }
    return { issuer, until, isOwn: issuer === options.issuer, trust: bound }
  })
}

/**
 * `Auth.payload` has one type, so the schema of the guard applies to every issuer without its own.
 */
function schemaFor(own: ClaimMapping = {}, { schema }: ClaimMapping = {}): Pick<GuardOptions, 'claims'> {
  const claims = schema === undefined ? own : { schema, ...own }
  return Object.keys(claims).length === 0 ? {} : { claims }
}

/** Adds the entry of `issuers` to an error about it. */
function ofEntry<T>(index: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof TypeError || error instanceof JwtError
      ? renamed(error, `createGuard: issuers[${index}]`)
      : error
  }
}

/**
 * The same error with the name of the function that was called. A wrong option is always a
 * TypeError, even if `verify` finds it.
 */
function renamed(error: TypeError | JwtError, caller: string): Error {
  const message = `${caller}: ${error.message.replace(/^(verify|createGuard): /, '')}`
  return error instanceof JwtError && error.code !== 'ERR_JWT_OPTION'
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
  { keys, issuer, onKeys = () => {}, remoteKeys, fetch, allowHttp }: GuardOptions,
  now: () => number,
): Pick<Trust, 'keysFor' | 'keysKept' | 'newerThan' | 'closeKeys'> {
  if (keys === undefined) {
    const url = parseSecureUrl(issuer, { allowHttp })
    if (url === undefined || url.search !== '') {
      throw new TypeError(
        `createGuard: keys must be given: they can only be fetched from an issuer that is one https URL (http on loopback, or at an origin in allowHttp), and ${issuer === null ? 'null' : `"${issuer}"`} is not`,
      )
    }
    const source = discoverKeys(issuer as string, { ...remoteKeys, ...defined({ fetch, allowHttp }), now, onKeys })
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

function verificationOf(
  {
    typ = 'at+jwt',
    requiredClaims: given,
    senderConstrained = 'refuse',
    ...rest
  }: Pick<GuardOptions, 'issuer' | 'audience'> & Partial<Omit<VerifyOptions, 'issuer' | 'audience'>>,
  subject: ClaimSource | undefined,
): Trust['verification'] {
  const isRenamed = subject !== undefined && subject !== 'sub'
  const unchecked = new Set([rest.issuer === null && 'iss', rest.audience === null && 'aud', isRenamed && 'sub'])
  const requiredClaims = given ?? ['iss', 'sub', 'aud', 'exp', 'iat', 'jti'].filter((claim) => !unchecked.has(claim))
  // `Auth.subject` is always set, so `sub` is always required. A renamed subject is checked later.
  const claims = requiredClaims.includes('sub') || isRenamed ? requiredClaims : ['sub', ...requiredClaims]
  return structuredClone({
    ...rest,
    typ,
    senderConstrained,
    requiredClaims: claims,
    numericSubject: subject !== undefined,
  })
}

/**
 * Lets `verify` check its options and the keys now instead of at the first request, using a token
 * that is always refused.
 */
function probe(keys: GuardOptions['keys'], verification: Trust['verification']): void {
  const alg = verification.algorithms?.[0] ?? 'ES256'
  const header = Buffer.from(JSON.stringify({ alg, kid: '?' })).toString('base64url')
  try {
    if (keys === undefined || typeof keys === 'function' || isKeySource(keys)) verify('', [], verification)
    else verify(`${header}.e30.`, keys, verification)
  } catch (error) {
    if (!(error instanceof JwtError)) throw error
    if (isNotAboutToken(error.code)) throw renamed(error, 'createGuard')
  }
}
