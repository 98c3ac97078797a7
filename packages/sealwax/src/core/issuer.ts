import { AuthError } from '../errors.ts'
import type { Context } from './context.ts'
import { note } from './installation.ts'

const ISSUER = 'issuer'

/** Stores the issuer of the servers of this database, for `requireSameIssuer`. */
export function noteIssuer(context: Context): Promise<void> {
  return note(context, ISSUER, context.config.issuer)
}

/**
 * Checks that a command has the same issuer as the servers. The feed identifies users by a hash of
 * issuer and subject: with another issuer the command would end sessions and report success, but no
 * guard would refuse their access tokens.
 *
 * @throws {AuthError} `config_invalid`
 */
export async function requireSameIssuer({ store, config: { issuer } }: Context): Promise<void> {
  const noted = await store.committed.metadata.get(ISSUER)
  if (noted === undefined || noted === issuer) return
  throw new AuthError(
    'config_invalid',
    `The servers of this database have the issuer ${noted}, this command has ${issuer}: their guards would not see its revocations`,
  )
}
