import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { GuardRequest } from '../src/index.ts'
import { findCredentials as findUnjudged, readAuthorization, tokenFault } from '../src/request/credentials.ts'

/** As the guard does with a token that is not cached. */
function judged(found: ReturnType<typeof findUnjudged>) {
  return found.kind === 'token' ? (tokenFault(found) ?? found) : found
}
const findCredentials = (request: GuardRequest) => judged(findUnjudged(request))
const parseAuthorization = (value: string) => judged(readAuthorization(value))

const JWT = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1In0.c2ln'

const headerCases: readonly [value: string, verdict: 'none' | 'invalid' | { token: string }][] = [
  [`Bearer ${JWT}`, { token: JWT }],
  [`bearer ${JWT}`, { token: JWT }],
  [`BEARER ${JWT}`, { token: JWT }],
  [`bEaReR ${JWT}`, { token: JWT }],
  ['Bearer a', { token: 'a' }],
  ['Bearer a.b_c~d+e/f-g', { token: 'a.b_c~d+e/f-g' }],
  ['Bearer YWJj==', { token: 'YWJj==' }],
  ['Bearer Bearer', { token: 'Bearer' }],
  [`Bearer ${'a'.repeat(9000)}`, { token: 'a'.repeat(9000) }],
  ['', 'none'],
  [' ', 'none'],
  ['Basic dXNlcjpwYXNz', 'none'],
  ['Digest username="a", realm="b", uri="/"', 'none'],
  ['DPoP abc', 'none'],
  ['Token abc', 'none'],
  [JWT, 'none'],
  [`Bearer${JWT}`, 'none'],
  [`Bearer:${JWT}`, 'none'],
  [`Bearer=${JWT}`, 'none'],
  [`Bear er ${JWT}`, 'none'],
  ['"Bearer" abc', 'none'],
  ['Bearer', 'invalid'],
  ['bearer', 'invalid'],
  ['Bearer ', 'invalid'],
  ['Bearer \t ', 'invalid'],
  [`Bearer  ${JWT}`, 'invalid'],
  [`Bearer   ${JWT}`, 'invalid'],
  [`Bearer\t${JWT}`, 'invalid'],
  [`Bearer \t${JWT}`, 'invalid'],
  [`Bearer ${JWT} `, 'invalid'],
  [`Bearer ${JWT} extra`, 'invalid'],
  [`Bearer ${JWT}, Bearer ${JWT}`, 'invalid'],
  [`Bearer ${JWT},${JWT}`, 'invalid'],
  [`Bearer, Bearer ${JWT}`, 'invalid'],
  [`Bearer ${JWT}, Basic dXNlcjpwYXNz`, 'invalid'],
  [`Basic dXNlcjpwYXNz, Bearer ${JWT}`, 'invalid'],
  [`Basic dXNlcjpwYXNz,bearer ${JWT}`, 'invalid'],
  ['Basic dXNlcjpwYXNz, Bearer', 'invalid'],
  [`Bearer "${JWT}"`, 'invalid'],
  [`Bearer <${JWT}>`, 'invalid'],
  ['Bearer {"alg":"none"}', 'invalid'],
  ['Bearer =', 'invalid'],
  ['Bearer =abc', 'invalid'],
  ['Bearer a=b', 'invalid'],
  ['Bearer tök', 'invalid'],
  ['Bearer a\u0000b', 'invalid'],
  ['Bearer a\nb', 'invalid'],
  ['Bearer a\n', 'invalid'],
  ['Bearer a%20b', 'invalid'],
  ['Bearer a;b', 'invalid'],
  ['Bearer\u00a0abc', 'none'],
]

test(`credentials: reads ${headerCases.length} Authorization headers according to RFC 6750 §2.1`, () => {
  for (const [value, verdict] of headerCases) {
    const found = parseAuthorization(value)
    const expected = typeof verdict === 'string' ? verdict : 'token'
    assert.equal(found.kind, expected, JSON.stringify(value.slice(0, 80)))
    if (found.kind === 'token' && typeof verdict === 'object') assert.equal(found.token, verdict.token)
  }
})

test('credentials: the sentence about a refused header repeats nothing from it', () => {
  for (const [value, verdict] of headerCases) {
    const found = parseAuthorization(value)
    if (verdict !== 'invalid' || found.kind !== 'invalid') continue
    assert.match(found.detail, /^The [A-Za-z0-9", ]+\.$/)
    assert.ok(!found.detail.includes(JWT))
  }
})

test('credentials: every accepted value is a token68 after "Bearer" and one space', () => {
  const pieces = fc.constantFrom('Bearer', 'bearer', 'Basic', ' ', '\t', ',', 'abc', '.', '=', '"', 'é', '\r\n')
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
      const value = parts.join('')
      const found = parseAuthorization(value)
      if (found.kind !== 'token') return
      assert.equal(value.slice(7), found.token)
      assert.match(value, /^bearer [A-Za-z0-9\-._~+/]+=*$/i)
    }),
    { numRuns: 2000 },
  )
})

