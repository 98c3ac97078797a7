import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { assertProblem, type Line, PASSWORD, type Started, sendRaw, startAuth } from '../server.ts'

const EMAIL = 'ann@example.com'

let server: Started

before(async () => {
  server = await startAuth()
  await server.auth.users.create({ email: EMAIL, password: PASSWORD })
})
after(() => server[Symbol.asyncDispose]())

describe('raw HTTP requests', () => {
  const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
  const good = JSON.stringify({ email: EMAIL, password: PASSWORD })
  const chunked = (body: string) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  const post = (head: string, body = '') => `POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${head}\r\n${body}`

  it('a chunked body is accepted', async () => {
    const type = 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n'
    assert.equal(statusOf(await sendRaw(server.port, post(type, chunked(good)))), 200)
    assert.equal(statusOf(await sendRaw(server.port, post(type, chunked('{"')))), 400)
  })

  it('a chunked body that is too large is 413', async () => {
    const type = 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n'
    const answer = await sendRaw(
      server.port,
      post(type, chunked(JSON.stringify({ email: EMAIL, password: 'x'.repeat(20_000) }))),
    )
    assert.equal(statusOf(answer), 413)
    assert.match(answer, /"code":"payload_too_large"/)
  })

  it('a body without content type is 415, no body at all is 422', async () => {
    assert.equal(statusOf(await sendRaw(server.port, post(`Content-Length: ${good.length}\r\n`, good))), 415)
    assert.equal(statusOf(await sendRaw(server.port, post(''))), 422)
    assert.equal(statusOf(await sendRaw(server.port, post('Content-Length: 0\r\n'))), 422)
  })

  it('POST /logout without a body or Content-Length, as sent by curl, logs out', async () => {
    const { access_token } = await server.auth.sessions.create({ subject: 'ann' })
    const request = `POST /logout HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${access_token}\r\n\r\n`
    assert.equal(statusOf(await sendRaw(server.port, request)), 204)
    assert.equal(statusOf(await sendRaw(server.port, request)), 401)
  })

  it('request smuggling, invalid hosts and invalid paths are refused with 4xx, never 500', async () => {
    const requests = [
      post('Content-Type: application/json\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n', chunked(good)),
      post('Content-Type: application/json\r\nContent-Length: 5\r\nContent-Length: 6\r\n', good),
      'GET /me HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n',
      'GET /me HTTP/1.1\r\nHost: x/@y\r\nConnection: close\r\n\r\n',
      'GET /%ff%fe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'DELETE /sessions/%E0%A4%A HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'GET //evil.example/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'GET /me/../healthz/%2e%2e/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'GET http://evil.example/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    ]
    for (const request of requests) {
      const status = statusOf(await sendRaw(server.port, request))
      assert.ok(status >= 400 && status < 500, `${status} for ${request.slice(0, 60)}`)
    }
  })
})

describe('methods and paths', () => {
  it('a wrong method is 405 with the right methods in Allow', async () => {
    const wrong: [method: string, path: string, allow: string][] = [
      ['GET', '/login', 'POST'],
      ['PUT', '/login', 'POST'],
      ['DELETE', '/refresh', 'POST'],
      ['PATCH', '/logout', 'POST'],
      ['POST', '/me', 'GET, PATCH, DELETE'],
      ['POST', '/.well-known/jwks.json', 'GET'],
      ['PUT', '/sessions/x', 'GET, DELETE'],
      ['PUT', '/sessions', 'GET, DELETE'],
    ]
    for (const [method, path, allow] of wrong) {
      const reply = await server.call(path, { method, ...(method === 'POST' && { json: {} }) })
      assertProblem(reply, [405, 'method_not_allowed'], `${method} ${path}`)
      assert.equal(reply.headers.get('Allow'), allow)
    }
  })

  it('an unknown path is 404', async () => {
    for (const path of [
      '/',
      '/nope',
      '/login/',
      '/Login',
      '/login.json',
      '/sessions/a/b',
      '/.well-known/jwksXjson',
      '/__proto__',
    ]) {
      assertProblem(await server.call(path), [404, 'not_found'], path)
    }
  })

  it('HEAD returns the same status as GET, without a body', async () => {
    const { status, text } = await server.call('/healthz', { method: 'HEAD' })
    assert.deepEqual([status, text], [200, ''])
  })

  it('attack: a client cannot replace the request id in the log; a valid id of the client is logged separately', async () => {
    const logged = async (given: string) => {
      const { headers, body } = await server.call('/me', { headers: { 'X-Request-Id': given } })
      const { fields } = server.lines.findLast(({ message }) => message === 'request') as Line
      const { request_id, caller_request_id } = fields as Record<string, string>
      assert.match(request_id ?? '', /^[\w-]{12}$/)
      assert.deepEqual([headers.get('X-Request-Id'), body.request_id], [request_id, request_id])
      return caller_request_id
    }
    assert.equal(await logged('abc-123_x.y'), 'abc-123_x.y')
    for (const given of ['a b', '<script>', 'x'.repeat(65), 'a"b', 'é', ''])
      assert.equal(await logged(given), undefined)
  })
})
