import type { Context } from '../core/context.ts'
import type { AuditEvent } from '../core/events.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import type { Unit } from '../core/unit-of-work.ts'
import { enqueueMail } from '../mail/outbox.ts'
import { isMailLogged } from '../mail/transport.ts'
import type { UserRow } from './contract.ts'

/** What a notice is about. */
interface Notice {
  readonly kind: 'new-device' | 'session-forked' | 'password-changed'
  readonly user: Pick<UserRow, 'id' | 'email'>
  /** The session that the link ends. Without it, the link ends all sessions. */
  readonly sessionId?: string | undefined
}

/**
 * Sends a user the mail "this was not me", unless the option `securityMails` is off or there is no
 * mail server.
 */
export async function notify(
  context: Context,
  unit: Unit,
  { kind, user, sessionId }: Notice,
  origin: RequestOrigin,
): Promise<void> {
  // In development, without a mail server, they would only fill the log.
  if (!context.config.securityMails || isMailLogged(context)) return
  const { ip, userAgent } = origin
  const data = { subject: user.id, sessionId, time: context.now(), ip, device: userAgent }
  await enqueueMail(context, unit, { kind, recipient: user.email, subject: user.id, data, origin })
}

/** Tells a user that a session is used from another network. */
export async function notifyOfFork(context: Context, unit: Unit, event: AuditEvent): Promise<void> {
  const user = event.subject === undefined ? undefined : await unit.users.byId(event.subject)
  if (user === undefined) return
  const { sessionId, ip, userAgent } = event
  await notify(context, unit, { kind: 'session-forked', user, sessionId }, { ip, userAgent })
}
