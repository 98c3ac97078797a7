import { domainToASCII } from 'node:url'
import type { Context } from '../core/context.ts'
import { Conflict, type Unit } from '../core/unit-of-work.ts'
import { AuthError } from '../errors.ts'
import { mailAvailable } from '../mail/transport.ts'

/**
 * Returns the normalised form of an address: lower case, with the domain in punycode, without
 * surrounding spaces, which keyboards and spreadsheets add. The local part is ASCII only:
 * look-alike letters could give one mailbox two accounts, or two mailboxes one.
 *
 * @throws {AuthError} `email_invalid`
 */
export function normaliseEmail(given: string): string {
  const email = given.replace(/^[\p{Zs}\t]+/u, '').replace(/(?<![\p{Zs}\t])[\p{Zs}\t]+$/u, '')
  const at = email.lastIndexOf('@')
  const local = email.slice(0, at)
  const written = email.slice(at + 1)
  const domain = domainToASCII(written.toLowerCase())
  const valid =
    at > 0 &&
    // domainToASCII parses like a browser: it drops line breaks, stops at a slash, reads 0x7f.1 as
    // an IP.
    /^[A-Za-z0-9.\u0080-\u{10ffff}-]+$/u.test(written) &&
    !/(^|\.)\d+$/.test(domain) &&
    email.length <= 254 &&
    /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/.test(local) &&
    local.length <= 64 &&
    /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(domain)
  if (!valid) throw new AuthError('email_invalid', 'This is not an e-mail address')
  return `${local.toLowerCase()}@${domain}`
}

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
