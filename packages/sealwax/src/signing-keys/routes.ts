import { createRoute, z } from '@hono/zod-openapi'
import { LOGGED_IN_RECENTLY } from '../http/administrators.ts'
import type { Edge } from '../http/edge.ts'
import { jsonBody, jsonReply, pageQuery, refusals } from '../http/schemas.ts'
import { listKeys, revokeKey, rotateKeys, type SigningKeyInfo } from './rotation.ts'
import { keyRevocation, revokeKeyRequest, signingKey } from './schemas.ts'

const keyList = jsonReply('Signing keys, oldest first', z.object({ data: z.array(signingKey) }))

/** Signing keys, for administrators. */
export function adminKeyRoutes({ app, context, administrators }: Edge): void {
  const { only, recently, security, requestOrigin } = administrators
  app.openapi(
    createRoute({
      method: 'get',
      path: '/admin/keys',
      operationId: 'listKeys',
      security,
      middleware: only,
      summary: 'Signing keys and their states, oldest first',
      request: { query: pageQuery },
      responses: { 200: keyList, default: refusals('temporarily_unavailable') },
    }),
    async (c) => {
      return c.json({ data: (await listKeys(context, c.req.valid('query'))).map(keyBody) }, 200)
    },
  )
  app.openapi(
    createRoute({
      method: 'post',
      path: '/admin/keys/rotate',
      operationId: 'rotateKeys',
      security,
      middleware: recently,
      summary: 'Make the next key sign as soon as verifiers can know it',
      description: LOGGED_IN_RECENTLY,
      responses: { 200: keyList, default: refusals('reauthentication_required', 'temporarily_unavailable') },
    }),
    async (c) => {
      return c.json({ data: (await rotateKeys(context, requestOrigin(c))).map(keyBody) }, 200)
    },
  )
  app.openapi(
    createRoute({
      method: 'post',
      path: '/admin/keys/{kid}/revoke',
      operationId: 'revokeKey',
      security,
      middleware: recently,
      summary: 'Revoke a signing key in an emergency',
      description: `The standby key signs immediately. Access tokens of the key become stale everywhere; clients renew silently. ${LOGGED_IN_RECENTLY}`,
      request: { params: z.object({ kid: z.string().max(256) }), ...jsonBody(revokeKeyRequest, false) },
      responses: {
        200: jsonReply('What was revoked, or would be', keyRevocation),
        default: refusals('reauthentication_required', 'not_found', 'temporarily_unavailable'),
      },
    }),
    async (c) => {
      const { end_sessions: endSessions, all, dry_run: dryRun } = revokeKeyRequest.parse(c.req.valid('json') ?? {})
      const revocation = await revokeKey(
        context,
        c.req.valid('param').kid,
        { endSessions, all, dryRun },
        requestOrigin(c),
      )
      const { revoked, signing, sessions, subjects, endsSessions } = revocation
      return c.json(
        { revoked: [...revoked], signing: signing ?? null, sessions, subjects, ends_sessions: endsSessions },
        200,
      )
    },
  )
}

/** Returns a signing key as the API returns it. */
export function keyBody({ kid, alg, state, createdAt, signsFrom, signsUntil, retiresAt, revokedAt }: SigningKeyInfo) {
  return {
    kid,
    alg,
    state,
    created_at: createdAt.toISOString(),
    signs_from: signsFrom.toISOString(),
    signs_until: signsUntil?.toISOString() ?? null,
    retires_at: retiresAt?.toISOString() ?? null,
    revoked_at: revokedAt?.toISOString() ?? null,
  }
}
