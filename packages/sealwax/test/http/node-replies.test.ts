import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { toNodeHandler } from '../../src/http/node.ts'
import { type AuthServer, createAuth } from '../../src/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { type Call, call, listen, PASSWORD, SECRET, tempDir } from '../server.ts'

const EMAIL = 'ann@example.com'
const ORIGIN = 'https://app.example.com'
const OWN = { Request: globalThis.Request, Response: globalThis.Response }

const dir = tempDir()
let auth: AuthServer

before(async () => {
  const store = sqliteStore(join(dir.path, 'store.db'))
  const [issuer, audience] = ['http://127.0.0.1:5000', 'api']
  auth = await createAuth({ issuer, audience, secret: SECRET, store, allowedOrigins: [ORIGIN] })
  await auth.users.create({ id: 'user-123', email: EMAIL, password: PASSWORD })
})
after(async () => {
  await auth.close()
  dir[Symbol.dispose]()
})

/** A response without the parts that differ each time. */
async function answered(base: string, path: string, options: Call): Promise<object> {
  const { status, headers, text } = await call(base, path, options)
  const lines = [...headers].map(([name, value]) =>
    ['date', 'x-request-id'].includes(name) ? [name] : [name, value.replace(/swr_[\w-]+/, '…')],
  )
  return { status, headers: lines, text: text.replace(/"(\w*token|request_id|id|expires_at)":"[^"]+"/g, '"$1":"…"') }
}

/** One response of each kind. */
async function walk(base: string): Promise<object[]> {
  const credentials = { email: EMAIL, password: PASSWORD }
  const { body, headers } = await call(base, '/login', {
    json: { ...credentials, mode: 'cookie' },
    headers: { Origin: ORIGIN },
  })
  const cookie = (headers.get('Set-Cookie') ?? '').split(';', 1)[0] as string
  const etag = (await call(base, '/.well-known/jwks.json')).headers.get('ETag') ?? ''
  const token = body.access_token
  const calls: [path: string, options: Call][] = [
    ['/healthz', {}],
    ['/healthz', { method: 'HEAD' }],
    ['/me', { token }],
    ['/me', { token, headers: { Origin: ORIGIN } }],
    ['/me', {}],
    ['/me', { method: 'OPTIONS', headers: { Origin: ORIGIN, 'Access-Control-Request-Method': 'GET' } }],
    ['/me', { method: 'POST', json: {} }],
    ['/login', { json: { email: EMAIL } }],
    ['/login', { body: '{', headers: { 'Content-Type': 'application/json' } }],
    ['/refresh', { method: 'POST', headers: { Cookie: cookie, Origin: ORIGIN } }],
    ['/oauth/token', { body: 'grant_type=nothing', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }],
    ['/.well-known/jwks.json', {}],
    ['/.well-known/jwks.json', { headers: { 'If-None-Match': etag } }],
    ['/openapi', {}],
    ['/nothing', {}],
    ['/logout', { json: { scope: 'current' }, token }],
  ]
  const replies: object[] = []
  for (const [path, options] of calls) replies.push(await answered(base, path, options))
  return replies
}

describe('toNodeHandler with overrideGlobalObjects', () => {
  it('responses are the same as without it', async () => {
    await using plain = await listen(toNodeHandler(auth))
    const expected = await walk(plain.url)
    assert.deepEqual(
      { Request: globalThis.Request, Response: globalThis.Response },
      OWN,
      'without it, no global is replaced',
    )
    await using light = await listen(toNodeHandler(auth, { overrideGlobalObjects: true }))
    assert.notEqual(globalThis.Response, OWN.Response)
    assert.deepEqual(await walk(light.url), expected)
  })
})
