import { unreadable } from './errors.ts'
import { between } from './pauses.ts'
import type { Session, TokenResponse } from './types.ts'

/** An access token in memory. Times are milliseconds on the monotonic clock. */
export interface Access {
  readonly token: string
  readonly session: Session
  /** From then on it is refreshed while it is still used. */
  readonly refreshAt: number
  readonly expiresAt: number
}

/**
 * Reads a token response. The token is refreshed at a random time before it expires, so that many
 * tabs do not do it together.
 *
 * @param sentAt when the request was sent: the life of the token did not begin before
 * @throws {ClientError} `unreadable_reply`
 */
export function readAccess(body: TokenResponse, sentAt: number): Access {
  try {
    const life = body.expires_in * 1000
    // A token that does not live is not read, and a missing life is not a number.
    const { sub, roles = [] } = payloadOf((life > 0 && body.access_token) as string)
    return {
      token: body.access_token,
      session: { id: body.session.id, userId: sub, roles, expiresAt: body.session.expires_at },
      refreshAt: sentAt + life * between(0.75, 0.9),
      expiresAt: sentAt + life,
    }
  } catch (cause) {
    throw unreadable({ status: 200, cause })
  }
}

/** Only to show who is logged in. The server verifies the token, the client does not. */
function payloadOf(token: string): { sub: string; roles?: readonly string[] } {
  const octets = atob((token.split('.')[1] as string).replace(/-/g, '+').replace(/_/g, '/'))
  // Decodes UTF-8. Not TextDecoder, which React Native does not have.
  return JSON.parse(decodeURIComponent(escape(octets)))
}
