import { algorithms } from './algorithms.ts'
import type { ClaimRules } from './claims.ts'
import { longestTokenLength } from './compact.ts'
import type { Duration } from './duration.ts'
import { toSeconds } from './duration.ts'
import { isAccessTokenType, isMediaType } from './media-type.ts'
import { checkOptions, isTextOrTexts, refuseOption, secondsOf } from './options.ts'

/**
 * What `verify` holds a token against. The first three are required; `null` says that the check is left out. An
 * option that is `undefined`, an empty list, an empty text or has an unknown name is refused, so that an unset
 * variable never widens a check.
 */
export interface VerifyOptions {
  /** The issuer, or the issuers, whose tokens are taken; compared exactly. */
  issuer: string | readonly string[] | null
  /** Our own name, or names: the token's `aud` must contain one of them, exactly. */
  audience: string | readonly string[] | null
  /**
   * The type in the header, as in `'at+jwt'`: case does not matter, `application/` is optional. `'at+jwt'` adds the
   * rules for access tokens (RFC 9068).
   */
  typ: string | null
  /** Narrows the algorithms further than the keys do, by the exact name in the header. */
  algorithms?: readonly string[]
  /** Claims that must be there, whatever their value. */
  requiredClaims?: readonly string[]
  /**
   * How far the clocks of issuer and verifier may differ; applied to `exp` and `nbf`. Default 5 seconds, at most 60.
   */
  clockTolerance?: Duration
  /** The longest time from `iat` to `exp`; requires both claims. Default: 24 hours for `at+jwt`, else no limit. */
  maxLifetime?: Duration
  /**
   * What becomes of a token that is bound to a key (`cnf`, RFC 7800 §3.1), since nobody checks here that its sender has the key. Default: `'refuse'` for
   * `at+jwt`, else `'ignore'`.
   */
  senderConstrained?: 'refuse' | 'ignore'
  /** The instant to verify at. Default: now. */
  currentDate?: Date
  /** The longest token that is looked at, in characters. Default 16,384; at most 1,048,576. */
  maxTokenLength?: number
  /** How many members the claims may have, at all levels together. Default 1,024; at most 65,536. */
  maxMembers?: number
}

const optionNames: ReadonlySet<string> = new Set([
  'issuer',
  'audience',
  'typ',
  'algorithms',
  'requiredClaims',
  'clockTolerance',
  'maxLifetime',
  'senderConstrained',
  'currentDate',
  'maxTokenLength',
  'maxMembers',
])

const defaultTolerance = 5
const maxTolerance = 60
const mostMembers = 65_536
const accessTokenLifetime = 86_400

/** Checks the options of `verify`, and turns them into what its claims are held against. @throws {JwtError} `ERR_JWT_OPTION`. */
export function readRules(options: VerifyOptions): ClaimRules {
  checkOptions(options, optionNames, 'verify')
  const { issuer, audience, typ, requiredClaims, clockTolerance, maxLifetime } = options
  if (issuer !== null && !isTextOrTexts(issuer))
    throw refuseOption('verify: issuer must be given: a string, a list of strings, or null to accept any')
  if (audience !== null && !isTextOrTexts(audience)) {
    throw refuseOption('verify: audience must be given: a string, a list of strings, or null to accept any')
  }
  if (typ !== null && !isMediaType(typ))
    throw refuseOption("verify: typ must be given: a media type such as 'at+jwt', or null to accept any")
  if (options.algorithms !== undefined) checkAlgorithms(options.algorithms)
  if (requiredClaims !== undefined && (!Array.isArray(requiredClaims) || !isTextOrTexts(requiredClaims))) {
    throw refuseOption('verify: requiredClaims must be a list of at least one string')
  }
  const tolerance = clockTolerance === undefined ? defaultTolerance : toSeconds(clockTolerance)
  if (tolerance > maxTolerance) throw refuseOption(`verify: clockTolerance must be at most ${maxTolerance} seconds`)
  const accessToken = isAccessTokenType(typ)
  const lifetime = maxLifetime === undefined ? (accessToken ? accessTokenLifetime : undefined) : toSeconds(maxLifetime)
  if (lifetime === 0) throw refuseOption('verify: maxLifetime must be longer than 0')
  const { senderConstrained = accessToken ? 'refuse' : 'ignore' } = options
  if (senderConstrained !== 'refuse' && senderConstrained !== 'ignore') {
    throw refuseOption("verify: senderConstrained must be 'refuse' or 'ignore'")
  }
  const bearer = senderConstrained === 'refuse'
  if (options.maxTokenLength !== undefined) checkLimit('maxTokenLength', options.maxTokenLength, longestTokenLength)
  if (options.maxMembers !== undefined) checkLimit('maxMembers', options.maxMembers, mostMembers)
  const now = secondsOf(options.currentDate, 'verify')
  return { issuer, audience, requiredClaims, maxLifetime: lifetime, accessToken, bearer, now, tolerance }
}

function checkLimit(name: string, value: unknown, most: number): void {
  if (Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= most) return
  throw refuseOption(`verify: ${name} must be a whole number from 1 to ${most}`)
}

function checkAlgorithms(names: unknown): void {
  if (!Array.isArray(names) || names.length === 0)
    throw refuseOption('verify: algorithms must be a list of at least one algorithm')
  for (const name of names) {
    if (!algorithms.has(name)) throw refuseOption('verify: algorithms names an algorithm that is not supported')
  }
}
