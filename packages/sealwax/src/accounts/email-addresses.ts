import type { Context } from '../core/context.ts'
import { Conflict, type Unit } from '../core/unit-of-work.ts'
import { AuthError } from '../errors.ts'
import { mailAvailable } from '../mail/transport.ts'

/**
 * Refuses what needs mail on a server without it.
 *
 * @throws {AuthError} `mail_unavailable`
 */
export function needMail(context: Context): void {
  if (mailAvailable(context)) return
  throw new AuthError('mail_unavailable', 'This server sends no mail: set SEALWAX_SMTP_URL, or mail in code')
}

/**
 * Whether another user has an address, or may still return to it.
 *
 * @param subject the user who asks for it
 */
export async function isTaken(context: Context, unit: Unit, email: string, subject: string): Promise<boolean> {
  const user = await unit.users.byEmail(email)
  // Read in every case, so that the time does not tell.
  const reserved = await unit.oneTimeTokens.byEmail(email, ['undo-email-change'], context.now())
  return user === undefined ? reserved.some(({ data }) => data.subject !== subject) : user.id !== subject
}

/** The error for an address of another user. */
export function addressTaken(): AuthError {
  return new AuthError('email_taken', 'This e-mail address is taken')
}

/**
 * Runs a write, and converts its conflict.
 *
 * @throws {AuthError} `email_taken`, `id_taken`
 */
export async function orTaken<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
    if (error.field === 'email') throw addressTaken()
    throw new AuthError('id_taken', 'This user id is taken')
  }
}
