import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOUR, PASSWORD, type Started, standing, startAuth } from '../server.ts'

const CREDENTIALS = { email: 'alex@example.com', password: PASSWORD }
const SAME = { 'Sec-Fetch-Site': 'same-origin' }

async function start(options = {}): Promise<Started> {
  const started = await startAuth(options)
  await started.auth.users.create({ id: 'user-123', ...CREDENTIALS })
  return started
}

/** Logs in with a cookie. Returns the pair to send back and the attributes. */
async function cookieLogin({ call }: Started, body: object = {}, headers: Record<string, string> = {}) {
  const reply = await call('/login', { json: { ...CREDENTIALS, mode: 'cookie', ...body }, headers })
  assert.equal(reply.status, 200)
  return { reply, ...cookieOf(reply.headers) }
}

function cookieOf(headers: Headers) {
  const [line = ''] = headers.getSetCookie()
  const [pair = '', ...attributes] = line.split('; ')
  return { pair, attributes: attributes.toSorted(), token: pair.slice(pair.indexOf('=') + 1) }
}

test('cookie: the refresh token is in an HttpOnly cookie and not in the body', async () => {
  await using started = await start()
  const { reply, pair, attributes } = await cookieLogin(started)
  assert.equal('refresh_token' in reply.body, false)
  assert.ok(!reply.text.includes('swr_'))
  assert.match(pair, /^sealwax=swr_/)
  assert.deepEqual(attributes, ['HttpOnly', 'Max-Age=1209600', 'Path=/', 'SameSite=Strict'])
})

test('cookie: with an https issuer, it is Secure and bound to the host', async () => {
  await using started = await start({ issuer: 'https://auth.example.com' })
  const { pair, attributes } = await cookieLogin(started)
  assert.match(pair, /^__Host-sealwax=swr_/)
  assert.deepEqual(attributes, ['HttpOnly', 'Max-Age=1209600', 'Path=/', 'SameSite=Strict', 'Secure'])
})

test('cookie: refresh reads it, rotates it, and keeps it out of the body', async () => {
  await using started = await start()
  const { pair } = await cookieLogin(started)
  const refreshed = await started.call('/refresh', { method: 'POST', headers: { Cookie: pair, ...SAME } })
  assert.equal(refreshed.status, 200)
  assert.ok(!refreshed.text.includes('swr_'))
  const next = cookieOf(refreshed.headers)
  assert.notEqual(next.pair, pair)
  const again = await started.call('/refresh', { method: 'POST', headers: { Cookie: pair, ...SAME } })
  assert.equal(cookieOf(again.headers).pair, next.pair, 'a second tab gets the same successor')
})

test('cookie: logout ends the session and clears the cookie', async () => {
  await using started = await start()
  const { reply, pair } = await cookieLogin(started)
  const out = await started.call('/logout', { method: 'POST', headers: { Cookie: pair, ...SAME } })
  assert.equal(out.status, 204)
  assert.match(out.headers.getSetCookie()[0] as string, /^sealwax=; Max-Age=0; /)
  assert.equal(await standing(started.auth, reply.body.access_token), 'token_revoked')
})

/**
 * Legitimate requests and the forged ones of the OWASP CSRF cheat sheet: the headers that a browser
 * sends, and whether the request is accepted.
 */
