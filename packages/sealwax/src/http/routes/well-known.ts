import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from '../../engine/context.ts'
import { publishedKeys } from '../../engine/keys.ts'
import { notModified, taggedReply, withTags } from '../conditional.ts'
import type { HttpEnv } from '../env.ts'
import { jsonReply } from '../schemas.ts'

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
}
