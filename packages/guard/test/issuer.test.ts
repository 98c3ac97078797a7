import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createRemoteJWKSet, exportJwk, generateKey, type JwtPayload } from '@sealwax/jwt'
import { type Auth, createGuard, type Guard, GuardError, type GuardOptions } from '../src/index.ts'
import { audience, bearing, ISSUED, tokenFor } from './tokens.ts'

const pair = await generateKey('ES256')
const nextPair = await generateKey('ES256')

/**
 * A real issuer on loopback. `pages` may be changed at any time; a missing page is 404, a number is
 * a status, a string is sent unchanged.
 */
async function startIssuer(t: TestContext, path = '') {
  const asked: string[] = []
  const pages = new Map<string, unknown>()
  const server = createServer((req, res) => {
    const url = req.url ?? ''
    asked.push(url)
    const page = pages.get(url) ?? 404
    if (page === 'silence') return
    if (page === 'redirect') res.setHeader('Location', '/elsewhere')
    res.statusCode = page === 'redirect' ? 302 : typeof page === 'number' ? page : 200
    res.end(typeof page === 'string' ? page : JSON.stringify(page))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuer = `${origin}${path}`
  const oauth = `/.well-known/oauth-authorization-server${path.replace(/\/$/, '')}`
  const openid = `${path.replace(/\/$/, '')}/.well-known/openid-configuration`
  pages.set('/jwks', { keys: [exportJwk(pair)] })
  return { asked, pages, origin, issuer, oauth, openid, metadata: { issuer, jwks_uri: `${origin}/jwks` } }
}

function guardOf(t: TestContext, issuer: string, options: Partial<GuardOptions> = {}) {
  const clock = { seconds: ISSUED }
  const guard = createGuard({ issuer, audience, revocation: null, now: () => clock.seconds * 1000, ...options })
  t.after(() => guard.close())
  return { guard, clock }
}

const token = (issuer: string, claims: JwtPayload = {}, key = pair) => tokenFor(claims, { issuer }, key)

async function codeOf(guard: Guard, text: string): Promise<string> {
  try {
    return (await guard.authenticate(bearing(text))).subject
  } catch (error) {
    return error instanceof GuardError ? error.code : assert.fail(String(error))
  }
}

test('issuer: its keys are found through its metadata (RFC 8414) with the first token, and available immediately afterwards', async (t) => {
  const { asked, pages, issuer, oauth, metadata } = await startIssuer(t)
  pages.set(oauth, metadata)
  const { guard } = guardOf(t, issuer)
  assert.deepEqual(asked, [])
  const first = guard.authenticate(bearing(token(issuer)))
  assert.ok(first instanceof Promise)
  assert.equal((await first).subject, 'user-123')
  assert.deepEqual(asked, [oauth, '/jwks'])
  for (const text of [token(issuer), token(issuer, { jti: 'another' })]) {
    assert.ok(!(guard.authenticate(bearing(text)) instanceof Promise))
  }
  assert.equal(asked.length, 2)
})

for (const path of ['', '/', '/realms/orders', '/realms/orders/']) {
  test(`issuer: with the path "${path}" its metadata is requested where RFC 8414 and OpenID define it`, async (t) => {
    const { asked, pages, issuer, oauth, openid, metadata } = await startIssuer(t, path)
    pages.set(openid, metadata)
    assert.equal(await codeOf(guardOf(t, issuer).guard, token(issuer)), 'user-123')
    assert.deepEqual(asked, [oauth, openid, '/jwks'])
  })
}

test('issuer: a missing or malformed token causes no request', async (t) => {
  const { asked, issuer } = await startIssuer(t)
  const { guard } = guardOf(t, issuer)
  assert.throws(() => guard.authenticate({ headers: {} }), { code: 'token_missing' })
  for (const text of ['abc', 'a.b.c', `${'x'.repeat(9000)}`, 'eyJ9.e30.AA']) {
    assert.throws(() => guard.authenticate(bearing(text)), { code: 'token_malformed' })
  }
  assert.throws(() => guard.authenticate(bearing('a b')), { code: 'invalid_request' })
  assert.deepEqual(asked, [])
})

test('issuer: many tokens at the start share one request', async (t) => {
  const { asked, pages, issuer, oauth, metadata } = await startIssuer(t)
  pages.set(oauth, metadata)
  const { guard } = guardOf(t, issuer)
  const crowd = Array.from({ length: 100 }, (_, i) => codeOf(guard, token(issuer, { jti: `jti-${i}` })))
  assert.deepEqual(new Set(await Promise.all(crowd)), new Set(['user-123']))
  assert.deepEqual(asked, [oauth, '/jwks'])
})

const badMetadata: readonly [name: string, (issuer: Awaited<ReturnType<typeof startIssuer>>) => unknown][] = [
  ['names another issuer', ({ metadata }) => ({ ...metadata, issuer: 'https://evil.example' })],
  ['names the issuer with an extra slash', ({ metadata, issuer }) => ({ ...metadata, issuer: `${issuer}/` })],
  ['has no issuer', ({ metadata }) => ({ jwks_uri: metadata.jwks_uri })],
  ['has no jwks_uri', ({ issuer }) => ({ issuer })],
  ['has a jwks_uri without TLS', ({ issuer }) => ({ issuer, jwks_uri: 'http://keys.example.com/jwks' })],
  ['has a jwks_uri of another scheme', ({ issuer }) => ({ issuer, jwks_uri: 'file:///etc/keys' })],
  ['is not JSON', () => '<!doctype html>'],
  ['is null', () => 'null'],
  ['is a redirect', () => 'redirect'],
  ['is larger than 256 KiB', ({ metadata }) => ({ ...metadata, padding: 'x'.repeat(256 * 1024) })],
  ['is an error', () => 500],
]

for (const [name, page] of badMetadata) {
  test(`issuer: metadata that ${name} is not used: 503, never 401`, async (t) => {
    const site = await startIssuer(t)
    site.pages.set('/elsewhere', site.metadata)
    site.pages.set(site.oauth, page(site))
    const { guard } = guardOf(t, site.issuer)
    await assert.rejects(
      async () => guard.authenticate(bearing(token(site.issuer))),
      (error) =>
        error instanceof GuardError &&
        error.code === 'keys_unavailable' &&
        error.status === 503 &&
        error.headers['Retry-After'] === '5' &&
        error.headers['WWW-Authenticate'] === undefined &&
        error.cause instanceof AggregateError &&
        error.cause.errors.length === 2,
    )
    assert.ok(!site.asked.includes('/jwks') && !site.asked.includes('/elsewhere'))
  })
}

test('issuer: after a failure, the next request follows after 5 seconds', async (t) => {
  const { asked, pages, issuer, oauth, openid, metadata } = await startIssuer(t)
  const seen: string[] = []
  const { guard, clock } = guardOf(t, issuer, { onRefusal: (error) => seen.push(error.code) })
  assert.equal(await codeOf(guard, token(issuer)), 'keys_unavailable')
  pages.set(oauth, metadata)
  clock.seconds += 4
  for (let i = 0; i < 50; i++) assert.equal(await codeOf(guard, token(issuer)), 'keys_unavailable')
  assert.deepEqual(asked, [oauth, openid])
  assert.equal(seen.length, 51, 'onRefusal is called for refusals with and without a promise')
  clock.seconds += 1
  assert.equal(await codeOf(guard, token(issuer)), 'user-123')
})

test('issuer: metadata is read again after an hour; the known metadata stays in use while that fails', async (t) => {
  const { asked, pages, issuer, oauth, openid, origin, metadata } = await startIssuer(t)
  pages.set(oauth, metadata)
  const { guard, clock } = guardOf(t, issuer)
  const at = (key = pair) => tokenFor({}, { issuer, currentDate: new Date(clock.seconds * 1000) }, key)
  assert.equal(await codeOf(guard, at()), 'user-123')
  clock.seconds += 3600
  pages.set(oauth, 500)
  assert.equal(await codeOf(guard, at()), 'user-123')
  await until(() => asked.includes(openid))
  assert.equal(await codeOf(guard, at()), 'user-123')

  // The keys move. A new URL that does not respond is not used.
  pages.set(oauth, { issuer, jwks_uri: `${origin}/jwks-2` })
  clock.seconds += 5
  assert.equal(await codeOf(guard, at()), 'user-123')
  await until(() => asked.includes('/jwks-2'))
  assert.equal(await codeOf(guard, at()), 'user-123')

  pages.set('/jwks-2', { keys: [exportJwk(nextPair)] })
  clock.seconds += 5
  assert.equal(await codeOf(guard, at()), 'user-123')
  await until(async () => {
    // The previous request may have ended only after the clock was moved.
    clock.seconds += 5
    return (await codeOf(guard, at(nextPair))) === 'user-123'
  })
  assert.equal(await codeOf(guard, at(pair)), 'token_key_unknown')
})

test('issuer: a key that it removes is refused although the token was verified before', async (t) => {
  const { pages, issuer, oauth, metadata } = await startIssuer(t)
  pages.set(oauth, metadata)
  const { guard, clock } = guardOf(t, issuer)
  const text = token(issuer)
  assert.equal(await codeOf(guard, text), 'user-123')
  pages.set('/jwks', { keys: [exportJwk(nextPair)] })
  clock.seconds += 600
  assert.equal(await codeOf(guard, text), 'token_key_unknown')
})

test('issuer: a URL that times out does not use up the time of the other one', async (t) => {
  const { pages, metadata, issuer, oauth, openid } = await startIssuer(t)
  pages.set(oauth, 'silence')
  pages.set(openid, metadata)
  const { guard } = guardOf(t, issuer)
  const start = performance.now()
  assert.equal(((await guard.authenticate(bearing(token(issuer)))) as Auth).subject, 'user-123')
  const taken = performance.now() - start
  assert.ok(taken > 4500 && taken < 7000, `${taken} ms`)
})

test('issuer: close aborts a running request, and every later request is refused with 503', async (t) => {
  const { pages, issuer, oauth } = await startIssuer(t)
  pages.set(oauth, 'silence')
  const { guard } = guardOf(t, issuer)
  const waiting = codeOf(guard, token(issuer))
  await guard.close()
  assert.equal(await waiting, 'keys_unavailable')
  assert.equal(await codeOf(guard, token(issuer)), 'keys_unavailable')
  await guard.close()
})

test('issuer: a guard that has fetched keys lets the process exit', async (t) => {
  const { pages, issuer, oauth, metadata } = await startIssuer(t)
  pages.set(oauth, metadata)
  const text = tokenFor({}, { issuer, currentDate: new Date() }, pair)
  const program = `import { createGuard } from '@sealwax/guard'
    const guard = createGuard({ issuer: '${issuer}', audience: '${audience}', revocation: null })
    console.log((await guard.authenticate({ headers: { authorization: 'Bearer ${text}' } })).subject)`
  const child = spawn(process.execPath, ['--conditions=@sealwax/source', '--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    timeout: 20_000,
  })
  let output = ''
  child.stdout.on('data', (data) => {
    output += data
  })
  child.stderr.pipe(process.stderr)
  assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0)
  assert.equal(output, 'user-123\n')
})

test('issuer: keys may be a remote JWK Set of your own, which the guard does not close', async (t) => {
  const { asked, issuer, origin } = await startIssuer(t)
  const keys = createRemoteJWKSet(`${origin}/jwks`)
  t.after(() => keys.close())
  const one = guardOf(t, issuer, { keys }).guard
  assert.equal(await codeOf(one, token(issuer)), 'user-123')
  await one.close()
  assert.equal(await codeOf(guardOf(t, issuer, { keys }).guard, token(issuer)), 'user-123')
  assert.deepEqual(asked, ['/jwks'])
  const elsewhere = createRemoteJWKSet(`${origin}/nowhere`)
  t.after(() => elsewhere.close())
  assert.equal(await codeOf(guardOf(t, issuer, { keys: elsewhere }).guard, token(issuer)), 'keys_unavailable')
})

test('issuer: without keys it must be one https URL', () => {
  const options = { audience, revocation: null }
  for (const issuer of ['http://auth.example.com', 'auth', 'https://a.example?tenant=1', 'https://a.example#x', null]) {
    assert.throws(() => createGuard({ ...options, issuer }), { name: 'TypeError', message: /keys must be given/ })
  }
  assert.throws(
    () => createGuard({ ...options, issuer: ['https://a.example', 'https://b.example'] as never }),
    TypeError,
  )
  assert.ok(createGuard({ ...options, issuer: 'https://auth.example.com' }))
})

test('issuer: requirements, optional and the synchronous path work with an Auth that had to be awaited', async (t) => {
  const { pages, issuer, oauth, metadata } = await startIssuer(t)
  pages.set(oauth, metadata)
  const { guard } = guardOf(t, issuer)
  const waited = guard.authenticate(bearing(token(issuer)), { scope: 'a' })
  await assert.rejects(async () => waited, { code: 'insufficient_scope' })
  const auth: Auth = await guard.authenticate(bearing(token(issuer, { scope: 'a' })), { scope: 'a' })
  assert.deepEqual(auth.scopes, ['a'])
  assert.equal(guard.authenticate({ headers: {} }, { optional: true }), undefined)
})

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.fail('it did not happen')
}

