import type { Context } from '../core/context.ts'
import { requireKnownTexts } from './mail-texts.ts'
import { loadNodemailer } from './smtp.ts'

/**
 * Checks the options of mails when a server starts.
 *
 * @throws {AuthError} `config_invalid`
 */
export async function checkMailConfig(context: Context): Promise<void> {
  requireKnownTexts(context)
  if (context.config.smtpUrl !== undefined) await loadNodemailer()
}
