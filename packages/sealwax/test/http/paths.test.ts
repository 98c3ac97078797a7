import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import express from 'express'
import { toNodeHandler } from '../../src/http/node.ts'
import { type Line, PASSWORD, type Started, sendRaw, startAuth } from '../server.ts'

const CREDENTIALS = { email: 'ann@example.com', password: PASSWORD }

let server: Started
let token: string

before(async () => {
  server = await startAuth()
  await server.auth.users.create({ ...CREDENTIALS, roles: ['sealwax:admin'] })
  token = (await server.call('/login', { json: CREDENTIALS })).body.access_token
})
after(() => server[Symbol.asyncDispose]())

/** Sends a request with exactly these header fields. */
async function send(port: number, target: string, { method = 'GET', hosts = ['x'] } = {}) {
  const fields = [...hosts.map((host) => `Host: ${host}`), `Authorization: Bearer ${token}`, 'Connection: close']
  const reply = await sendRaw(port, `${method} ${target} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`)
  const [head = '', body = ''] = reply.split('\r\n\r\n')
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, body }
}

/** Other spellings of our paths that a URL parser or a router may treat as the same path. */
const SPELLINGS = [
  ...['/%61dmin/keys', '/admin/%6beys', '/%6De', '/m%65', '/sessions%2F', '/me%00', '/me%20'],
  ...['/x/../admin/keys', '/x/%2e%2e/admin/keys', '/x/%2E./me', '/./me', '/me/.', '/%2e/me', '/me/../me', '/../me'],
  ...['//me', '/me/', '///me', '/admin//keys', '//x/../me', '//x/../../../me', '/me;x=1', '/ME', '/me%2f'],
  ...['/x\\..\\me', '/\\me', '\\me', '/me\\', '/me#x', 'me', 'x://y/me'],
  ...['http://x/me', 'https://x/me', 'HTTP://x/me', 'http://evil.example/admin/keys', 'http:///me'],
]

describe('node:http', () => {
  it('attack: another encoding of our path, which proxy rules may not match, is 404', async () => {
    for (const path of ['/me', '/admin/keys']) assert.equal((await send(server.port, path)).status, 200, path)
    for (const target of SPELLINGS) {
      const { status, head, body } = await send(server.port, target)
      // Node itself refuses invalid request targets.
      if (status === 400 && !target.startsWith('/')) continue
      assert.deepEqual([target, status, JSON.parse(body).code], [target, 404, 'not_found'])
      assert.match(head, /^content-type: application\/problem\+json$/im)
    }
  })

  it('attack: another encoding of the path cannot log in or end a session', async () => {
    const { id } = (await server.auth.sessions.create({ subject: 'ann' })).session
    for (const target of ['/%6Cogin', '/x/../login', 'http://x/login', '//login', '/login/', '/login%2f', '/./login']) {
      assert.equal((await send(server.port, target, { method: 'POST' })).status, 404, target)
    }
    const encoded = `%${id.charCodeAt(0).toString(16)}${id.slice(1)}`
    for (const last of [encoded, `${id}/`, `./${id}`, `x/../${id}`, '..', '.', '%2e%2e', `${id}\\x`]) {
      assert.equal((await send(server.port, `/sessions/${last}`, { method: 'DELETE' })).status, 404, last)
    }
    assert.equal((await server.auth.sessions.list('ann')).length, 1)
  })

  it('in an app, another encoding of our path is passed on to the routes of the app', async () => {
    const app = express()
      .use(toNodeHandler(server.auth))
      .use((_request, response) => void response.status(418).send('the app'))
    const listening = createServer(app as RequestListener)
    await new Promise<void>((ready) => listening.listen(0, '127.0.0.1', ready))
    const { port } = listening.address() as AddressInfo
    assert.equal((await send(port, '/me')).status, 200)
    for (const target of SPELLINGS.filter((path) => path.startsWith('/') || path.startsWith('http')))
      assert.equal((await send(port, target)).status, 418, target)
    await new Promise((closed) => listening.close(closed))
  })

  it('attack: two Host fields are 400, since a proxy may have used the other one', async () => {
    for (const hosts of [
      ['a', 'b'],
      ['a', 'a'],
      ['a', ''],
    ]) {
      const { status, head, body } = await send(server.port, '/me', { hosts })
      assert.deepEqual([status, JSON.parse(body).code], [400, 'invalid_request'])
      assert.match(JSON.parse(body).detail, /more than one Host/)
      assert.match(head, /^x-request-id: [\w-]{12}$/im)
    }
    assert.equal((await send(server.port, '/me', { hosts: [] })).status, 400)
    assert.equal((await send(server.port, '/me', { hosts: ['A'] })).status, 200)
  })
})

describe('fetch', () => {
  it('attack: another encoding of our path is 404', async () => {
    const status = async (method: string, path: string) => {
      const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
      return (await server.auth.fetch(new Request(`http://x${path}`, { method, headers }))).status
    }
    for (const path of ['/me', '/me?x=%61', '/admin/keys', '/me#x']) assert.equal(await status('GET', path), 200, path)
    for (const path of ['/%6de', '/%61dmin/keys', '/me%2f', '/me%', '/%', '//me', '/me/'])
      assert.equal(await status('GET', path), 404, path)
    assert.equal(await status('POST', '/%6Cogin'), 404)
    assert.equal(await status('DELETE', '/sessions/%61'), 404)
  })

  it('handles() is true only for the plain encoding of our paths', () => {
    const { auth } = server
    for (const path of ['/me', '/sessions/x', '/admin/keys/k/revoke']) assert.ok(auth.handles(path), path)
    const others = ['/sessions/..', '/sessions/.', '/sessions/a%62', '/sessions/a\\b', '/admin/keys/../revoke']
    for (const path of [...others, ...SPELLINGS]) assert.ok(!auth.handles(path), path)
  })
})

describe('the logged path', () => {
  const logged = async (target: string) => {
    await send(server.port, target)
    const { fields } = server.lines.findLast(({ message }) => message === 'request') as Line
    return (fields as { path: string }).path
  }

  it('is complete for our paths', async () => {
    for (const path of ['/me', '/sessions/4pXq7cT2mVb9Rk1LwZ8sDg']) assert.equal(await logged(`${path}?x=1`), path)
  })

  it('attack: contains no token if it is not one of our paths', async () => {
    const TOKEN = 'dGhlIHNlY3JldCBvZiBzb21lYm9keQ'
    const cases: [target: string, path: string][] = [
      ['/nothing', '/…'],
      ['/', '/'],
      [`/reset/${TOKEN}`, '/reset/…'],
      [`/reset/${TOKEN}/`, '/reset/…'],
      [`/reset/${TOKEN}//?x=1`, '/reset/…'],
      [`/reset/${TOKEN}/confirm`, '/reset/…/…'],
      [`/me/../reset/${TOKEN}`, '/me/../reset/…'],
      [`/%6de/${TOKEN}`, '/%6de/…'],
      [`/${'a/'.repeat(500)}${TOKEN}`, `/${'a/'.repeat(63)}…`],
    ]
    for (const [target, path] of cases) assert.equal(await logged(target), path)
    assert.ok(!JSON.stringify(server.lines).includes(TOKEN))
  })
})