/**
 * A `fetch` as a private network would answer: other names, and a header field that is required.
 */
function privateNetwork(names: Readonly<Record<string, string>>, credential = 'none') {
  const asked: string[] = []
  const reach = (url: string, init: RequestInit) => {
    asked.push(url)
    const { origin, href } = new URL(url)
    const headers = new Headers(init.headers)
    headers.set('x-credential', credential)
    return fetch(href.replace(origin, names[origin] ?? assert.fail(`no such host: ${origin}`)), { ...init, headers })
  }
  return { asked, reach }
}

test('issuer: fetch makes all requests to the issuer: metadata, keys, feed and the token for it', async (t) => {
  const { pages, origin, metadata } = await startIssuer(t)
  const named = 'https://auth.internal'
  const under = (path: string) => `${named}${path}`
  pages.set('/.well-known/oauth-authorization-server', {
    ...metadata,
    ...{ issuer: named, jwks_uri: under('/jwks'), revocation_uri: under('/feed'), token_endpoint: under('/token') },
  })
  pages.set('/token', { access_token: 'feed-token', expires_in: 60 })
  pages.set('/feed', { cursor: 'e.1', as_of: ISSUED, snapshot: true, entries: [] })
  const { asked, reach } = privateNetwork({ [named]: origin })
  const client = { id: 'api', secret: 'a secret for this test' }
  const { guard } = guardOf(t, named, { fetch: reach, revocation: { client } })
  assert.equal(await codeOf(guard, token(named)), 'user-123')
  for (const path of ['/.well-known/oauth-authorization-server', '/jwks', '/token', '/feed']) {
    assert.ok(asked.includes(under(path)), `${path} in ${asked}`)
  }
})

