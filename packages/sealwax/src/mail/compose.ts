import type { Context } from '../core/context.ts'
import { isAddress, spellMailbox } from './address.ts'
import { type ComposedMail, mailKinds } from './kinds.ts'
import { findText } from './mail-texts.ts'
import type { MailMessage } from './options.ts'
import { render } from './template.ts'

/** A mail that is about to be sent. */
export interface Outgoing {
  readonly message: MailMessage
  readonly values: ComposedMail['values']
}

/** An error after which no further attempt is made. */
export class PermanentMailError extends Error {
  override readonly name = 'PermanentMailError'
  readonly permanent = true
  /** For the audit log. */
  readonly reason: string
  constructor(reason: string) {
    super(`The mail cannot be sent: ${reason}`)
    this.reason = reason
  }
}

/**
 * Composes a mail. Returns undefined when there is nothing to send any more.
 *
 * @throws {PermanentMailError} `invalid_address`
 */
export async function composeMail(
  context: Context,
  mail: { id: string; kind: string; recipient: string; data: Readonly<Record<string, unknown>> },
): Promise<Outgoing | undefined> {
  const kind = mailKinds(context).get(mail.kind)
  // While servers are being replaced, an older one may not know it: a newer one will send it.
  if (kind === undefined) throw new Error(`This version has no kind of mail named ${mail.kind}`)
  if (!isAddress(mail.recipient)) throw new PermanentMailError('invalid_address')
  const composed = await kind.compose(context, mail.data, mail.recipient)
  if (composed === undefined) return undefined
  return { message: toMessage(context, mail, composed), values: composed.values }
}

function toMessage(
  context: Context,
  { id, kind }: { id: string; kind: string },
  { to, language, values }: ComposedMail,
): MailMessage {
  if (!isAddress(to)) throw new PermanentMailError('invalid_address')
  const { config } = context
  const found = findText(context, kind, language)
  if (found === undefined) throw new Error(`There is no text for mails of the kind ${kind}`)
  const host = config.mailFrom.address.slice(config.mailFrom.address.lastIndexOf('@') + 1)
  return {
    to,
    from: spellMailbox(config.mailFrom),
    ...render(found.text, found.language, values, config.appName),
    headers: {
      // The same for each attempt, so that a mail program can recognise a repeated one.
      'Message-ID': `<${id}@${host}>`,
      // RFC 3834: no out-of-office replies.
      'Auto-Submitted': 'auto-generated',
      'Content-Language': found.language,
    },
  }
}
