import { algorithms } from './algorithms.ts'
import type { JwtPayload } from './claims.ts'
import {
  checkAccessToken,
  checkAudience,
  checkBearer,
  checkIssuer,
  checkLifetime,
  checkTimes,
  checkTypes,
  checkValue,
  requireClaim,
} from './claims.ts'
import type { JsonObject } from './compact.ts'
import { decodeBody, findDots, parseHeader, parseStrictJson } from './compact.ts'
import type { JwtErrorCode } from './errors.ts'
import { JwtError } from './errors.ts'
import type { JwtHeader } from './header.ts'
import { checkParameters, readAlgorithm, refusedParameters, wrongAlgorithm } from './header.ts'
import { isAccessTokenType, sameMediaType } from './media-type.ts'
import { refuseOption } from './options.ts'
import { spellDuration } from './spell.ts'
import type { VerifyOptions } from './verify-options.ts'
import { readRules } from './verify-options.ts'

// No node:crypto, no Buffer: this runs in a browser.

/** Options of {@link inspect}: those of `verify`, all optional. Absent or `null`: not checked. */
export interface InspectOptions extends Partial<VerifyOptions> {
  /** The trusted keys, as JWKs or key objects. Only `kid` and `alg` are read. */
  keys?: readonly { readonly kid: string; readonly alg: string }[]
}

/** One reason why `verify` would refuse the token. */
export interface Finding {
  /** The code of the error that `verify` would throw. */
  code: JwtErrorCode
  /** One English sentence. Contains no part of the token except the algorithm. */
  message: string
  /** The claim at fault, if there is one. */
  claim?: string
}

/** A claim that is a point in time: `iat`, `auth_time`, `nbf` or `exp`. */
export interface InspectedTime {
  /** The name of the claim. */
  claim: string
  /** The value of the claim. */
  date: Date
  /** Relative to now, in words: `expired 37 seconds ago`. */
  text: string
}

/**
 * The result of {@link inspect}. Header and payload are unverified: anyone can have written them.
 */
export interface Inspection {
  /** Absent if it cannot be parsed. */
  header?: JwtHeader
  /** Absent if it cannot be parsed. */
  payload?: JwtPayload
  /** The claims that are points in time, in the order `iat`, `auth_time`, `nbf`, `exp`. */
  times: InspectedTime[]
  /**
   * In the order of `verify`, which throws the first. An empty list does not mean that the token is
   * valid.
   */
  findings: Finding[]
  /** A sentence to show with the result: the signature was not checked. */
  notice: string
}

/**
 * Explains a token for debugging: its contents, and every reason why `verify` would refuse it that
 * does not need the key. Runs in a browser.
 *
 * **The signature is not checked.** Never authorize a request with the result.
 *
 * The checks are those of `verify`, but they continue after a fault. A token whose own `typ` is
 * `at+jwt` is checked as an access token (RFC 9068) even without the option `typ`.
 *
 * @param token The token. Any value is allowed; none causes an error.
 * @param options What to check the token against.
 * @returns The contents and the findings.
 * @throws {JwtError} `ERR_JWT_OPTION`
 */
export function inspect(token: unknown, options: InspectOptions = {}): Inspection {
  if (typeof options !== 'object' || options === null) {
    throw refuseOption('inspect', 'options', 'must be an object', options)
  }
  const { keys, ...given } = options
  if ('keys' in options) checkKeyNames(keys)
  const rules = readRules({ issuer: null, audience: null, typ: null, ...given }, 'inspect')
  const findings: Finding[] = []
  const attempt = <T>(check: () => T): T | undefined => collect(findings, check)

  const result: Inspection = { times: [], findings, notice }
  const dots = attempt(() => findDots(token, given.maxTokenLength))
  if (dots === undefined) return result
  const header = attempt(() => parseHeader(token as string, dots)) as JwtHeader | undefined
  if (header !== undefined) {
    result.header = header
    inspectHeader(header, keys, given.algorithms, attempt)
  }
  const payload = attempt(() => readPayload(token as string, dots, header?.alg, findings, given.maxMembers)) as
    | JwtPayload
    | undefined
  const { typ = null } = given
  if (header !== undefined && typ !== null && !sameMediaType(header.typ, typ)) {
    findings.push({ code: 'ERR_JWT_TYPE', message: 'The token has another type (typ).' })
  }
  if (payload === undefined) return result
  result.payload = payload
  const own = typ === null && typeof header?.typ === 'string' && isAccessTokenType(header.typ)
  const { maxLifetime = own ? accessTokenLifetime : undefined } = rules
  inspectClaims(
    payload,
    { ...rules, accessToken: rules.accessToken || own, bearer: rules.bearer || own, maxLifetime },
    attempt,
  )
  result.times = readTimes(payload, rules.now)
  return result
}

const notice = 'The signature was not checked: anyone can have written this token.'

type Attempt = <T>(check: () => T) => T | undefined