test('issuer: allowHttp opens exactly the origins that it names, for metadata, keys and feed', async (t) => {
  const { pages, origin, metadata } = await startIssuer(t)
  const named = 'http://keycloak:8080'
  pages.set('/.well-known/oauth-authorization-server', { ...metadata, issuer: named, jwks_uri: `${named}/jwks` })
  const { reach } = privateNetwork({ [named]: origin, 'http://keycloak:9090': origin })
  const options = { fetch: reach, allowHttp: [named] }
  assert.equal(await codeOf(guardOf(t, named, options).guard, token(named)), 'user-123')
  assert.throws(() => guardOf(t, named, { allowHttp: ['http://keycloak'] }), TypeError)
  assert.throws(() => guardOf(t, 'http://keycloak:9090', options), TypeError)
  pages.set('/.well-known/oauth-authorization-server', {
    ...metadata,
    issuer: named,
    jwks_uri: `${named.replace('8', '9')}/jwks`,
  })
  assert.equal(await codeOf(guardOf(t, named, options).guard, token(named)), 'keys_unavailable')
  // An issuer elsewhere must not send the guard to a service on its own machine.
  pages.set('/.well-known/oauth-authorization-server', { ...metadata, issuer: named, jwks_uri: `${origin}/jwks` })
  assert.equal(await codeOf(guardOf(t, named, options).guard, token(named)), 'keys_unavailable')
  const feed = { url: `${named}/feed` }
  assert.ok(createGuard({ issuer: named, audience, keys: pair, revocation: feed, allowHttp: [named] }))
  assert.throws(() => createGuard({ issuer: named, audience, keys: pair, revocation: feed }), {
    message: /revocation\.url must be an https URL \(http on loopback, or at an origin in allowHttp\)/,
  })
})

