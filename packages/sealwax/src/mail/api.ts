import { checkedCalls } from '../core/calls.ts'
import type { Context } from '../core/context.ts'
import { sendTestMail, type TestMail } from './test-message.ts'

/** `auth.mail`: the mails of this server. */
export interface MailApi {
  /**
   * Sends a test mail at once, to check the settings.
   *
   * @throws {AuthError} `mail_failed` with the reason, `config_invalid`, `validation_failed`
   */
  test(to: string): Promise<TestMail>
}

/** Creates `auth.mail`. */
export function mailApi(context: Context): { readonly mail: MailApi } {
  return { mail: checkedCalls<MailApi>('mail', { test: (to) => sendTestMail(context, to) }, { test: ['to'] }) }
}
