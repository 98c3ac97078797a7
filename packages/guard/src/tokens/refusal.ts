import {
  JwtError,
  type JwtErrorCode,
  type JwtHeader,
  type JwtPayload,
  unsafeDecode,
  type VerificationKeys,
} from '@sealwax/jwt'
import { spellDuration } from '@sealwax/jwt/internal'
import { GuardError, type GuardErrorCode } from '../errors.ts'
import { type OtherKind, otherKindOf, type TokenKind } from '../token-kind.ts'
import type { Trust } from '../trust.ts'
import { type Mismatch, mismatchOf } from './mismatch.ts'

/** Codes that are not about the token: errors in the program, and keys that are not available. */
type OtherError = 'ERR_JWT_OPTION' | 'ERR_JWT_KEY' | 'ERR_JWT_KEY_SET' | 'ERR_JWT_KEYS_UNAVAILABLE'

interface Row {
  readonly code: GuardErrorCode
  /**
   * Whether `verify` throws this only if the signature is valid, so that the content of the token
   * can be trusted.
   */
  readonly signed: boolean
}

const TABLE: Readonly<Record<Exclude<JwtErrorCode, OtherError>, Row>> = {
  ERR_JWT_MALFORMED: { code: 'token_malformed', signed: false },
  ERR_JWT_HEADER: { code: 'token_malformed', signed: false },
  ERR_JWT_ALGORITHM: { code: 'token_algorithm_not_allowed', signed: false },
  ERR_JWT_KEY_UNKNOWN: { code: 'token_key_unknown', signed: false },
  ERR_JWT_SIGNATURE: { code: 'token_signature_invalid', signed: false },
  ERR_JWT_TYPE: { code: 'token_type_invalid', signed: true },
  ERR_JWT_EXPIRED: { code: 'token_expired', signed: true },
  ERR_JWT_NOT_YET_VALID: { code: 'token_not_yet_valid', signed: true },
  ERR_JWT_ISSUER: { code: 'token_issuer_invalid', signed: true },
  ERR_JWT_AUDIENCE: { code: 'token_audience_invalid', signed: true },
  ERR_JWT_CLAIM_MISSING: { code: 'token_claim_missing', signed: true },
  ERR_JWT_CLAIM: { code: 'token_claim_invalid', signed: true },
  ERR_JWT_PROOF_REQUIRED: { code: 'token_proof_required', signed: true },
}

/**
 * Returns the refusal for a token that `verify` did not accept.
 * @param now milliseconds since 1970
 * @param keys the keys that it was checked with; empty if there were none
 * @returns `undefined` if the error is not about the token
 */
export function tokenRefusal(
  error: JwtError,
  token: string,
  now: number,
  { challenge, expected, kind: accepted }: Pick<Trust, 'challenge' | 'expected' | 'kind'>,
  keys: VerificationKeys,
): GuardError | undefined {
  if (isNotAboutToken(error.code)) return undefined
  const { code, signed } = TABLE[error.code]
  // A malformed token is not decoded again.
  const isWorthIt = error.code !== 'ERR_JWT_MALFORMED' && (signed || token.length <= LONGEST_UNSIGNED)
  const content = isWorthIt ? decode(token) : NOTHING
  const { header, payload } = content
  const kind = code === 'token_type_invalid' || isAboutKind(error) ? otherKindOf(payload, header) : undefined
  const mismatch =
    kind === undefined ? mismatchOf(error.code, content, { ...expected, keys }) : mismatchOfKind(kind, accepted)
  return new GuardError(kind === undefined ? code : 'token_type_invalid', {
    ...challenge,
    detail: kind === undefined ? detailOf(error, signed ? payload : {}, now / 1000) : detailOfKind(kind, accepted),
    cause: mismatch === undefined ? error : explained(error, mismatch),
    expected: mismatch?.expected,
    received: mismatch?.received,
    kid: isPrintable(header.kid) ? header.kid : undefined,
    sessionId: signed && isPrintable(payload.sid) ? payload.sid : undefined,
  })
}

/** `verify` itself checks the most common of these claims. */
function isAboutKind({ code, claim }: JwtError): boolean {
  return code === 'ERR_JWT_CLAIM' && (claim === 'token_use' || claim === 'token_type')
}

function mismatchOfKind({ kind, claim }: OtherKind, accepted: TokenKind): Mismatch {
  const sentence = `expected an ${accepted}, received one that "${claim}" calls ${withArticle(kind)}`
  return { expected: accepted, received: kind, sentence }
}

function detailOfKind({ kind }: OtherKind, accepted: TokenKind): string {
  return `The token is ${withArticle(kind)}. Send the ${accepted}.`
}

function withArticle(kind: OtherKind['kind']): string {
  return kind === 'ID token' ? `an ${kind}` : `a ${kind}`
}

/** Adds the mismatch as the cause: the message of `verify` contains nothing from the token. */
function explained({ code, message, claim }: JwtError, { sentence }: Mismatch): JwtError {
  return new JwtError(code, message, { ...(claim && { claim }), cause: new Error(sentence) })
}

/** Whether a code is about the keys or options of the program, not about the token. */
export function isNotAboutToken(code: JwtErrorCode): code is OtherError {
  return !Object.hasOwn(TABLE, code)
}

/**
 * In characters. Longer tokens without a valid signature are not decoded for the log, since anyone
 * can send them.
 */
const LONGEST_UNSIGNED = 4096

const NOTHING: { readonly header: Partial<JwtHeader>; readonly payload: JwtPayload } = { header: {}, payload: {} }

/**
 * Decodes a refused token: its `kid` helps to find the sender, its `exp` shows how long ago it
 * expired.
 */
function decode(token: string): { header: Partial<JwtHeader>; payload: JwtPayload } {
  try {
    return unsafeDecode(token)
  } catch {
    return { header: {}, payload: {} }
  }
}

/** `undefined`: the default sentence of the code is used. */
function detailOf({ code, claim }: JwtError, { exp, nbf }: JwtPayload, now: number): string | undefined {
  if (code === 'ERR_JWT_EXPIRED' && typeof exp === 'number')
    return `The access token expired ${spellDuration(now - exp)} ago.`
  if (code === 'ERR_JWT_NOT_YET_VALID' && typeof nbf === 'number' && nbf > now) {
    return `The access token becomes valid in ${spellDuration(nbf - now)}.`
  }
  if (code === 'ERR_JWT_CLAIM_MISSING' && claim !== undefined) return `The access token lacks the claim "${claim}".`
  if (code === 'ERR_JWT_CLAIM' && claim !== undefined)
    return `The claim "${claim}" of the access token is not acceptable.`
  return undefined
}

/** Strings of an unverified token are logged only if they cannot forge a line of the log. */
function isPrintable(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,256}$/.test(value)
}
