import { algorithms } from './algorithms.ts'
import type { ClaimRules } from './claims.ts'
import { longestTokenLength } from './compact.ts'
import type { Duration } from './duration.ts'
import { readSeconds } from './duration.ts'
import { isAccessTokenType, isMediaType } from './media-type.ts'
import { checkOptions, isStringOrStrings, readCurrentSeconds, refuseOption } from './options.ts'

/**
 * Options of `verify`. The first three are required; `null` turns the check off. An option that is
 * `undefined`, an empty list, an empty string or has an unknown name is refused, so that an unset
 * variable never turns a check off.
 */
export interface VerifyOptions {
  /**
   * The trusted issuer or issuers; case matters. Or a function that returns whether the `iss` it is
   * called with is trusted, for names that follow a pattern.
   */
  issuer: string | readonly string[] | ((issuer: string) => boolean) | null
  /**
   * The name or names of this API: the `aud` of the token must contain one of them; case matters.
   * Or a function that returns whether a name is one of this API; it is called for each name in
   * `aud`.
   */
  audience: string | readonly string[] | ((audience: string) => boolean) | null
  /**
   * The type in the header, such as `'at+jwt'`: case does not matter, `application/` is optional.
   * `'at+jwt'` adds the rules for access tokens (RFC 9068).
   */
  typ: string | null
  /** The accepted values of `alg` in the header, in addition to the check against the key. */
  algorithms?: readonly string[]
  /** Claims that must be present, with any value. */
  requiredClaims?: readonly string[]
  /** Allowed clock difference for `exp` and `nbf`. Default: 5 seconds; at most 60. */
  clockTolerance?: Duration
  /**
   * The maximum time from `iat` to `exp`; requires both claims. Default: 24 hours for `at+jwt`,
   * else no limit.
   */
  maxLifetime?: Duration
  /** The only accepted `sub`, such as the user who must have requested the token. */
  subject?: string
  /** The only accepted `jti`. */
  jwtid?: string
  /** The maximum time since `iat`, which is then required. Default: no limit. */
  maxTokenAge?: Duration
  /**
   * Whether to refuse a token that is bound to a key (`cnf`, RFC 7800 §3.1), since `verify` does
   * not check that its sender has the key. Default: `'refuse'` for `at+jwt`, else `'ignore'`.
   */
  senderConstrained?: 'refuse' | 'ignore'
  /**
   * Whether `sub` may be a whole number, which RFC 7519 does not allow but older libraries write.
   * `payload.sub` then is that number. Default: false. Not for `at+jwt`.
   */
  numericSubject?: boolean
  /** The time of verification. Default: now. */
  currentDate?: Date
  /** The maximum length of a token in characters. Default: 16,384; at most 1,048,576. */
  maxTokenLength?: number
  /** The maximum of members of the claims, all levels together. Default: 1,024; at most 65,536. */
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
  'subject',
  'jwtid',
  'maxTokenAge',
  'senderConstrained',
  'numericSubject',
  'currentDate',
  'maxTokenLength',
  'maxMembers',
])

const defaultTolerance = 5
const maxTolerance = 60
const mostMembers = 65_536
const accessTokenLifetime = 86_400
const names = 'must be a non-empty string, a list of such strings, a function, or null to accept any'

/**
 * Checks the options of `verify` and returns the checks for the claims.
 *
 * @param caller The name of the public function, for messages.
 * @throws {JwtError} `ERR_JWT_OPTION`
 */
export function readRules(options: VerifyOptions, caller = 'verify'): ClaimRules {
  checkOptions(options, optionNames, caller)
  const { issuer, audience, typ, requiredClaims, clockTolerance, maxLifetime } = options
  if (!isAccepted(issuer)) throw refuseOption(caller, 'issuer', names, issuer)
  if (!isAccepted(audience)) throw refuseOption(caller, 'audience', names, audience)
  if (typ !== null && !isMediaType(typ)) {
    throw refuseOption(caller, 'typ', "must be a media type such as 'at+jwt', or null to accept any", typ)
  }
  if (options.algorithms !== undefined) checkAlgorithms(options.algorithms, caller)
  if (requiredClaims !== undefined && (!Array.isArray(requiredClaims) || !isStringOrStrings(requiredClaims))) {
    throw refuseOption(caller, 'requiredClaims', 'must be a non-empty list of non-empty strings', requiredClaims)
  }
  const tolerance =
    clockTolerance === undefined
      ? defaultTolerance
      : readSeconds(caller, 'clockTolerance', clockTolerance, 0, maxTolerance)
  const accessToken = isAccessTokenType(typ)
  const lifetime =
    maxLifetime === undefined
      ? accessToken
        ? accessTokenLifetime
        : undefined
      : readSeconds(caller, 'maxLifetime', maxLifetime, 1)
  const { senderConstrained = accessToken ? 'refuse' : 'ignore' } = options
  if (senderConstrained !== 'refuse' && senderConstrained !== 'ignore') {
    throw refuseOption(caller, 'senderConstrained', "must be 'refuse' or 'ignore'", senderConstrained)
  }
  const bearer = senderConstrained === 'refuse'
  const { numericSubject = false, subject, jwtid, maxTokenAge } = options
  for (const [name, value] of [
    ['subject', subject],
    ['jwtid', jwtid],
  ] as const) {
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      throw refuseOption(caller, name, 'must be a non-empty string', value)
    }
  }
  if (typeof numericSubject !== 'boolean') {
    throw refuseOption(caller, 'numericSubject', 'must be true or false', numericSubject)
  }
  checkLimit(caller, 'maxTokenLength', options.maxTokenLength, longestTokenLength)
  checkLimit(caller, 'maxMembers', options.maxMembers, mostMembers)
  const now = readCurrentSeconds(options.currentDate, caller)
  return {
    issuer,
    audience,
    subject,
    jwtid,
    requiredClaims,
    maxLifetime: lifetime,
    maxTokenAge: maxTokenAge === undefined ? undefined : readSeconds(caller, 'maxTokenAge', maxTokenAge, 1),
    accessToken,
    bearer,
    numericSubject,
    now,
    tolerance,
  }
}

function isAccepted(value: VerifyOptions['issuer']): boolean {
  return value === null || typeof value === 'function' || isStringOrStrings(value)
}

function checkLimit(caller: string, option: string, value: number | undefined, most: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0 && value <= most)) return
  throw refuseOption(caller, option, `must be a whole number from 1 to ${most}`, value)
}

function checkAlgorithms(names: unknown, caller: string): void {
  const allowed = 'must be a non-empty list of supported algorithms'
  if (!Array.isArray(names) || names.length === 0) throw refuseOption(caller, 'algorithms', allowed, names)
  for (const name of names) {
    if (!algorithms.has(name)) throw refuseOption(caller, 'algorithms', `${allowed} such as 'ES256'`, names)
  }
}
