import { JwtError, type JwtHeader, type JwtPayload, type Verified } from '@sealwax/jwt'
import type { ReadClaims } from './claims.ts'

/**
 * Who sent a request, according to a verified access token. Deeply frozen. Subject, client, scopes
 * and roles may be in other claims than are named here: see the option `claims` of the guard.
 * `Claims` are those of the application, from a schema in that option.
 */
export interface Auth<Claims = unknown> {
  /** The `sub` claim: the user or client that the token is about. Never empty. */
  readonly subject: string
  /** The `sid` claim: the session that the token belongs to. */
  readonly sessionId?: string
  /**
   * The `client_id` claim (RFC 9068 §2.2); in tokens without it the `azp` claim of OpenID Connect.
   */
  readonly clientId?: string
  /**
   * The values of the `scope` claim (RFC 8693 §4.2), or else of `scp`: a string or a list. Empty
   * without either.
   */
  readonly scopes: readonly string[]
  /** The `roles` claim (RFC 9068 §2.2.3.1); empty unless it is an array of strings. */
  readonly roles: readonly string[]
  /**
   * The `auth_time` claim (RFC 9068 §2.2.1): when the user last authenticated. Each read gives a
   * new `Date`.
   */
  readonly authenticatedAt?: Date
  /** All claims of the token, with what the schema of the guard made of them. */
  readonly payload: JwtPayload & Claims
  /** The protected header of the token. */
  readonly header: JwtHeader
}

/**
 * Reads who a verified token is about, and freezes the result.
 * @param readClaims what `claimsReader` returns
 * @throws {JwtError} `ERR_JWT_CLAIM` or `ERR_JWT_CLAIM_MISSING` without a subject, or if `sid` is
 * not a string: a session without an id cannot be revoked
 */
export function authOf({ payload, header }: Verified, readClaims: (payload: JwtPayload) => ReadClaims): Auth {
  const { sid, auth_time: authTime } = payload
  if (sid !== undefined && (typeof sid !== 'string' || sid === '')) {
    throw new JwtError('ERR_JWT_CLAIM', 'sid is not a string', { claim: 'sid' })
  }
  const { payload: claims, subject, clientId, scopes, roles } = readClaims(payload)
  const auth = {
    subject,
    ...(typeof sid === 'string' && { sessionId: sid }),
    ...(clientId !== undefined && { clientId }),
    scopes,
    roles,
    payload: claims,
    header,
  }
  if (typeof authTime === 'number') {
    // A Date cannot be frozen, so each read creates a new one.
    Object.defineProperty(auth, 'authenticatedAt', { enumerable: true, get: () => new Date(authTime * 1000) })
  }
  return deepFreeze(auth)
}

/** Recursion is safe: `verify` limits the depth of the claims. */
function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) if (typeof member === 'object' && member !== null) deepFreeze(member)
  return Object.freeze(value)
}