const MATRIX: readonly [what: string, headers: Record<string, string>, allowed: boolean][] = [
  ['same origin', { 'Sec-Fetch-Site': 'same-origin', Origin: 'https://auth.example.com' }, true],
  ['same origin, no Origin header', { 'Sec-Fetch-Site': 'same-origin' }, true],
  ['an allowed origin', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://app.example.com' }, true],
  ['an old browser on our own page', { Origin: 'https://auth.example.com' }, true],
  ['an old browser on an allowed page', { Origin: 'https://app.example.com' }, true],
  ['another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }, false],
  ['another site, no Origin header', { 'Sec-Fetch-Site': 'cross-site' }, false],
  ['a sibling subdomain', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://blog.example.com' }, false],
  ['a sibling subdomain, no Origin header', { 'Sec-Fetch-Site': 'same-site' }, false],
  ['a typed address', { 'Sec-Fetch-Site': 'none' }, false],
  ['an opaque origin', { Origin: 'null' }, false],
  ['an allowed origin with a suffix', { Origin: 'https://app.example.com.evil.example' }, false],
  ['an allowed origin over http', { Origin: 'http://app.example.com' }, false],
  ['an allowed origin on another port', { Origin: 'https://app.example.com:8443' }, false],
  ['neither Sec-Fetch-Site nor Origin', {}, false],
  ['only a Referer with our own origin', { Referer: 'https://auth.example.com/' }, false],
]

test('cookie: a refresh that keeps the token sets no cookie, so a late response cannot overwrite a newer cookie', async () => {
  await using started = await start()
  const { pair } = await cookieLogin(started)
  const rotated = await started.call('/refresh', { method: 'POST', headers: { Cookie: pair, ...SAME } })
  const next = cookieOf(rotated.headers).pair
  const kept = await started.call('/refresh', { method: 'POST', headers: { Cookie: next, ...SAME } })
  assert.equal(kept.status, 200)
  assert.deepEqual(kept.headers.getSetCookie(), [])
  assert.ok(kept.body.access_token)
})

for (const path of ['/refresh', '/refresh/confirm', '/logout']) {
  test(`cookie: ${path} is refused with csrf_failed unless the request comes from an allowed page`, async () => {
    const origins = { issuer: 'https://auth.example.com', allowedOrigins: ['https://app.example.com'] }
    await using started = await start(origins)
    for (const [what, headers, allowed] of MATRIX) {
      const { pair, reply } = await cookieLogin(started)
      const result = await started.call(path, { method: 'POST', headers: { ...headers, Cookie: pair } })
      assert.equal(result.status, allowed ? (path === '/refresh' ? 200 : 204) : 403, what)
      if (allowed) continue
      assert.equal(result.body.code, 'csrf_failed', what)
      assert.deepEqual(result.headers.getSetCookie(), [], what)
      assert.equal(await standing(started.auth, reply.body.access_token), 'accepted', `${what}: the session is valid`)
    }
  })
}

test('cookie: a form post from another site is refused because of its content type', async () => {
  await using started = await start()
  const { pair } = await cookieLogin(started)
  const headers = { Cookie: pair, 'Content-Type': 'text/plain', 'Sec-Fetch-Site': 'cross-site' }
  assert.equal((await started.call('/refresh', { body: '{}', headers })).status, 415)
})

test('cookie: a token in the body takes precedence over the cookie', async () => {
  await using started = await start()
  const { pair } = await cookieLogin(started)
  const { body } = await started.call('/login', { json: CREDENTIALS })
  const refreshed = await started.call('/refresh', {
    json: { refresh_token: body.refresh_token },
    headers: { Cookie: pair },
  })
  assert.equal(refreshed.status, 200)
  assert.equal(refreshed.body.session.id, body.session.id)
  assert.deepEqual(refreshed.headers.getSetCookie(), [])
})

test('cookie: a malformed cookie is refused like a malformed token, and a missing one with 422', async () => {
  await using started = await start()
  const garbled = await started.call('/refresh', { method: 'POST', headers: { Cookie: 'sealwax=swr_AAAA', ...SAME } })
  assert.equal(garbled.status, 400)
  assert.equal(garbled.body.reason, 'malformed')
  const none = await started.call('/refresh', { method: 'POST', headers: SAME })
  assert.equal(none.status, 422)
})

test('cookie: logging in again ends the session of the old cookie', async () => {
  await using started = await start()
  const first = await cookieLogin(started)
  await cookieLogin(started, {}, { Cookie: first.pair })
  assert.equal(await standing(started.auth, first.reply.body.access_token), 'token_revoked')
})

test('remember: false sets a cookie that ends with the browser and a session that ends within a day', async () => {
  await using started = await start()
  const { reply, pair, attributes } = await cookieLogin(started, { remember: false })
  assert.deepEqual(attributes, ['HttpOnly', 'Path=/', 'SameSite=Strict'])
  assert.equal(reply.body.refresh_expires_in, 86_400)
  started.clock.advance(23 * HOUR)
  const refreshed = await started.call('/refresh', { method: 'POST', headers: { Cookie: pair, ...SAME } })
  const next = cookieOf(refreshed.headers)
  assert.deepEqual(next.attributes, ['HttpOnly', 'Path=/', 'SameSite=Strict'], 'the new cookie is a session cookie too')
  started.clock.advance(24 * HOUR)
  const late = await started.call('/refresh', { method: 'POST', headers: { Cookie: next.pair, ...SAME } })
  assert.equal(late.body.reason, 'expired')
})

test('cookie: two installations on one host have separate cookies, and a log-out in one does not affect the other', async () => {
  await using first = await start()
  await using second = await start({ cookieName: 'second' })
  const jar = new Map<string, string>()
  const browse = async ({ call }: Started, path: string, json?: object) => {
    const Cookie = [...jar].map((pair) => pair.join('=')).join('; ')
    const reply = await call(path, { method: 'POST', ...(json && { json }), headers: { Cookie, ...SAME } })
    for (const line of reply.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split('; ')[0] as string).split('=')
      if (value === '') jar.delete(name)
      else jar.set(name, value)
    }
    return reply.status
  }
  const login = { ...CREDENTIALS, mode: 'cookie' }
  assert.deepEqual([await browse(first, '/login', login), await browse(second, '/login', login)], [200, 200])
  assert.deepEqual([...jar.keys()], ['sealwax', 'sealwax-device', 'second', 'second-device'])
  assert.deepEqual([await browse(first, '/refresh'), await browse(second, '/refresh')], [200, 200])
  assert.deepEqual([await browse(second, '/logout'), await browse(first, '/refresh')], [204, 200])
  // The device stays known after a log-out.
  assert.deepEqual([...jar.keys()], ['sealwax', 'sealwax-device', 'second-device'])
})

test('cookie: a custom name is also bound to the host with an https issuer', async () => {
  await using started = await start({ issuer: 'https://auth.example.com', cookieName: 'second' })
  assert.match((await cookieLogin(started)).pair, /^__Host-second=swr_/)
})
