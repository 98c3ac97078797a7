import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Config } from '../../core/options.ts'
import type { HttpEnv } from '../env.ts'
import { notModified, taggedReply, withTags } from '../etag.ts'
import { once } from '../once.ts'
import { jsonReply } from '../schemas.ts'
import { openApiDocument } from './document.ts'
import { openApiPage } from './page.ts'

/**
 * The OpenAPI document of the API and a page that shows it. Both are created on the first request.
 */
export function openApiRoutes(app: OpenAPIHono<HttpEnv>, root: OpenAPIHono<HttpEnv>, config: Config): void {
  const document = once(() => openApiDocument(app, root, config))
  const text = once(() => tagged(JSON.stringify(document())))
  const page = once(async () => {
    const { html, policy } = await openApiPage(document())
    return { ...(await tagged(html)), policy }
  })
  app.use('/openapi.json', withTags)
  app.use('/openapi', withTags)
  app.openapi(
    createRoute({
      method: 'get',
      path: '/openapi.json',
      operationId: 'getOpenApi',
      summary: 'This document',
      responses: {
        200: { ...jsonReply('OpenAPI 3.1', z.looseObject({ openapi: z.string() })), ...taggedReply },
        304: notModified,
      },
    }),
    async (c) => {
      const { body, etag } = await text()
      return c.body(body, 200, { ...CACHED, 'Content-Type': 'application/json', ETag: etag }) as never
    },
  )
  app.openapi(
    createRoute({
      method: 'get',
      path: '/openapi',
      operationId: 'getOpenApiPage',
      summary: 'This document as a page',
      responses: {
        200: { description: 'A page', content: { 'text/html': { schema: z.string() } }, ...taggedReply },
        304: notModified,
      },
    }),
    async (c) => {
      const { body, etag, policy } = await page()
      c.header('Content-Security-Policy', policy)
      c.header('Referrer-Policy', 'no-referrer')
      return c.body(body, 200, { ...CACHED, 'Content-Type': 'text/html; charset=utf-8', ETag: etag }) as never
    },
  )
}

/** A restart may change the document, and revalidation is cheap. */
const CACHED = { 'Cache-Control': 'public, max-age=300' }

async function tagged(body: string): Promise<{ body: string; etag: string }> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(body))
  return { body, etag: `"${Buffer.from(digest).toString('base64url').slice(0, 22)}"` }
}
