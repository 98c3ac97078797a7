import type { Context } from '../core/context.ts'
import { requireMail } from '../mail/transport.ts'

/**
 * Checks the options of accounts when a server starts.
 *
 * @throws {AuthError} `config_invalid`
 */
export function checkAccountConfig(context: Context): void {
  const { registration } = context.config
  if (registration === 'verified' || registration === 'invited') requireMail(context, `registration: '${registration}'`)
}
