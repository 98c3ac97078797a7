import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { GUARD_ERRORS } from '@sealwax/guard'
import { Validator } from '@seriousme/openapi-schema-validator'
import { REFUSAL_REASONS } from '../../src/errors.ts'
import { createSample, listMembers } from '../../src/http/openapi/members.ts'
import { AUTH_ERRORS } from '../../src/index.ts'
import { VERSION } from '../../src/version.ts'
import { startAuth } from '../server.ts'
import {
  createConformance,
  type Document,
  operationsOf,
  readDocument,
  type Schema,
  validatorOf,
} from './conformance.ts'

const document = await readDocument()
const operations = operationsOf(document)

/** Its routes serve files to anyone. Those of the lesson belong to a server of its own. */
const STATIC_FILES = '../../src/pages/routes.ts'

describe('the OpenAPI document', () => {
  test('is valid OpenAPI 3.1 according to an independent validator', async () => {
    const validator = new Validator()
    const { valid, errors } = await validator.validate(structuredClone(document) as object as Record<string, unknown>)
    assert.deepEqual({ valid, errors }, { valid: true, errors: undefined })
    assert.equal(validator.version, '3.1')
    const broken = await new Validator().validate({ ...structuredClone(document), paths: { login: {} } })
    assert.equal(broken.valid, false)
  })

  test('has the version of the package', () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'))
    assert.deepEqual([VERSION, document.info.version], [version, version])
  })

  test('contains every existing route and no others', async () => {
    await using server = await startAuth()
    assert.ok(operations.length >= 15)
    for (const { method, path } of operations) {
      const { status, body } = await server.call(path.replace(/\{\w+\}/, 'x'), { method: method.toUpperCase() })
      assert.ok(status !== 405 && body.detail !== 'There is nothing at this path', `${method} ${path}: ${status}`)
    }
    for (const path of Object.keys(document.paths)) {
      const { headers } = await server.call(path.replace(/\{\w+\}/, 'x'), { method: 'PUT' })
      const declared = operations.filter((one) => one.path === path).map(({ method }) => method.toUpperCase())
      assert.deepEqual(headers.get('Allow')?.split(', ').sort(), declared.sort(), path)
    }
    const files = globSync('../../src/**/{routes,*-routes}.ts', {
      cwd: import.meta.dirname,
      exclude: ['../../src/learn/**', STATIC_FILES],
    })
    const sources = files.map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
    const written = sources.flatMap((source) => [...source.matchAll(/^\s+path: '(\/.+)',$/gm)].map((match) => match[1]))
    // Those of a loop are written as templates.
    assert.ok(new Set(written).size >= Object.keys(document.paths).length - 5)
    assert.deepEqual(
      written.filter((path) => !Object.keys(document.paths).includes(path as string)),
      [],
    )
    // Only routes registered with `openapi` are in the document, so no other method may be used.
    const past = sources.flatMap(
      (source) => source.match(/\b(app|root)\.(get|post|put|patch|delete|all|on)\(|\bhide:/g) ?? [],
    )
    assert.deepEqual(past, [])
  })

  test('does not contain static files, and they are all that the routes of pages serve', async () => {
    await using server = await startAuth()
    assert.equal((await fetch(`${server.url}/inspect`)).status, 200)
    assert.deepEqual(
      Object.keys(document.paths).filter((path) => /^\/(inspect|assets)/.test(path)),
      [],
    )
    const source = readFileSync(join(import.meta.dirname, STATIC_FILES), 'utf8')
    const routes = source.match(/\b(?:app|root)\.\w+\(.*/g) ?? []
    assert.ok(routes.length > 0)
    assert.deepEqual(
      routes.filter((route) => !/^app\.get\([^,]+, \(c\) => webFileReply\(\w+, c\.req\.raw\.headers\)\)$/.test(route)),
      [],
    )
  })

  test('has a unique id, a tag and a summary for each operation', () => {
    const ids = operations.map(({ operation }) => operation.operationId)
    assert.equal(new Set(ids).size, operations.length)
    const tags = new Set(document.tags.map(({ name }) => name))
    for (const { operation } of operations) {
      assert.match(operation.operationId, /^[a-z][A-Za-z]+$/)
      assert.ok(operation.summary.length > 5 && operation.tags.every((tag) => tags.has(tag)), operation.operationId)
    }
    assert.deepEqual([...new Set(operations.flatMap(({ operation }) => operation.tags))].sort(), [...tags].sort())
  })

  test('contains every code, each only under its own status', () => {
    const { code } = (document.components.schemas.Problem as { properties: { code: { enum: string[] } } }).properties
    const statuses = { ...GUARD_ERRORS, ...AUTH_ERRORS } as Record<string, readonly [number, string]>
    assert.deepEqual([...code.enum].sort(), Object.keys(statuses).sort())
    for (const { operation } of operations) {
      for (const [status, { content }] of Object.entries(operation.responses)) {
        const names = Object.keys(content?.['application/problem+json']?.examples ?? {})
        for (const name of names) assert.equal(String(statuses[name]?.[0]), status, `${operation.operationId} ${name}`)
      }
    }
  })

  test('lists the errors of each route without a "default" response', () => {
    const open = operations.filter(({ operation }) => 'default' in operation.responses)
    assert.deepEqual(
      open.map(({ operation }) => operation.operationId),
      [],
    )
  })

  test('codes shared by the guard and the API have the same status in both', () => {
    const auth = AUTH_ERRORS as Record<string, readonly [number, string]>
    const shared = Object.entries(GUARD_ERRORS).filter(([code]) => code in auth)
    assert.ok(shared.length >= 3)
    for (const [code, [status]] of shared) assert.equal(auth[code]?.[0], status, code)
  })

  test('its examples match their schemas', () => {
    const validate = validatorOf(document)
    const problems: string[] = []
    let seen = 0
    const check = (at: string[], value: unknown) => {
      seen += 1
      problems.push(...validate(at, JSON.stringify(value)))
    }
    walk(document, [], (at, schema) => {
      if ('example' in schema && ('type' in schema || '$ref' in schema)) check(at, schema.example)
    })
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      check(['components', 'schemas', name], createSample(schema as never, document as never))
    }
    for (const { path, method, operation } of operations) {
      for (const [status, reply] of Object.entries(operation.responses)) {
        for (const [type, media] of Object.entries(reply.content ?? {})) {
          for (const example of Object.values(media.examples ?? {})) {
            const name = example.$ref?.split('/').at(-1) as string
            const { value } = document.components.examples[name] as { value: unknown }
            check(['paths', path, method, 'responses', status, 'content', type, 'schema'], value)
          }
        }
      }
    }
    assert.ok(seen > 150, String(seen))
    assert.deepEqual(problems, [])
  })

  test('contains nothing that looks like a secret, and no file path', () => {
    const text = JSON.stringify(document)
    assert.doesNotMatch(text, /eyJ[\w-]{8,}|swr_[\w-]{8,}|\$argon2|PRIVATE KEY|"[\w+/=-]{40,}"/)
    assert.doesNotMatch(text, /node_modules|\.ts\b|\bat \S+ \(|\/(home|tmp|work|src)\/|x-codes/)
  })

  test('describes the requests, authentication and responses of OAuth', () => {
    const schemaOf = (name: string) =>
      document.components.schemas[name] as { required: string[]; properties: Record<string, Schema> }
    assert.deepEqual(schemaOf('OAuthTokenRequest').required, ['grant_type'])
    assert.deepEqual(schemaOf('OAuthTokenRequest').properties.grant_type?.enum, ['client_credentials', 'refresh_token'])
    assert.deepEqual(schemaOf('OAuthToken').required, ['token'])
    assert.doesNotMatch(JSON.stringify(document), /client_assertion/)
    assert.deepEqual(schemaOf('OAuthError').properties.reason?.enum, [...REFUSAL_REASONS])
    for (const member of [
      'sub',
      'sid',
      'scope',
      'client_id',
      'exp',
      'iat',
      'aud',
      'iss',
      'jti',
      'roles',
      'auth_time',
    ]) {
      assert.ok(member in schemaOf('Introspection').properties, member)
    }
    for (const { operation } of operations.filter(({ path }) => path.startsWith('/oauth/'))) {
      const ways = operation.security.map((one) => Object.keys(one).join())
      assert.deepEqual(ways.sort(), ['', 'basic'], operation.operationId)
      const { $ref = '' } = (operation.responses[401]?.headers['WWW-Authenticate'] ?? {}) as { $ref?: string }
      const header = document.components.headers[$ref.split('/').at(-1) as string] as { description: string }
      assert.match(header.description, /RFC 7617/, operation.operationId)
    }
  })

  test('describes every member of requests and responses of OAuth and administration', () => {
    const mute = operations
      .filter(({ operation }) => operation.tags.some((tag) => ['OAuth', 'Administration'].includes(tag)))
      .flatMap(({ operation: { operationId, requestBody, responses } }) => {
        const replies = Object.entries(responses).flatMap(([status, reply]) => (status < '4' ? [reply] : []))
        const bodies = [requestBody, ...replies].flatMap((one) => Object.values(one?.content ?? {}))
        const members = bodies.flatMap(({ schema }) => listMembers(schema as never, document as never))
        return members.map(({ name, schema }) => [`${operationId}: ${name}`, schema.description] as const)
      })
      .filter(([name, description]) => description === undefined && !/: (data|client|session|token_type)$/.test(name))
    const refusal = listMembers({ $ref: '#/components/schemas/OAuthError' }, document as never)
    assert.ok(refusal.every(({ schema }) => schema.description !== undefined))
    assert.deepEqual(
      mute.map(([name]) => name),
      [],
    )
  })

  test('lists the right security schemes for each route, and defines exactly those that are used', async () => {
    await using server = await startAuth()
    const { securitySchemes } = document.components
    const used = new Set(operations.flatMap(({ operation }) => operation.security.flatMap(Object.keys)))
    assert.deepEqual([...used].sort(), Object.keys(securitySchemes).sort())
    let guarded = 0
    for (const { path, method, operation } of operations) {
      const schema = operation.requestBody?.content['application/json']?.schema
      const json = schema === undefined ? {} : { json: createSample(schema as never, document as never) }
      const call = { method: method.toUpperCase(), ...json }
      const { status, body } = await server.call(path.replace(/\{\w+\}/, 'x'), call)
      const needsToken = operation.security.length > 0 && operation.security.every((one) => 'bearer' in one)
      if (needsToken) guarded += 1
      if (needsToken) assert.deepEqual([status, body.code], [401, 'token_missing'], operation.operationId)
      else if (path !== '/logout') assert.notEqual(body.code, 'token_missing', operation.operationId)
    }
    assert.ok(guarded >= 4)
  })

  test('contains the server URL, the base path and the cookie name of the issuer', async () => {
    const cases = [
      ['https://auth.example.com', '', 'https://auth.example.com', '__Host-sealwax'],
      ['https://example.com', '/auth', 'https://example.com/auth', '__Host-sealwax'],
      ['https://example.com/auth', '/auth', 'https://example.com/auth', '__Host-sealwax'],
      ['https://example.com/tenant', '', 'https://example.com/tenant', '__Host-sealwax'],
      ['https://example.com/tenant', '/tenants', 'https://example.com/tenant', '__Host-sealwax'],
      ['https://example.com/tenant', '/tenant/auth', 'https://example.com/tenant/auth', '__Host-sealwax'],
      ['http://127.0.0.1:5000', '', 'http://127.0.0.1:5000', 'sealwax'],
    ] as const
    for (const [issuer, basePath, url, cookie] of cases) {
      const { servers, paths, components } = await readDocument(issuer, basePath)
      assert.deepEqual([servers, components.securitySchemes.cookie?.name], [[{ url }], cookie])
      assert.deepEqual(
        Object.keys(document.paths).filter((path) => !(path in paths)),
        [],
      )
    }
  })
})

describe('GET /openapi.json', () => {
  test('returns the document to any origin, and 304 if the client has the current version', async () => {
    await using server = await startAuth()
    const first = await server.call('/openapi.json', { headers: { Origin: 'https://elsewhere.example' } })
    assert.deepEqual(JSON.parse(first.text), document)
    assert.deepEqual(
      ['Content-Type', 'Cache-Control', 'Access-Control-Allow-Origin', 'Access-Control-Allow-Credentials'].map((name) =>
        first.headers.get(name),
      ),
      ['application/json', 'public, max-age=300', '*', null],
    )
    const etag = first.headers.get('ETag') as string
    const origin = { Origin: 'https://elsewhere.example' }
    const again = await server.call('/openapi.json', { headers: { ...origin, 'If-None-Match': `"other", W/${etag}` } })
    assert.deepEqual([again.status, again.text, again.headers.get('ETag')], [304, '', etag])
    assert.equal(again.headers.get('Access-Control-Allow-Origin'), '*')
    assert.equal((await server.call('/openapi.json', { headers: { 'If-None-Match': '"other"' } })).status, 200)
  })

  test('is under the base path', async () => {
    await using server = await startAuth({ basePath: '/auth' })
    const { text } = await server.call('/auth/openapi.json')
    const { servers, paths } = JSON.parse(text) as Document
    assert.deepEqual(servers, [{ url: 'http://127.0.0.1:5000/auth' }])
    assert.deepEqual(Object.keys(paths), Object.keys(document.paths))
    assert.equal((await server.call('/openapi.json')).status, 404)
  })
})

describe('the conformance check of responses', () => {
  const judge = createConformance(document)
  const reply = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
    status,
    headers: new Headers({
      'Content-Type': status < 400 ? 'application/json' : 'application/problem+json',
      ...headers,
    }),
    text: JSON.stringify(body),
  })

  test('finds an extra or missing member, a wrong type, status, code, media type and header', () => {
    const health = { status: 'ok' }
    const missing = document.components.examples.token_missing?.value as object
    assert.deepEqual(judge('GET', '/healthz', reply(200, health)), [])
    assert.deepEqual(judge('GET', '/me', reply(401, missing, { 'WWW-Authenticate': 'Bearer' })), [])
    const wrong = [
      ['/healthz', reply(200, { ...health, uptime: 1 })],
      ['/healthz', reply(200, {})],
      ['/healthz', reply(200, { status: 1 })],
      ['/healthz', reply(201, health)],
      ['/healthz', reply(200, health, { 'Content-Type': 'text/plain' })],
      ['/healthz', reply(200, health, { 'Set-Cookie': 'a=b' })],
      ['/me', reply(401, { ...missing, code: 'invalid_credentials' })],
      ['/me', reply(401, { ...missing, stack: 'at x' })],
    ] as const
    for (const [path, judged] of wrong) assert.notDeepEqual(judge('GET', path, judged), [], judged.text)
  })
})

test('members: references, allOf and lists are resolved', () => {
  const schema = {
    allOf: [{ $ref: '#/components/schemas/A' }, { type: 'object', properties: { b: { type: 'integer' } } }],
  }
  const a = {
    type: 'object',
    required: ['list'],
    properties: { list: { type: 'array', items: { type: 'object', properties: { c: { enum: ['x', 'y'] } } } } },
  }
  const members = listMembers(schema, { components: { schemas: { A: a } } } as never)
  assert.deepEqual(
    members.map(({ name, type, required }) => [name, type, required]),
    [
      ['list', 'array of object', true],
      ['list[].c', 'x | y', false],
      ['b', 'integer', false],
    ],
  )
})

/** Calls `visit` with every object in the document and its path. */
function walk(value: unknown, at: string[], visit: (at: string[], schema: Schema) => void): void {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) visit(at, value as Schema)
  for (const [key, inner] of Object.entries(value)) walk(inner, [...at, key], visit)
}
