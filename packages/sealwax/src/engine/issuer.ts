import { AuthError } from '../errors.ts'
import type { Context } from './context.ts'
import { note } from './installation.ts'

const ISSUER = 'issuer'

/** Stores the issuer that the servers of this database have, for `requireSameIssuer`. It may change from one start to the next. */
export function noteIssuer(context: Context): Promise<void> {
  return note(context, ISSUER, context.config.issuer)
}

/**
 * For a command beside the servers. The feed names users by a hash of issuer and subject, so with another issuer the command would end sessions, report
 * success, and no guard would refuse their access tokens. Throws `config_invalid`.
 */
export async function requireSameIssuer({ store, config: { issuer } }: Context): Promise<void> {
  const noted = await store.committed.metadata.get(ISSUER)
  if (noted === undefined || noted === issuer) return
  throw new AuthError(
    'config_invalid',
    `The servers of this database have the issuer ${noted}, this command has ${issuer}; their guards would not notice what it revokes`,
  )
}
