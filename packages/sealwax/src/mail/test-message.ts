import type { Context } from '../core/context.ts'
import { AuthError } from '../errors.ts'
import { isAddress } from './address.ts'
import { composeMail } from './compose.ts'
import { explainFailure } from './smtp-failure.ts'
import { transportOf } from './transport.ts'

/** A test mail that was accepted. */
export interface TestMail {
  /** Its header `Message-ID`, to find it in the log of the mail server. */
  readonly messageId: string
}

/**
 * Sends a test mail at once, without the outbox.
 *
 * @throws {AuthError} `validation_failed`, `config_invalid` when there is neither `smtpUrl` nor
 *   `mail`, `mail_failed` with the reason
 */
export async function sendTestMail(context: Context, to: string): Promise<TestMail> {
  if (!isAddress(to)) throw new AuthError('validation_failed', 'The address of the test mail is not valid')
  const transport = transportOf(context)
  if (transport === undefined) {
    const detail = 'There is no mail server to test: set SEALWAX_SMTP_URL (smtpUrl), or give mail in code'
    throw new AuthError('config_invalid', detail)
  }
  const id = context.randomBytes(16).toString('base64url')
  const outgoing = await composeMail(context, { id, kind: 'mail.test', recipient: to, data: {} })
  if (outgoing === undefined) throw new Error('The test mail is always composed')
  try {
    await transport(outgoing.message)
  } catch (cause) {
    if (cause instanceof AuthError) throw cause
    const { smtpUrl } = context.config
    const detail = smtpUrl === undefined ? 'The function mail rejected' : explainFailure(cause, smtpUrl)
    throw new AuthError('mail_failed', detail, { cause })
  }
  return { messageId: outgoing.message.headers['Message-ID'] as string }
}