test('credentials: a hostile header of 64 KB is processed in a few milliseconds', () => {
  const hostile = [
    `Basic ${', '.repeat(32_000)}`,
    `Basic ${',\t \t '.repeat(13_000)}`,
    `Bearer ${', '.repeat(32_000)}`,
    ' '.repeat(64_000),
    `Basic ,${' '.repeat(64_000)}`,
  ]
  const start = performance.now()
  for (const value of hostile) assert.notEqual(parseAuthorization(value).kind, 'token')
  assert.ok(performance.now() - start < 200)
})

test('credentials: beyond 2048 characters only a comma is searched for; verify refuses the rest', () => {
  for (const text of ['='.repeat(64_000), 'a='.repeat(32_000), `${'a'.repeat(2048)} b`]) {
    assert.equal(parseAuthorization(`Bearer ${text}`).kind, 'token')
  }
  assert.equal(parseAuthorization(`Bearer ${'a'.repeat(2048)},Bearer b`).kind, 'invalid')
  assert.equal(parseAuthorization(`Bearer ${'a'.repeat(2046)} b`).kind, 'invalid')
})

test('credentials: a missing Authorization header is none, in every kind of request', () => {
  assert.equal(findCredentials({ headers: {} }).kind, 'none')
  assert.equal(findCredentials({ headers: { authorization: undefined } }).kind, 'none')
  assert.equal(findCredentials({ headers: {}, rawHeaders: ['Host', 'localhost'] }).kind, 'none')
  assert.equal(findCredentials(new Request('http://localhost/')).kind, 'none')
})

test('credentials: the header is found in a web Request, a Node request and a plain object', () => {
  const expected = { kind: 'token', token: JWT }
  const value = `Bearer ${JWT}`
  assert.deepEqual(findCredentials(new Request('http://localhost/', { headers: { Authorization: value } })), expected)
  assert.deepEqual(
    findCredentials({ headers: { authorization: value }, rawHeaders: ['Authorization', value] }),
    expected,
  )
  assert.deepEqual(findCredentials({ headers: { authorization: value } }), expected)
  assert.deepEqual(findCredentials({ headers: { Authorization: value } }), expected)
  assert.deepEqual(findCredentials({ headers: { authorization: [value] } }), expected)
})

test('credentials: a header that middleware added to a Node request is read', () => {
  const found = findCredentials({ headers: { authorization: `Bearer ${JWT}` }, rawHeaders: ['Cookie', 'a=b'] })
  assert.equal(found.kind, 'token')
})

test('credentials: two Authorization headers are invalid, in every kind of request', () => {
  const value = `Bearer ${JWT}`
  const headers = new Headers({ authorization: value })
  headers.append('authorization', value)
  const basicFirst = new Headers({ authorization: 'Basic dXNlcjpwYXNz' })
  basicFirst.append('authorization', value)
  const requests = [
    { headers: { authorization: value }, rawHeaders: ['Authorization', value, 'authorization', value] },
    { headers: { authorization: value }, rawHeaders: ['Authorization', value, 'AUTHORIZATION', 'Basic dXNlcjpwYXNz'] },
    { headers },
    { headers: basicFirst },
    { headers: { authorization: [value, value] } },
    { headers: { authorization: value, Authorization: value } },
  ]
  for (const request of requests) assert.equal(findCredentials(request).kind, 'invalid')
})

test('credentials: a header value that looks like a field name is not counted', () => {
  const rawHeaders = ['X-Forwarded-Name', 'authorization', 'Authorization', `Bearer ${JWT}`]
  assert.equal(findCredentials({ headers: { authorization: `Bearer ${JWT}` }, rawHeaders }).kind, 'token')
})

test('credentials: a header inherited from a prototype is not read', () => {
  const headers = Object.create({ authorization: `Bearer ${JWT}` }) as Record<string, string>
  assert.equal(findCredentials({ headers }).kind, 'none')
})

test('credentials: a token in the URL or a cookie is never used', () => {
  const url = `/orders?access_token=${JWT}`
  assert.equal(findCredentials({ headers: {}, url }).kind, 'none')
  assert.equal(findCredentials({ headers: { cookie: `access_token=${JWT}` }, url: '/' }).kind, 'none')
  assert.equal(findCredentials(new Request(`http://localhost${url}`)).kind, 'none')
})

test('credentials: a token in the URL in addition to one in the header is refused as two methods (RFC 6750 §3.1)', () => {
  const headers = { authorization: `Bearer ${JWT}` }
  assert.equal(findCredentials({ headers, url: `/orders?access_token=${JWT}` }).kind, 'invalid')
  assert.equal(findCredentials({ headers, url: `/orders?a=b&access_token=${JWT}` }).kind, 'invalid')
  assert.equal(findCredentials({ headers, url: '/orders?my_access_token=x' }).kind, 'token')
  assert.equal(findCredentials({ headers, url: '/access_token=' }).kind, 'token')
})
