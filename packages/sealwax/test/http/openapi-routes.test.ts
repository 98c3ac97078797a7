// Importing the features registers their error codes.
import '../../src/features.ts'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { HttpEnv } from '../../src/http/env.ts'
import { openApiDocument } from '../../src/http/openapi/document.ts'
import { refusals } from '../../src/http/schemas.ts'
import type { Document, Operation } from './conformance.ts'

describe('a route in the OpenAPI document', () => {
  const config = { issuer: 'https://example.com', basePath: '/auth' }
  const oauthError = z.object({ error: z.string(), error_description: z.string() }).openapi('OAuthError')
  const problem = refusals('not_found')

  function documentWith(
    given: Partial<Parameters<typeof createRoute>[0]>,
    settings = config,
    at = '/admin/things/{id}/turn',
  ) {
    const root = new OpenAPIHono<HttpEnv>()
    const app = root.basePath(settings.basePath)
    const responses = { 204: { description: 'Turned' }, default: problem }
    app.openapi(createRoute({ method: 'post', path: at, summary: 'Turn', responses, ...given }), (c) =>
      c.body(null, 204),
    )
    return { root, app, read: () => openApiDocument(app, root, settings as never) as never as Document }
  }

  test('gets a tag, an id and the errors that follow from its declaration', () => {
    const { paths, tags } = documentWith({ security: [{ bearer: ['admin'] }] }).read()
    const operation = operationAt('/admin/things/{id}/turn', paths)
    assert.deepEqual([operation.operationId, operation.tags], ['postAdminThingsIdTurn', ['Administration']])
    assert.deepEqual(
      tags.map(({ name }) => name),
      ['Administration'],
    )
    const { 401: unauthorized, 403: forbidden, 404: missing, ...others } = operation.responses
    assert.deepEqual(Object.keys(unauthorized?.content?.['application/problem+json']?.examples ?? {}).length, 18)
    assert.deepEqual(Object.keys(forbidden?.content?.['application/problem+json']?.examples ?? {}), [
      'insufficient_role',
    ])
    assert.deepEqual(Object.keys(missing?.content?.['application/problem+json']?.examples ?? {}), ['not_found'])
    assert.deepEqual(Object.keys(others), ['204', '400', '413', '415', '500', '503'])
    assert.ok('WWW-Authenticate' in (unauthorized?.headers ?? {}) && !('WWW-Authenticate' in (missing?.headers ?? {})))
  })

  test('below /oauth, has error instead of code and accepts HTTP Basic', () => {
    const content = { 'application/x-www-form-urlencoded': { schema: z.object({ token: z.string() }) } }
    const refused = {
      description: 'E',
      content: { 'application/json': { schema: oauthError } },
      'x-codes': ['invalid_grant', 'invalid_credentials'],
    }
    const { paths, components } = documentWith(
      {
        security: [{ basic: [] }, {}],
        request: { body: { required: true, content } },
        responses: { 200: { description: 'Done' }, default: refused },
      },
      config,
      '/oauth/token',
    ).read()
    const { responses, tags } = operationAt('/oauth/token', paths)
    assert.deepEqual([tags, Object.keys(components.securitySchemes)], [['OAuth'], ['basic']])
    assert.deepEqual(Object.keys(responses), ['200', '400', '401', '413', '500'])
    assert.ok('WWW-Authenticate' in (responses[401]?.headers ?? {}))
    assert.deepEqual(responses[400]?.content?.['application/json']?.schema.allOf, [
      { $ref: '#/components/schemas/OAuthError' },
      { type: 'object', properties: { error: { type: 'string', enum: ['invalid_request', 'invalid_grant'] } } },
    ])
  })

  test('without error codes, has one default response for all errors', () => {
    const { 'x-codes': _, ...reply } = problem
    const { paths } = documentWith({ responses: { 204: { description: 'Turned' }, default: reply } }).read()
    assert.deepEqual(Object.keys(operationAt('/admin/things/{id}/turn', paths).responses), ['204', 'default'])
  })

  test('at the root of the host, lists its server, and both servers if it is also under the base path', () => {
    const path = '/.well-known/thing'
    const servers = (issuer: string, basePath: string, at: string) => {
      const { root, read } = documentWith({ method: 'get' }, { issuer, basePath }, path)
      root.openapi(createRoute({ method: 'get', path: at, responses: { 200: { description: 'It' } } }), (c) =>
        c.body(null, 200),
      )
      return (read().paths[at] as { servers?: { url: string }[] }).servers?.map(({ url }) => url)
    }
    assert.deepEqual(servers('https://a.example', '/auth', path), ['https://a.example/auth', 'https://a.example'])
    assert.deepEqual(servers('https://a.example/auth', '/auth', `${path}/auth`), ['https://a.example'])
    assert.deepEqual(servers('https://a.example/tenant', '', `${path}/tenant`), ['https://a.example'])
    assert.deepEqual(servers('https://a.example', '', '/.well-known/other'), undefined)
  })
})

function operationAt(path: string, paths: Document['paths']): Operation {
  const operation = paths[path]?.post
  assert.ok(operation, path)
  return operation
}
