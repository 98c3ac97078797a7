import type { JwtPayload } from './claims.ts'
import { decodeBody, findDots, longestTokenLength, parseHeader, parseStrictJson } from './compact.ts'
import type { JwtHeader } from './header.ts'

/** The contents of an unverified token: anyone can have written them. */
export interface Unverified {
  /** The claims. */
  payload: JwtPayload
  /** The header. */
  header: JwtHeader
}

/**
 * Parses a token without verifying it, with the same strict parser as {@link verify}. For debugging
 * and logs.
 *
 * **Never authorize a request with the result**, and do not select an issuer's keys by it: anyone
 * can write such a token.
 *
 * @param token The token: at most 1,048,576 characters, independent of the limit of `verify`.
 * @param options `maxMembers` limits the members of the claims. Default: no limit.
 * @returns The unverified header and claims.
 * @throws {JwtError} `ERR_JWT_MALFORMED`
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
