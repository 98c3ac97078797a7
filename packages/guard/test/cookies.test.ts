import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CookieRule, GuardErrorCode, GuardRequest } from '../src/index.ts'
import { bearing, guardWith, tokenFor } from './tokens.ts'

const name = '__Host-access'
const token = tokenFor()
const guard = guardWith({ cookie: { name, origins: ['https://app.example.com'] } })

function codeOf(request: GuardRequest, from = guard): GuardErrorCode | 'passes' {
  try {
    const auth = from.authenticate(request)
    assert.ok(!(auth instanceof Promise) && auth.subject === 'user-123')
    return 'passes'
  } catch (error) {
    return (error as { code: GuardErrorCode }).code
  }
}

const cookies: readonly [cookie: string, verdict: GuardErrorCode | 'passes'][] = [
  [`${name}=${token}`, 'passes'],
  [`a=b; ${name}=${token}; c=d`, 'passes'],
  [`a=b;${name}=${token}`, 'passes'],
  [` ${name} = ${token} `, 'passes'],
  [`a; ${name}=${token}`, 'passes'],
  [`${name}=; ${name}=${token}`, 'passes'],
  ['', 'token_missing'],
  ['a=b', 'token_missing'],
  [`${name}=`, 'token_missing'],
  [name, 'token_missing'],
  [`__host-access=${token}`, 'token_missing'],
  [`x${name}=${token}`, 'token_missing'],
  [`a=${name}=${token}`, 'token_missing'],
  [`\u00a0${name}=${token}`, 'token_missing'],
  [`${name}=${token}; ${name}=${token}`, 'invalid_request'],
  [`${name}=${token}; ${name}=other`, 'invalid_request'],
  [`${name}="${token}"`, 'passes'],
  [`${name}=""`, 'token_missing'],
  [`${name}="${token}`, 'invalid_request'],
  [`${name}="`, 'invalid_request'],
  [`${name}=a b`, 'invalid_request'],
  [`${name}=a,b`, 'invalid_request'],
  [`${name}=tök`, 'invalid_request'],
  [`${name}=abc`, 'token_malformed'],
]

test(`cookies: reads ${cookies.length} Cookie headers, in a plain object, a Node request and a web Request`, () => {
  for (const [cookie, verdict] of cookies) {
    assert.equal(codeOf({ method: 'GET', headers: { Cookie: cookie } }), verdict, cookie)
    assert.equal(codeOf({ method: 'GET', headers: { cookie }, rawHeaders: ['Cookie', cookie] }), verdict, cookie)
    if (/[^\0-\xff]/.test(cookie)) continue
    assert.equal(codeOf(new Request('https://api.example.com/', { headers: { cookie } })), verdict, cookie)
  }
  assert.equal(codeOf({ method: 'GET', headers: { cookie: ['a=b', `${name}=${token}`] } }), 'passes')
})

test('cookies: a token in the cookie in addition to one in the header or the URL is refused as two methods (RFC 6750 §2)', () => {
  const cookie = `${name}=${token}`
  const both = { ...bearing(token).headers, cookie }
  assert.equal(codeOf({ method: 'GET', headers: both }), 'invalid_request')
  assert.equal(codeOf({ method: 'GET', headers: { ...both, cookie: 'a=b' } }), 'passes')
  assert.equal(codeOf({ method: 'GET', headers: { ...both, authorization: 'Bearer' } }), 'invalid_request')
  assert.equal(codeOf({ method: 'GET', headers: { cookie }, url: '/?access_token=x' }), 'invalid_request')
  const basic = { authorization: 'Basic dXNlcjpwYXNz', cookie }
  assert.equal(codeOf({ method: 'GET', headers: basic }), 'passes', 'Basic credentials are not a token')
})

test('cookies: without the option no cookie is read, and with it the header works for every method', () => {
  const cookie = `${name}=${token}`
  assert.equal(codeOf({ method: 'GET', headers: { cookie } }, guardWith()), 'token_missing')
  assert.equal(codeOf({ method: 'POST', ...bearing(token) }), 'passes')
})

type Fields = Record<string, string>
const origin = 'https://api.example.com'
const host = 'api.example.com'
const fetched = (site: string, more: Fields = {}): Fields => ({ 'sec-fetch-site': site, host, ...more })

