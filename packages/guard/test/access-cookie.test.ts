import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AccessCookieOptions, accessCookie } from '../src/access-cookie.ts'
import { guardWith, ISSUED, tokenFor } from './tokens.ts'

const name = '__Host-access'
const token = tokenFor()
const expires = new Date((ISSUED + 900) * 1000).toUTCString()

test('accessCookie: set stores the token until it expires, out of reach of scripts', () => {
  const cookie = accessCookie({ name })
  assert.equal(cookie.set(token), `${name}=${token}; Expires=${expires}; Path=/; Secure; HttpOnly; SameSite=Strict`)
  assert.equal(cookie.clear(), `${name}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict`)
})

test('accessCookie: domain, path, sameSite and secure are options, and clear names the same cookie', () => {
  const cookie = accessCookie({ name: 'access', domain: 'example.com', path: '/api', sameSite: 'Lax', secure: false })
  const attributes = 'Domain=example.com; Path=/api; HttpOnly; SameSite=Lax'
  assert.equal(cookie.set(token), `access=${token}; Expires=${expires}; ${attributes}`)
  assert.equal(cookie.clear(), `access=; Max-Age=0; ${attributes}`)
})

test('accessCookie: a guard reads what it has set, and a deleted cookie is no token', async () => {
  const guard = guardWith({ cookie: { name } })
  const sent = (value: string) => ({ method: 'GET', headers: { cookie: value.split(';')[0] as string } })
  const cookie = accessCookie({ name })
  assert.equal((await guard.authenticate(sent(cookie.set(token)))).subject, 'user-123')
  assert.throws(() => guard.authenticate(sent(cookie.clear())), { code: 'token_missing' })
})

test('accessCookie: what browsers would ignore, wrong options and wrong tokens throw a sentence', () => {
  const wrong: readonly [options: unknown, message: string][] = [
    [{ name, secure: false }, `secure must be true for ${name}`],
    [{ name: '__Secure-access', secure: false }, 'secure must be true for __Secure-access'],
    [{ name, domain: 'example.com' }, `domain must be left out for ${name}`],
    [{ name, path: '/api' }, `path must be '/' for ${name}`],
    [{ name: 'access', sameSite: 'None', secure: false }, "secure must be true for sameSite: 'None'"],
    [{}, 'name must be given: the name of a cookie'],
    [{ name: 'a b' }, 'name must be the name of a cookie (got a string)'],
    [{ name: 'a', domain: 'https://x' }, "domain must be a host name such as 'example.com' (got a string)"],
    [{ name: 'a', path: 'api; Domain=x' }, "path must be a path such as '/' (got a string)"],
    [{ name: 'a', path: '/api; Domain=x' }, "path must be a path such as '/' (got a string)"],
    [{ name: 'a', sameSite: 'strict' }, "sameSite must be 'Strict' or 'Lax' or 'None' (got a string)"],
    [{ name: 'a', secure: 1 }, 'secure must be true or false (got 1)'],
    [{ name: 'a', httpOnly: false }, 'there is no option "httpOnly"'],
  ]
  for (const [options, message] of wrong) {
    const call = () => accessCookie(options as AccessCookieOptions)
    assert.throws(call, { name: 'TypeError', message: `accessCookie: ${message}` })
  }
  for (const text of ['', 'a; Domain=evil.example', undefined]) {
    const call = () => accessCookie({ name }).set(text as string)
    assert.throws(call, { name: 'TypeError', message: 'accessCookie: token must be a token with exp' })
  }
})
