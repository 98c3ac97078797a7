import type { JwtPayload } from './claims.ts'
import { decodeBody, findDots, longestTokenLength, parseHeader, parseStrictJson } from './compact.ts'
import type { JwtHeader } from './header.ts'

/** What a token says of itself; anybody can have written it. */
export interface Unverified {
  payload: JwtPayload
  header: JwtHeader
}

/**
 * Reads a token without verifying it, with the same strict parser as {@link verify}. For showing a token to a person.
 *
 * **Never authorise by it**, and do not pick an issuer's keys by it either: anybody can write such a token.
 *
 * The limits of `verify` on length and members do not hold here: at most a mebibyte.
 *
 * @throws {JwtError} `ERR_JWT_MALFORMED`.
 */
export function unsafeDecode(
  token: string,
  { maxMembers = longestTokenLength }: { maxMembers?: number } = {},
): Unverified {
  const dots = findDots(token, longestTokenLength)
  const header = parseHeader(token, dots)
  const { payload } = decodeBody(token, dots)
  return { header: header as JwtHeader, payload: parseStrictJson(payload, maxMembers) as JwtPayload }
}
