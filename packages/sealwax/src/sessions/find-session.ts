import type { Context } from '../core/context.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import type { SessionWithUser } from './contract.ts'
import { decide, type Presenter } from './refresh-decision.ts'
import { sessionKeyPlace } from './rules.ts'
import { isGenuine, parseRefreshToken, sessionKey } from './tokens.ts'

/**
 * Returns the session of a genuine refresh token, live or not, or undefined. `spent` means that a
 * refresh with it would be a replay: the caller may be anyone who found the token.
 */
export async function findSessionByToken(
  context: Context,
  token: string,
  origin: RequestOrigin = {},
): Promise<(SessionWithUser & { readonly spent: boolean }) | undefined> {
  const found = await genuineSession(context, token)
  return found && { ...found.session, spent: isSpent(context, found, origin) }
}

/** The session and the generation of a genuine refresh token. */
export interface FoundSession {
  /** The session, live or not. */
  readonly session: SessionWithUser
  /** The generation of the token. */
  readonly generation: number
}

/** Returns undefined for a token that was not created with the key of a session. */
export async function genuineSession(context: Context, token: string): Promise<FoundSession | undefined> {
  const presented = parseRefreshToken(token)
  if (presented === undefined) return undefined
  const session = await context.store.committed.sessions.byId(presented.sessionId)
  if (session === undefined) return undefined
  const hmacKey = sessionKey(context.secrets.unwrap(session.hmac_key, sessionKeyPlace(session.id)))
  return isGenuine(presented, hmacKey) ? { session, generation: presented.generation } : undefined
}

/** Whether a refresh by this client would be a replay. Writes nothing. */
export function isSpent(context: Context, { session, generation }: FoundSession, presenter: Presenter): boolean {
  return decide(session, generation, presenter, context.now(), context.config).verdict === 'replay_detected'
}
