import { isLoopback } from '@sealwax/jwt/internal'
import { type Context, perContext } from '../core/context.ts'
import { AuthError } from '../errors.ts'
import type { SendMail } from './options.ts'
import { sendOver } from './smtp.ts'

/** What decides whether there is mail. */
type MailSettings = Pick<Context, 'mail' | 'config'>

/** Returns how this process sends mails; undefined when neither `mail` nor `smtpUrl` is given. */
export const transportOf: (context: Context) => SendMail | undefined = perContextTransport()

function perContextTransport(): (context: Context) => SendMail | undefined {
  const made = perContext(({ mail, config }) => ({
    send: mail ?? (config.smtpUrl === undefined ? undefined : sendOver(config.smtpUrl)),
  }))
  return (context) => made(context).send
}

/** Whether mails are logged instead of sent: for development, with an issuer on loopback. */
export function isMailLogged({ mail, config }: MailSettings): boolean {
  return mail === undefined && config.smtpUrl === undefined && isLoopback(new URL(config.issuer).hostname)
}

/** Whether mails are sent, or at least logged. */
export function mailAvailable(context: MailSettings): boolean {
  return context.mail !== undefined || context.config.smtpUrl !== undefined || isMailLogged(context)
}

/**
 * Checks that mails can be sent.
 *
 * @param what the option that needs them, as the subject of a sentence: `registration: 'verified'`
 * @throws {AuthError} `config_invalid`
 */
export function requireMail(context: MailSettings, what: string): void {
  if (mailAvailable(context)) return
  throw new AuthError(
    'config_invalid',
    `createAuth: ${what} needs mail: give smtpUrl (SEALWAX_SMTP_URL), or mail in code; only an issuer on loopback can do without`,
  )
}
