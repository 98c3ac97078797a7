import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from '../core/context.ts'
import type { HttpEnv } from './env.ts'
import { jsonReply, refusals } from './schemas.ts'

const status = z.object({ status: z.literal('ok') }).openapi('Health')

export function healthRoutes(app: OpenAPIHono<HttpEnv>, context: Context): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/healthz',
      operationId: 'health',
      summary: 'The process is running',
      responses: { 200: jsonReply('Alive', status) },
    }),
    (c) => c.json({ status: 'ok' as const }, 200),
  )
  app.openapi(
    createRoute({
      method: 'get',
      path: '/readyz',
      operationId: 'readiness',
      summary: 'The store is reachable and there is a signing key',
      responses: { 200: jsonReply('Ready', status), default: refusals('temporarily_unavailable', 'keys_unavailable') },
    }),
    async (c) => {
      await context.store.ping()
      for (const { requireReady } of context.features) requireReady?.(context)
      return c.json({ status: 'ok' as const }, 200)
    },
  )
}
