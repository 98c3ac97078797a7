import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { createRemoteJWKSet, exportJwk } from '@sealwax/jwt'
import { type Auth, createGuard, GuardError } from '../src/index.ts'
import { codeOf, guardOf, nextPair, pair, startIssuer, token } from './discovered-issuer.ts'
import { audience, bearing, tokenFor } from './tokens.ts'

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
