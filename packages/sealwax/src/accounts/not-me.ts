import { audit } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit } from '../core/unit-of-work.ts'
import { revokeSessions } from '../revocations/rules.ts'
import { endAllSessions } from '../sessions/end.ts'
import { findToken, invalidToken, takeToken, voidPending } from './one-time-tokens.ts'
import { enqueueReset } from './password-reset.ts'

/**
 * Ends the session of a notice, or all sessions of the user, removes the password, and sends the
 * mail for a new one.
 *
 * @throws {AuthError} `one_time_token_invalid`
 */
export async function reportNotMe(
  context: Context,
  { token, all }: { readonly token: string; readonly all: boolean },
  origin: RequestOrigin = {},
): Promise<void> {
  const found = await findToken(context, { token }, ['not-me'], origin)
  const { subject, sessionId } = found.data as { subject: string; sessionId?: string }
  await commit(context, async (unit) => {
    const now = context.now()
    const user = await unit.users.lock(subject)
    await takeToken(context, unit, found)
    if (user === undefined) throw invalidToken()
    if (all || sessionId === undefined) await endAllSessions(context, unit, subject, { reason: 'reported', origin })
    else {
      const ended = await unit.sessions.end(sessionId, now, 'reported')
      if (ended !== undefined) await revokeSessions(context, unit, [ended])
    }
    // Whoever logged in knows the password.
    await unit.users.change(subject, { password_hash: null, updated_at: now })
    await voidPending(unit, subject)
    await audit(unit, { type: 'user.reported_not_me', time: now, subject, sessionId, ...origin })
    await enqueueReset(context, unit, user.email, { unlimited: true, origin })
  })
}
