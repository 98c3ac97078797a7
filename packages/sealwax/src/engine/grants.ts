import { timingSafeEqual } from 'node:crypto'
import { AuthError } from '../errors.ts'
import type { ClientRow, ClientWithSecrets } from '../store/contract/clients.ts'
import { audit, auditAlone } from './audit.ts'
import { hashOf, isClientId, lookupId } from './clients.ts'
import { type Client, type Context, commit } from './context.ts'
import { revokeSessions } from './revocations.ts'
import { narrowScopes, signAccessToken } from './tokens.ts'

/** What a client shows of itself (RFC 6749 §2.3.1). */
export interface ClientCredentials {
  readonly id: string
  readonly secret: string
}

/** RFC 6749 §5.1, of a client that asked for itself: there is no refresh token (§4.4.3). */
export interface ClientTokenResponse {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly scope?: string
}

/**
 * The client these credentials are of. Unknown, disabled and wrong are one answer after the same work: one indexed read, one hash,
 * two comparisons. Throws `invalid_client`.
 */
export async function authenticateClient(
  context: Context,
  { id, secret }: ClientCredentials,
  from: Client = {},
): Promise<ClientRow> {
  const client = await context.store.committed.clients.withSecrets(lookupId(id))
  const matches = matchesSecret(client, hashOf(secret), context.now())
  if (client !== undefined && matches && client.disabled_at === null) return client
  const reason = client === undefined ? 'unknown_client' : matches ? 'client_disabled' : 'wrong_secret'
  const failure = { time: context.now(), subject: client?.id, ...from, data: { reason } }
  await auditAlone(context, { type: 'client.authentication_failed', ...failure })
  throw new AuthError('invalid_client', 'The client is unknown or disabled, or its secret is wrong')
}

const NO_HASH = Buffer.alloc(32)

/** A client has two live secrets at most; for one that is missing nothing is compared, as long. */
function matchesSecret(client: ClientWithSecrets | undefined, hash: Buffer, now: number): boolean {
  const live = (client?.secrets ?? []).filter(({ expires_at }) => expires_at === null || now < expires_at)
  const matches = [live[0], live[1]].map((secret) => timingSafeEqual(secret?.hash ?? NO_HASH, hash))
  return matches.includes(true)
}

/** The `client_credentials` grant (RFC 6749 §4.4): a token for the client itself. Throws `invalid_scope`. */
export function grantClientCredentials(
  context: Context,
  client: ClientRow,
  requested: string | undefined,
): ClientTokenResponse {
  const scope = narrowScopes(client.scopes, requested).join(' ')
  const scoped = scope === '' ? {} : { scope }
  // No session stands behind it; the name of its own is what a revocation takes it back by.
  const sid = context.randomBytes(16).toString('base64url')
  const claims = { sub: client.id, client_id: client.id, sid, ...scoped, ver: client.ver }
  return {
    access_token: signAccessToken(context, claims, context.now()),
    token_type: 'Bearer',
    expires_in: context.config.accessTtl / 1000,
    ...scoped,
  }
}

/** An access token whose signature, times and revocations the guard has checked. */
export interface CheckedToken {
  readonly subject: string
  readonly clientId?: string
  readonly sessionId?: string
  readonly payload: Readonly<Record<string, unknown>>
}

/** Whether a client got this token for itself. */
export function isClientToken({ subject, clientId }: CheckedToken): boolean {
  return isClientId(subject) && subject === clientId
}

/** Takes back one access token of a client. */
export async function revokeClientToken(context: Context, token: CheckedToken, from: Client = {}): Promise<void> {
  const { sessionId, subject, payload } = token
  if (sessionId === undefined) return
  await commit(context, async (unit) => {
    await revokeSessions(context, unit, [{ id: sessionId, access_expires_at: Number(payload.exp) * 1000 }])
    await audit(unit, { type: 'client.token_revoked', time: context.now(), subject, sessionId, ...from })
  })
}
