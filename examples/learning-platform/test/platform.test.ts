import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ALEX, ROBIN } from '../src/demo.ts'
import { secretIn } from '../src/secret.ts'
import { type RunningPlatform, startServer } from '../src/server.ts'

describe('the learning platform', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'learning-platform-'))
  let server: RunningPlatform
  let alex: string
  let robin: string

  before(async () => {
    server = await startServer({ port: 0, dataDir })
    alex = await logIn(ALEX)
    robin = await logIn(ROBIN)
  })
  after(async () => {
    await server.close()
    rmSync(dataDir, { recursive: true })
  })

  async function logIn({ email, password }: { email: string; password: string }): Promise<string> {
    const reply = await call('POST', '/login', { body: { email, password } })
    assert.equal(reply.status, 200)
    return reply.body.access_token
  }

  /** A string is sent as it is, any other value as JSON. */
  async function call(method: string, path: string, options: { token?: string; body?: unknown; type?: string } = {}) {
    const { token, body, type = 'application/json' } = options
    const response = await fetch(server.url + path, {
      method,
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': type }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
  }

  for (const [method, path] of [
    ['GET', '/profile'],
    ['GET', '/courses'],
    ['POST', '/courses'],
    ['GET', '/progress'],
    ['PUT', '/progress/typescript-basics'],
  ] as const) {
    test(`${method} ${path}: 401 without a token, regardless of the body`, async () => {
      const reply = await call(method, path, method === 'GET' ? {} : { body: '{not json' })
      assert.equal(reply.status, 401)
      assert.equal(reply.body.code, 'token_missing')
      assert.equal(reply.headers.get('www-authenticate'), 'Bearer realm="api"')
    })
  }

  test('GET /profile: 200 with a token, and exactly the profile', async () => {
    const reply = await call('GET', '/profile', { token: alex })
    assert.equal(reply.status, 200)
    assert.deepEqual(reply.body, { user_id: 'user-123', message: 'Protected profile' })
  })

  test('GET /courses and GET /progress: 200 with a token', async () => {
    const courses = await call('GET', '/courses', { token: alex })
    assert.equal(courses.status, 200)
    assert.deepEqual(courses.body.courses[0], {
      id: 'typescript-basics',
      title: 'TypeScript from the first line',
      teacher: null,
    })
    assert.equal((await call('GET', '/progress', { token: alex })).status, 200)
  })

  test('POST /courses: 403, not 401, for a user who is not a teacher', async () => {
    const reply = await call('POST', '/courses', { token: alex, body: { title: 'Not mine to give' } })
    assert.equal(reply.status, 403)
    assert.equal(reply.body.code, 'insufficient_role')
    const { body } = await call('GET', '/courses', { token: alex })
    assert.ok(!body.courses.some((course: { title: string }) => course.title === 'Not mine to give'))
  })

  test('POST /courses: 201 for a teacher, and the course is listed', async () => {
    const reply = await call('POST', '/courses', { token: robin, body: { title: ' SQL by example ' } })
    assert.equal(reply.status, 201)
    assert.deepEqual({ ...reply.body, id: '' }, { id: '', title: 'SQL by example', teacher: 'user-456' })
    const { body } = await call('GET', '/courses', { token: alex })
    assert.deepEqual(body.courses.at(-1), reply.body)
  })

  test('PUT /progress: keeps the last value, only for its own user', async () => {
    for (const percent of [10, 0, 100]) {
      const reply = await call('PUT', '/progress/inside-a-token', { token: alex, body: { percent } })
      assert.equal(reply.status, 200)
      assert.deepEqual([reply.body.course_id, reply.body.percent], ['inside-a-token', percent])
    }
    const own = await call('GET', '/progress', { token: alex })
    assert.deepEqual(
      own.body.progress.map((entry: { course_id: string; percent: number }) => [entry.course_id, entry.percent]),
      [['inside-a-token', 100]],
    )
    assert.deepEqual((await call('GET', '/progress', { token: robin })).body, { progress: [] })
  })

  test('PUT /progress: a user id in the body or the query does not change another user', async () => {
    const path = '/progress/typescript-basics'
    const inBody = await call('PUT', path, { token: alex, body: { percent: 5, user_id: 'user-456' } })
    assert.equal(inBody.status, 422)
    assert.equal((await call('PUT', `${path}?user_id=user-456`, { token: alex, body: { percent: 5 } })).status, 200)
    assert.deepEqual((await call('GET', '/progress', { token: robin })).body, { progress: [] })
  })

  const refusals: [what: string, path: string, status: number, code: string, body?: unknown, type?: string][] = [
    ['no body', '/progress/typescript-basics', 415, 'unsupported_media_type'],
    [
      'a form',
      '/progress/typescript-basics',
      415,
      'unsupported_media_type',
      'percent=4',
      'application/x-www-form-urlencoded',
    ],
    [
      'an unknown charset',
      '/progress/typescript-basics',
      415,
      'unsupported_media_type',
      '{}',
      'application/json; charset=x',
    ],
    ['broken JSON', '/progress/typescript-basics', 400, 'malformed_json', '{"percent":'],
    ['a bare number', '/progress/typescript-basics', 400, 'malformed_json', '40'],
    ['an array', '/progress/typescript-basics', 422, 'validation_failed', [40]],
    ['an empty object', '/progress/typescript-basics', 422, 'validation_failed', {}],
    ['a string', '/progress/typescript-basics', 422, 'validation_failed', { percent: '40' }],
    ['a fraction', '/progress/typescript-basics', 422, 'validation_failed', { percent: 0.5 }],
    ['a value above 100', '/progress/typescript-basics', 422, 'validation_failed', { percent: 101 }],
    ['a value below 0', '/progress/typescript-basics', 422, 'validation_failed', { percent: -1 }],
    ['a __proto__ member', '/progress/typescript-basics', 422, 'validation_failed', '{"__proto__":{"percent":1}}'],
    ['a body of 20 kB', '/progress/typescript-basics', 413, 'payload_too_large', { percent: ' '.repeat(20_000) }],
    ['an unknown course', '/progress/nowhere', 404, 'not_found', { percent: 1 }],
    ['a path that is not UTF-8', '/progress/%ff', 400, 'invalid_request', { percent: 1 }],
    ['an unknown path', '/nowhere', 404, 'not_found', { percent: 1 }],
  ]
  for (const [what, path, status, code, body, type] of refusals) {
    test(`PUT /progress: ${what} is refused as ${code}`, async () => {
      const reply = await call('PUT', path, { token: alex, body, ...(type !== undefined && { type }) })
      assert.equal(reply.status, status)
      assert.equal(reply.headers.get('content-type'), 'application/problem+json; charset=utf-8')
      assert.deepEqual([reply.body.code, reply.body.status, reply.body.error], [code, status, reply.body.title])
    })
  }

  for (const [what, title] of [
    ['empty', ''],
    ['blank', '  '],
    ['too long', 'x'.repeat(201)],
    ['two lines long', 'one\ntwo'],
    ['an unpaired surrogate', '\ud800'],
    ['an array', ['x']],
  ] as const) {
    test(`POST /courses: a title that is ${what} is refused as validation_failed`, async () => {
      const reply = await call('POST', '/courses', { token: robin, body: { title } })
      assert.deepEqual([reply.status, reply.body.code], [422, 'validation_failed'])
    })
  }

  test('only the owner can read the databases and the secret', () => {
    for (const name of ['auth.db', 'platform.db', 'server.secret']) {
      assert.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600, name)
    }
  })

  test('the secret is created once, and a file that others can read is made private', () => {
    const secret = secretIn(dataDir)
    assert.match(secret, /^[\w-]{64}$/)
    writeFileSync(join(dataDir, 'server.secret'), `${secret}\n`)
    assert.equal(secretIn(dataDir), secret)
    const other = mkdtempSync(join(tmpdir(), 'learning-platform-'))
    writeFileSync(join(other, 'server.secret'), 'given\n', { mode: 0o644 })
    assert.equal(secretIn(other), 'given')
    assert.equal(statSync(join(other, 'server.secret')).mode & 0o777, 0o600)
    rmSync(other, { recursive: true })
  })
})
