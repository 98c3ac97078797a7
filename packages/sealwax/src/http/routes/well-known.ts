import { createHash } from 'node:crypto'
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from '../../engine/context.ts'
import { readFeed } from '../../engine/feed.ts'
import { publishedKeys } from '../../engine/keys.ts'
import type { HttpEnv } from '../env.ts'
import { jsonReply, problemReply } from '../schemas.ts'

export function wellKnownRoutes(app: OpenAPIHono<HttpEnv>, context: Context): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/.well-known/jwks.json',
      summary: 'The public keys (RFC 7517)',
      responses: {
        200: jsonReply('A JWK Set', z.object({ keys: z.array(z.record(z.string(), z.unknown())) })),
        304: { description: 'The set is still the one that `If-None-Match` names' },
      },
    }),
    (c) => {
      const { keys, maxAge } = publishedKeys(context)
      // The names say all: a key never changes.
      const etag = etagOf(keys.map(({ kid }) => kid).join())
      c.header('Cache-Control', `public, max-age=${maxAge}`)
      c.header('ETag', etag)
      if (namesTag(c.req.header('If-None-Match'), etag)) return c.body(null, 304)
      return c.json({ keys: keys.map((key) => ({ ...key })) }, 200)
    },
  )
  app.openapi(
    createRoute({
      method: 'get',
      path: '/.well-known/revocations',
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
        default: problemReply,
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

function etagOf(text: string): string {
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
}

/** RFC 9110 §13.1.2: any of a list, or all; a weak tag is as good. */
function namesTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}
