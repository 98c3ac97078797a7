import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from '../../engine/context.ts'
import { readFeed } from '../../engine/feed.ts'
import type { HttpEnv } from '../env.ts'
import { jsonReply, refusals } from '../schemas.ts'
import { publicBase } from '../urls.ts'

/** How long a verifier may keep the key set; keys are published long before they sign. */
const JWKS_MAX_AGE = 300

export function wellKnownRoutes(app: OpenAPIHono<HttpEnv>, context: Context): void {
  const base = publicBase(context.config)
  app.openapi(
    createRoute({
      method: 'get',
      path: '/.well-known/jwks.json',
      operationId: 'getJwks',
      summary: 'The public keys (RFC 7517)',
      responses: { 200: jsonReply('A JWK Set', z.object({ keys: z.array(z.record(z.string(), z.unknown())) })) },
    }),
    (c) => {
      c.header('Cache-Control', `public, max-age=${JWKS_MAX_AGE}`)
      return c.json({ keys: context.keys.published.keys.map((key) => ({ ...key })) }, 200)
    },
  )
  app.openapi(
    createRoute({
      method: 'get',
      path: '/.well-known/oauth-authorization-server',
      operationId: 'getMetadata',
      summary: 'Where everything is (RFC 8414)',
      responses: { 200: jsonReply('Metadata', z.record(z.string(), z.unknown())) },
    }),
    (c) => {
      c.header('Cache-Control', 'public, max-age=300')
      const { issuer } = context.config
      return c.json(
        { issuer, jwks_uri: `${base}/.well-known/jwks.json`, revocation_uri: `${base}/.well-known/revocations` },
        200,
      )
    },
  )
  app.openapi(
    createRoute({
      method: 'get',
      path: '/.well-known/revocations',
      operationId: 'readRevocations',
      summary: 'Live revocations, for guards elsewhere',
      description:
        'With `Prefer: wait=25` (RFC 7240) an answer without entries is held back until something is revoked.',
      request: { query: z.object({ after: z.string().max(64).optional() }) },
      responses: {
        200: jsonReply(
          'What was revoked',
          z.object({
            cursor: z.string(),
            as_of: z.number(),
            snapshot: z.boolean(),
            entries: z.array(z.record(z.string(), z.unknown())),
          }),
        ),
        default: refusals('temporarily_unavailable'),
      },
    }),
    async (c) => {
      c.header('Cache-Control', 'no-store')
      const wait = Number(/(?:^|[,;\s])wait=(\d{1,4})\b/.exec(c.req.header('Prefer') ?? '')?.[1] ?? 0)
      const page = await readFeed(context, c.req.valid('query').after, { wait, signal: c.req.raw.signal })
      if (wait > 0) c.header('Preference-Applied', `wait=${wait}`)
      return c.json({ ...page, entries: page.entries.map((entry) => ({ ...entry })) }, 200)
    },
  )
}