function collect<T>(findings: Finding[], check: () => T): T | undefined {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof JwtError)) throw error
    const { code, claim } = error
    const message = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`
    findings.push(claim === undefined ? { code, message } : { code, message, claim })
    return undefined
  }
}

function inspectHeader(
  header: JsonObject,
  keys: InspectOptions['keys'],
  allowed: readonly string[] | undefined,
  attempt: Attempt,
): void {
  for (const name of [...refusedParameters, 'kid', 'typ']) {
    if (Object.hasOwn(header, name)) attempt(() => checkParameters({ [name]: header[name] }))
  }
  const alg = attempt(() => readAlgorithm(header))
  if (alg !== undefined && allowed !== undefined && !allowed.includes(alg)) {
    attempt(() => {
      throw wrongAlgorithm('the algorithm (alg) is not an allowed one')
    })
  }
  if (keys === undefined) return
  const named = header.kid === undefined ? keys : keys.filter(({ kid }) => kid === header.kid)
  const key =
    header.kid === undefined && keys.length > 1 ? undefined : (named.find((one) => one.alg === alg) ?? named[0])
  attempt(() => {
    if (key === undefined) throw new JwtError('ERR_JWT_KEY_UNKNOWN', 'no trusted key has the kid of the token')
    if (alg !== undefined && algorithms.get(key.alg)?.scheme !== algorithms.get(alg)?.scheme) {
      throw wrongAlgorithm('the algorithm (alg) is not the algorithm of the key')
    }
  })
}

function readPayload(
  token: string,
  dots: { first: number; second: number },
  alg: unknown,
  findings: Finding[],
  maxMembers: number | undefined,
): JsonObject {
  const { payload, signature } = decodeBody(token, dots)
  const length = algorithms.get(alg)?.signatureLength
  if (signature.length === 0 || (length !== undefined && signature.length !== length)) {
    const message =
      signature.length === 0
        ? 'The token has no signature.'
        : `An ${alg} signature has ${length} octets, not ${signature.length}.`
    findings.push({ code: 'ERR_JWT_SIGNATURE', message })
  }
  return parseStrictJson(payload, maxMembers)
}

const accessTokenLifetime = 86_400
const registeredClaims = ['iss', 'sub', 'jti', 'aud', 'exp', 'nbf', 'iat']
const profileClaims = ['sub', 'jti', 'client_id', 'scope', 'token_use', 'token_type']

/** The steps of `checkClaims` for each claim. A claim of the wrong type is not checked further. */
function inspectClaims(payload: JwtPayload, rules: ReturnType<typeof readRules>, attempt: Attempt): void {
  const { issuer, audience, subject, jwtid, maxLifetime } = rules
  const sound = { ...payload }
  const missing = new Set<string>()
  const only = (claim: string): JwtPayload => (Object.hasOwn(sound, claim) ? { [claim]: sound[claim] } : {})
  const passes = (check: () => void): boolean => {
    const done = attempt(() => {
      check()
      return true
    })
    return done === true
  }
  for (const claim of registeredClaims) {
    if (!passes(() => checkTypes(only(claim)))) {
      missing.add(claim)
      delete sound[claim]
    }
  }
  const must = (claim: string): boolean => {
    if (!missing.has(claim) && !passes(() => requireClaim(sound, claim))) missing.add(claim)
    return !missing.has(claim)
  }
  for (const claim of rules.requiredClaims ?? []) must(claim)
  if (issuer !== null && must('iss')) attempt(() => checkIssuer(sound, issuer))
  if (audience !== null && must('aud')) attempt(() => checkAudience(sound, audience))
  if (subject !== undefined && must('sub')) attempt(() => checkValue(sound, 'sub', subject))
  if (jwtid !== undefined && must('jti')) attempt(() => checkValue(sound, 'jti', jwtid))
  if (rules.accessToken) for (const claim of profileClaims) attempt(() => checkAccessToken(only(claim)))
  if (rules.bearer) attempt(() => checkBearer(sound))
  if (maxLifetime !== undefined) {
    const bounded = must('exp')
    if (must('iat') && bounded) attempt(() => checkLifetime(sound, maxLifetime))
  }
  if (rules.maxTokenAge !== undefined) must('iat')
  for (const claim of ['nbf', 'iat', 'exp']) attempt(() => checkTimes(only(claim), rules))
}

const timeClaims: readonly [claim: string, past: string, future: string][] = [
  ['iat', 'issued', 'will be issued'],
  ['auth_time', 'logged in', 'will be logged in'],
  ['nbf', 'became valid', 'becomes valid'],
  ['exp', 'expired', 'expires'],
]

function readTimes(payload: JwtPayload, now: number): InspectedTime[] {
  const times: InspectedTime[] = []
  for (const [claim, past, future] of timeClaims) {
    const seconds = Object.hasOwn(payload, claim) ? payload[claim] : undefined
    if (typeof seconds !== 'number') continue
    const date = new Date(seconds * 1000)
    if (Number.isNaN(date.getTime())) continue // outside the range of Date
    const span = spellDuration(Math.abs(seconds - now))
    times.push({ claim, date, text: seconds > now ? `${future} in ${span}` : `${past} ${span} ago` })
  }
  return times
}

function checkKeyNames(keys: unknown): void {
  const named = (key: unknown) => {
    const { kid, alg } = (key ?? {}) as Record<string, unknown>
    return typeof kid === 'string' && algorithms.has(alg)
  }
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(named)) {
    throw refuseOption('inspect', 'keys', 'must be a non-empty list of keys with kid and a supported alg', keys)
  }
}
