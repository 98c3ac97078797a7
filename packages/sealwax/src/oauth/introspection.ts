import { type CheckedToken, isClientToken } from '../core/client-id.ts'
import type { Context } from '../core/context.ts'
import type { SessionWithUser } from '../sessions/contract.ts'
import { genuineSession, isSpent } from '../sessions/find-session.ts'
import { isLive } from '../sessions/rules.ts'
import { resolveSubject } from '../sessions/subjects.ts'
import { boundTo } from '../sessions/tokens.ts'

/**
 * The state of a token (RFC 7662 §2.2). An inactive one has no other members, not even a reason.
 */
export type Introspection = { readonly active: false } | ({ readonly active: true } & Readonly<Record<string, unknown>>)

const INACTIVE: Introspection = { active: false }

/**
 * An access token that the guard accepts is active if its session, or its client, is valid in the
 * store.
 */
export async function introspectAccessToken(context: Context, token: CheckedToken): Promise<Introspection> {
  if (!(await (isClientToken(token) ? isClientValid(context, token) : isSessionValid(context, token)))) return INACTIVE
  const { sub, sid, scope, client_id, exp, iat, aud, iss, jti, roles, auth_time, cnf } = token.payload
  const kind = { token_type: cnf === undefined ? 'Bearer' : 'DPoP', token_use: 'access_token' } as const
  return { active: true, ...kind, sub, sid, scope, client_id, exp, iat, aud, iss, jti, roles, auth_time, cnf }
}

async function isClientValid(context: Context, { subject, payload }: CheckedToken): Promise<boolean> {
  const client = await context.store.committed.clients.byId(subject)
  return client !== undefined && client.disabled_at === null && isOfVersion(payload, client.ver)
}

async function isSessionValid(context: Context, { subject, sessionId, payload }: CheckedToken): Promise<boolean> {
  if (sessionId === undefined) return false
  const session = await context.store.committed.sessions.byId(sessionId)
  if (session?.subject !== subject || !(await canRefresh(context, session))) return false
  return session.user === undefined || isOfVersion(payload, session.user.ver)
}

function isOfVersion({ ver }: CheckedToken['payload'], least: number): boolean {
  return typeof ver !== 'number' || ver >= least
}

/** A refresh token is active if a refresh by the client seen last would succeed. Writes nothing. */
export async function introspectRefreshToken(context: Context, token: string): Promise<Introspection> {
  const found = await genuineSession(context, token)
  if (found === undefined) return INACTIVE
  const { session } = found
  const { seen_ip, seen_user_agent } = session
  const holder = { ip: seen_ip ?? undefined, userAgent: seen_user_agent ?? undefined }
  if (isSpent(context, found, holder) || !(await canRefresh(context, session))) return INACTIVE
  return {
    active: true,
    token_use: 'refresh_token',
    sub: session.subject,
    sid: session.id,
    scope: session.scope ?? undefined,
    client_id: session.client_id,
    exp: Math.floor(Math.min(session.idle_expires_at, session.absolute_expires_at) / 1000),
    iss: context.config.issuer,
    auth_time: Math.floor(session.auth_time / 1000),
    ...boundTo(session.jkt),
  }
}

async function canRefresh(context: Context, session: SessionWithUser): Promise<boolean> {
  return isLive(session, context.now()) && (await resolveSubject(context, session)) !== undefined
}
