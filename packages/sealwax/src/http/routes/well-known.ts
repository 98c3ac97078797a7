import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from '../../engine/context.ts'
import { readFeed } from '../../engine/feed.ts'
import { publishedKeys } from '../../engine/keys.ts'
import { notModified, taggedReply, withTags } from '../conditional.ts'
import type { HttpEnv } from '../env.ts'
import { jsonReply, refusals } from '../schemas.ts'

export function wellKnownRoutes(app: OpenAPIHono<HttpEnv>, context: Context): void {
  app.use('/.well-known/jwks.json', withTags)
  app.openapi(
    createRoute({
      method: 'get',
      path: '/.well-known/jwks.json',
      operationId: 'getJwks',
      summary: 'The public keys (RFC 7517)',
      responses: {
        200: {
          ...jsonReply('A JWK Set', z.object({ keys: z.array(z.record(z.string(), z.unknown())) })),
          ...taggedReply,
        },
        304: notModified,
      },
    }),
    (c) => {
      const { keys, maxAge } = publishedKeys(context)
      c.header('Cache-Control', `public, max-age=${maxAge}`)
      return c.json({ keys: keys.map((key) => ({ ...key })) }, 200)
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
      return c.json(
        { ...page, entries: page.entries.map((entry) => ({ ...entry }) as Record<string, string | number>) },
        200,
      )
    },
  )
}
