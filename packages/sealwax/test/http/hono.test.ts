import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { getRequestListener } from '@hono/node-server'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'

// This behaviour of Hono is not documented, so a new version may change it.
describe('hono: behaviour that the HTTP layer relies on', () => {
  const schema = z.object({ name: z.string() })
  const kinds = [
    ['JSON', 'application/json', 'text', '{"name":"kept"}'],
    ['a form', 'application/x-www-form-urlencoded', 'formData', new FormData()],
  ] as const
  for (const [kind, type, name, kept] of kinds) {
    it(`a route reads ${kind} from the body cache of its request`, async () => {
      if (kept instanceof FormData) kept.set('name', 'kept')
      const app = new OpenAPIHono()
      app.use(async (c, next) => {
        await c.req.raw.arrayBuffer()
        c.req.bodyCache[name] = Promise.resolve(kept) as never
        await next()
      })
      const request = { body: { required: true, content: { [type]: { schema } } } }
      app.openapi(createRoute({ method: 'post', path: '/', request, responses: { 200: { description: '' } } }), (c) =>
        c.json(type === 'application/json' ? c.req.valid('json' as never) : c.req.valid('form' as never)),
      )
      const reply = await app.request('/', { method: 'POST', headers: { 'Content-Type': type }, body: 'sent' })
      assert.deepEqual(await reply.json(), { name: 'kept' })
    })
  }

  for (const overrideGlobalObjects of [false, true]) {
    it(`the Node listener calls fetch before it returns, with the body from \`rawBody\` (overrideGlobalObjects: ${overrideGlobalObjects})`, async () => {
      const { Request: nativeRequest, Response: nativeResponse } = globalThis
      try {
        let isCalled = false
        const listen = getRequestListener(
          async (request) => {
            isCalled = true
            return new Response(await request.text())
          },
          { overrideGlobalObjects },
        )
        const calledInTime: boolean[] = []
        const server = createServer(async (request, response) => {
          for await (const _ of request);
          Object.assign(request, { rawBody: Buffer.from('parsed before') })
          const done = listen(request, response)
          calledInTime.push(isCalled)
          await done
        })
        await once(server.listen(0, '127.0.0.1'), 'listening')
        const { port } = server.address() as AddressInfo
        const reply = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'sent' })
        assert.equal(await reply.text(), 'parsed before')
        assert.deepEqual(calledInTime, [true])
        server.close()
        server.closeAllConnections()
      } finally {
        Object.assign(globalThis, { Request: nativeRequest, Response: nativeResponse })
      }
    })
  }
})