test('issuer: other issuers use the fetch and the allowHttp of the guard, or their own', async (t) => {
  const { pages, origin, metadata } = await startIssuer(t)
  const [one, two] = ['http://one:8080', 'http://two:8080'] as const
  for (const [at, named] of [
    [`/one`, one],
    ['/two', two],
  ] as const) {
    pages.set(`${at}/.well-known/openid-configuration`, { ...metadata, issuer: named, jwks_uri: `${named}/jwks` })
    pages.set(`${at}/jwks`, { keys: [exportJwk(pair)] })
  }
  const ofOne = privateNetwork({ [one]: `${origin}/one` })
  const ofTwo = privateNetwork({ [two]: `${origin}/two` })
  const { guard } = guardOf(t, 'https://own.example.com', {
    keys: nextPair,
    fetch: ofOne.reach,
    allowHttp: [one],
    issuers: [
      { issuer: one, revocation: null },
      { issuer: two, revocation: null, fetch: ofTwo.reach, allowHttp: [two] },
    ],
  })
  assert.equal(await codeOf(guard, token(one)), 'user-123')
  assert.equal(await codeOf(guard, token(two)), 'user-123')
})

test('issuer: remoteKeys sets how long keys are cached, and how long a request may take', async (t) => {
  const { asked, pages, issuer, oauth, metadata } = await startIssuer(t)
  pages.set(oauth, metadata)
  const { guard, clock } = guardOf(t, issuer, { remoteKeys: { cacheMaxAge: '1m', coolDown: '1s', timeout: '1s' } })
  const keysAsked = () => asked.filter((url) => url === '/jwks').length
  assert.equal(await codeOf(guard, token(issuer)), 'user-123')
  clock.seconds += 59
  assert.equal(await codeOf(guard, token(issuer)), 'user-123')
  assert.equal(keysAsked(), 1)
  clock.seconds += 2
  assert.equal(await codeOf(guard, token(issuer)), 'user-123')
  assert.equal(keysAsked(), 2)
  const silent = await startIssuer(t)
  silent.pages.set(silent.oauth, 'silence')
  silent.pages.set(silent.openid, 'silence')
  const began = performance.now()
  const { guard: waiting } = guardOf(t, silent.issuer, { remoteKeys: { timeout: '1s' } })
  assert.equal(await codeOf(waiting, token(silent.issuer)), 'keys_unavailable')
  assert.ok(performance.now() - began < 4500, 'twice one second, not twice five')
})
