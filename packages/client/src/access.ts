import { unreadable } from './errors.ts'
import type { Session, TokenResponse } from './types.ts'

/** An access token in memory. Times are milliseconds on the monotonic clock. */
export interface Access {
  readonly token: string
  readonly session: Session
  /** From then on it is refreshed while it is still used. */
  readonly refreshAt: number
  readonly expiresAt: number
}

/** The share of its life after which a token is refreshed, at random, so that tabs do not do it together. */
const [EARLIEST, LATEST] = [0.75, 0.9]

/**
 * Reads a token response.
 *
 * @param sentAt when the request was sent: the life of the token did not begin before
 * @throws {ClientError} `unreadable_reply`
 */
export function readAccess(body: TokenResponse, sentAt: number): Access {
  try {
    const life = body.expires_in * 1000
    const { sub, roles = [] } = payloadOf(body.access_token)
    return {
      token: body.access_token,
      session: { id: body.session.id, userId: sub, roles, expiresAt: body.session.expires_at },
      refreshAt: sentAt + life * (EARLIEST + Math.random() * (LATEST - EARLIEST)),
      expiresAt: sentAt + life,
    }
  } catch (cause) {
    throw unreadable(200, cause)
  }
}

/** Only to show who is logged in. The server verifies the token, the client does not. */
function payloadOf(token: string): { sub: string; roles?: readonly string[] } {
  const text = atob((token.split('.')[1] as string).replaceAll('-', '+').replaceAll('_', '/'))
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (octet) => octet.charCodeAt(0))))
}
