import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from '../../engine/context.ts'
import { signingKey } from '../../engine/keys.ts'
import type { HttpEnv } from '../env.ts'
import { jsonReply, problemReply } from '../schemas.ts'

const status = z.object({ status: z.literal('ok') }).openapi('Health')

export function healthRoutes(app: OpenAPIHono<HttpEnv>, context: Context): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/healthz',
      summary: 'The process is alive',
      responses: { 200: jsonReply('Alive', status) },
    }),
    (c) => c.json({ status: 'ok' as const }, 200),
  )
  app.openapi(
    createRoute({
      method: 'get',
      path: '/readyz',
      summary: 'The store answers and there is a key to sign with',
      responses: { 200: jsonReply('Ready', status), default: problemReply },
    }),
    async (c) => {
      await context.store.ping()
      signingKey(context)
      return c.json({ status: 'ok' as const }, 200)
    },
  )
}
