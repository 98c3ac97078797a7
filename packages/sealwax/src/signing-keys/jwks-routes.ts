import { createRoute, z } from '@hono/zod-openapi'
import type { Edge } from '../http/edge.ts'
import { notModified, taggedReply, withTags } from '../http/etag.ts'
import { jsonReply } from '../http/schemas.ts'
import { publishedKeys } from './ring.ts'

/** The JWK Set. */
export function jwksRoutes({ app, context }: Edge): void {
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
}
