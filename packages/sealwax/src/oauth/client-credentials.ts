import { timingSafeEqual } from 'node:crypto'
import { audit, auditAlone } from '../core/audit.ts'
import type { CheckedToken } from '../core/client-id.ts'
import { lookupId } from '../core/client-id.ts'
import type { Context } from '../core/context.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit } from '../core/unit-of-work.ts'
import { AuthError } from '../errors.ts'
import { revokeSessions } from '../revocations/rules.ts'
import { boundTo, narrowScopes, signAccessToken } from '../sessions/tokens.ts'
import { hashSecret } from './clients.ts'
import type { ClientRow, ClientWithSecrets } from './contract.ts'

/** The credentials of a client (RFC 6749 §2.3.1). */
export interface ClientCredentials {
  readonly id: string
  readonly secret: string
}

/** The reply to `client_credentials` (RFC 6749 §5.1), without a refresh token (§4.4.3). */
export interface ClientTokenResponse {
  readonly access_token: string
  readonly token_type: 'Bearer' | 'DPoP'
  readonly expires_in: number
  readonly scope?: string
}

/**
 * Returns the client with these credentials. Unknown and disabled clients and wrong secrets get the
 * same error after the same work: one indexed read, one hash, two comparisons.
 *
 * @throws {AuthError} `invalid_client`
 */
export async function authenticateClient(
  context: Context,
  { id, secret }: ClientCredentials,
  origin: RequestOrigin = {},
): Promise<ClientRow> {
  const client = await context.store.committed.clients.withSecrets(lookupId(id))
  const matches = matchesSecret(client, hashSecret(secret), context.now())
  if (client !== undefined && matches && client.disabled_at === null) return client
  const reason = client === undefined ? 'unknown_client' : matches ? 'client_disabled' : 'wrong_secret'
  const failure = { time: context.now(), subject: client?.id, ...origin, data: { reason } }
  await auditAlone(context, { type: 'client.authentication_failed', ...failure })
  throw new AuthError('invalid_client', 'The client is unknown or disabled, or its secret is wrong')
}

const NO_HASH = Buffer.alloc(32)

/**
 * A client has at most two live secrets. A missing one is replaced by a dummy hash, so that the
 * time is constant.
 */
function matchesSecret(client: ClientWithSecrets | undefined, hash: Buffer, now: number): boolean {
  const live = (client?.secrets ?? []).filter(({ expires_at }) => expires_at === null || now < expires_at)
  const matches = [live[0], live[1]].map((secret) => timingSafeEqual(secret?.hash ?? NO_HASH, hash))
  return matches.includes(true)
}

/**
 * The `client_credentials` grant (RFC 6749 §4.4): issues a token for the client itself.
 *
 * @param asked the scopes, and the thumbprint of the key that the token is bound to
 * @throws {AuthError} `invalid_scope`
 */
export function grantClientCredentials(
  context: Context,
  client: ClientRow,
  asked: { readonly scope: string | undefined; readonly jkt: string | undefined },
): ClientTokenResponse {
  const scope = narrowScopes(client.scopes, asked.scope).join(' ')
  const scoped = scope === '' ? {} : { scope }
  // There is no session: with this id, the token can be revoked on its own.
  const sid = context.randomBytes(16).toString('base64url')
  const claims = { sub: client.id, client_id: client.id, sid, ...scoped, ver: client.ver, ...boundTo(asked.jkt) }
  return {
    access_token: signAccessToken(context, claims, context.now()),
    token_type: asked.jkt === undefined ? 'Bearer' : 'DPoP',
    expires_in: context.config.accessTtl / 1000,
    ...scoped,
  }
}

/** Revokes one access token of a client. */
export async function revokeClientToken(
  context: Context,
  token: CheckedToken,
  origin: RequestOrigin = {},
): Promise<void> {
  const { sessionId, subject, payload } = token
  if (sessionId === undefined) return
  await commit(context, async (unit) => {
    await revokeSessions(context, unit, [{ id: sessionId, access_expires_at: Number(payload.exp) * 1000 }])
    await audit(unit, { type: 'client.token_revoked', time: context.now(), subject, sessionId, ...origin })
  })
}
