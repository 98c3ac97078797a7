import { JwtError, type JwtHeader, type JwtPayload, type Verified } from '@sealwax/jwt'

/** Who sent a request, according to a verified access token. Deeply frozen. */
export interface Auth {
  /** The `sub` claim: the user or client that the token is about. Never empty. */
  readonly subject: string
  /** The `sid` claim: the session that the token belongs to. */
  readonly sessionId?: string
  /**
   * The `client_id` claim (RFC 9068 §2.2); in tokens without it the `azp` claim of OpenID Connect.
   */
  readonly clientId?: string
  /** The values of the `scope` claim (RFC 8693 §4.2); empty without one. */
  readonly scopes: readonly string[]
  /** The `roles` claim (RFC 9068 §2.2.3.1); empty unless it is an array of strings. */
  readonly roles: readonly string[]
  /**
   * The `auth_time` claim (RFC 9068 §2.2.1): when the user last authenticated. Each read gives a
   * new `Date`.
   */
  readonly authenticatedAt?: Date
  /** All claims of the token. */
  readonly payload: JwtPayload
  /** The protected header of the token. */
  readonly header: JwtHeader
}

/**
 * Reads who a verified token is about, and freezes the result.
 * @throws {JwtError} `ERR_JWT_CLAIM` if `sub` is empty or `sid` is not a string: a session without
 * an id cannot be revoked
 */
export function authOf({ payload, header }: Verified): Auth {
  const { sub, sid, client_id, azp, scope, roles, auth_time: authTime } = payload
  if (typeof sub !== 'string' || sub === '') throw new JwtError('ERR_JWT_CLAIM', 'sub is empty', { claim: 'sub' })
  if (sid !== undefined && (typeof sid !== 'string' || sid === '')) {
    throw new JwtError('ERR_JWT_CLAIM', 'sid is not a string', { claim: 'sid' })
  }
  const clientId = client_id ?? azp
  const auth = {
    subject: sub,
    ...(typeof sid === 'string' && { sessionId: sid }),
    ...(typeof clientId === 'string' && { clientId }),
    scopes: typeof scope === 'string' ? scope.split(' ').filter((value) => value !== '') : [],
    roles: isListOfStrings(roles) ? [...roles] : [],
    payload,
    header,
  }
  if (typeof authTime === 'number') {
    // A Date cannot be frozen, so each read creates a new one.
    Object.defineProperty(auth, 'authenticatedAt', { enumerable: true, get: () => new Date(authTime * 1000) })
  }
  return deepFreeze(auth)
}

function isListOfStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((member) => typeof member === 'string')
}

/** Recursion is safe: `verify` limits the depth of the claims. */
function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) if (typeof member === 'object' && member !== null) deepFreeze(member)
  return Object.freeze(value)
}