const forgeries: readonly [method: string | undefined, fields: Fields, verdict: 'csrf_failed' | 'passes'][] = [
  ['GET', {}, 'passes'],
  ['HEAD', {}, 'passes'],
  ['OPTIONS', {}, 'passes'],
  ['GET', fetched('cross-site', { origin: 'https://evil.example' }), 'passes'],
  ['POST', {}, 'csrf_failed'],
  ['PUT', {}, 'csrf_failed'],
  ['PATCH', {}, 'csrf_failed'],
  ['DELETE', {}, 'csrf_failed'],
  ['TRACE', {}, 'csrf_failed'],
  ['get', {}, 'csrf_failed'],
  [undefined, {}, 'csrf_failed'],
  ['POST', fetched('same-origin'), 'passes'],
  ['POST', fetched('none'), 'passes'],
  ['POST', fetched('same-site'), 'csrf_failed'],
  ['POST', fetched('cross-site'), 'csrf_failed'],
  ['POST', fetched(''), 'csrf_failed'],
  ['POST', fetched('Same-Origin'), 'csrf_failed'],
  ['POST', fetched('same-origin, cross-site'), 'csrf_failed'],
  ['POST', fetched('cross-site', { origin }), 'csrf_failed'],
  ['POST', fetched('same-site', { origin: 'https://app.example.com' }), 'passes'],
  ['POST', fetched('cross-site', { origin: 'https://app.example.com' }), 'passes'],
  ['POST', { host, origin }, 'passes'],
  ['POST', { host: `${host}:443`, origin }, 'passes'],
  ['POST', { ':authority': host, origin }, 'passes'],
  ['POST', { host: 'API.example.com', origin }, 'passes'],
  ['POST', { host: 'localhost:3000', origin: 'http://localhost:3000' }, 'passes'],
  ['POST', { host: '127.0.0.1:3000', origin: 'http://127.0.0.1:3000' }, 'passes'],
  ['POST', { host, origin: 'http://api.example.com' }, 'csrf_failed'],
  ['POST', { host: 'localhost:3000', origin: 'http://localhost:3001' }, 'csrf_failed'],
  ['POST', { host, origin: 'https://api.example.com:8443' }, 'csrf_failed'],
  ['POST', { host, origin: 'https://api.example.com.evil.example' }, 'csrf_failed'],
  ['POST', { host, origin: 'https://evil.example' }, 'csrf_failed'],
  ['POST', { host, origin: 'null' }, 'csrf_failed'],
  ['POST', { host, origin: '' }, 'csrf_failed'],
  ['POST', { host, origin: `${origin}, https://evil.example` }, 'csrf_failed'],
  ['POST', { host, origin: `${origin}/` }, 'csrf_failed'],
  ['POST', { host, origin: 'https://user@api.example.com' }, 'csrf_failed'],
  ['POST', { origin }, 'csrf_failed'],
  ['POST', { host: '', origin }, 'csrf_failed'],
  ['POST', { host: `evil.example/@${host}`, origin }, 'csrf_failed'],
  ['POST', { host, referer: `${origin}/page` }, 'csrf_failed'],
  ['POST', { origin: 'https://app.example.com' }, 'passes'],
  ['POST', { origin: 'http://app.example.com' }, 'csrf_failed'],
  ['GET', { upgrade: 'websocket', host }, 'csrf_failed'],
  ['GET', { upgrade: 'websocket', host, origin: 'https://evil.example' }, 'csrf_failed'],
  ['GET', { upgrade: 'websocket', host, origin }, 'passes'],
]

test(`cookies: ${forgeries.length} requests that another page may have sent are checked, and refused in doubt`, () => {
  for (const [method, fields, verdict] of forgeries) {
    const headers = { cookie: `${name}=${token}`, ...fields }
    const told = JSON.stringify([method, fields])
    assert.equal(codeOf({ method, headers }), verdict, told)
    assert.equal(codeOf({ method, headers, rawHeaders: Object.entries(headers).flat() }), verdict, told)
  }
})

test('cookies: a web Request shows its own origin in its URL', () => {
  const request = (from: string) =>
    new Request(`${origin}/orders`, { method: 'POST', headers: { cookie: `${name}=${token}`, origin: from } })
  assert.equal(codeOf(request(origin)), 'passes')
  assert.equal(codeOf(request('https://evil.example')), 'csrf_failed')
})

test('cookies: a forged request is refused before its token is read, also with optional', () => {
  const forged = { method: 'POST', headers: { cookie: `${name}=abc` } }
  assert.equal(codeOf(forged), 'csrf_failed')
  assert.throws(() => guard.authenticate(forged, { optional: true }), { code: 'csrf_failed', status: 403 })
  assert.equal(guard.authenticate({ method: 'POST', headers: {} }, { optional: true }), undefined)
})

test('cookies: a hostile Cookie header of 64 KB is processed in a few milliseconds', () => {
  const hostile = [
    `${name}=${'\t '.repeat(32_000)}x`,
    `${' '.repeat(64_000)}${name}`,
    `${name};`.repeat(4500),
    '='.repeat(64_000) + name,
    `${';'.repeat(64_000)}${name}=`,
  ]
  const start = performance.now()
  for (const cookie of hostile) assert.notEqual(codeOf({ method: 'GET', headers: { cookie } }), 'passes')
  assert.ok(performance.now() - start < 300)
})

test('cookies: the option is checked when the guard is created, and copied', () => {
  const wrong: unknown[] = [
    null,
    name,
    {},
    { name: '' },
    { name: 'a b' },
    { name: 'a=b' },
    { name: 'a;b' },
    { name: undefined },
    { name, origins: undefined },
    { name, origins: 'https://app.example.com' },
    { name, origins: ['https://app.example.com/'] },
    { name, origins: ['app.example.com'] },
    { name, origins: ['https://*.example.com'] },
    { name, origins: ['null'] },
    { name, origins: ['*'] },
    { name, origins: ['HTTPS://APP.example.com'] },
    { name, origin: 'https://app.example.com' },
  ]
  for (const cookie of wrong) {
    assert.throws(() => guardWith({ cookie: cookie as CookieRule }), TypeError, JSON.stringify(cookie))
  }
  const origins = ['https://app.example.com']
  const own = guardWith({ cookie: { name, origins } })
  origins[0] = 'https://evil.example'
  const headers = { cookie: `${name}=${token}`, origin: 'https://evil.example' }
  assert.equal(codeOf({ method: 'POST', headers }, own), 'csrf_failed')
})
