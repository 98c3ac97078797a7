import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { serve } from '@hono/node-server'
import { createTestIssuer, hostileTokens, type RouteAnswer, testGuardedRoute } from '@sealwax/guard/testing'
import { importKey, JwtError, verify } from '@sealwax/jwt'
import express from 'express'
import { Hono } from 'hono'
import { protect as protectExpress } from '../src/adapters/express.ts'
import { protect as protectHono } from '../src/adapters/hono.ts'
import { type Auth, GuardError } from '../src/index.ts'
import { originOf } from './sites.ts'
import { secret } from './tokens.ts'

/** One of each kind of signature; the others differ only in lengths. */
const ALGORITHMS = ['ES256', 'EdDSA', 'ML-DSA-44', 'RS256', 'PS384', 'HS256', 'HS512'] as const

/** The result of the guard for a token: its auth, or the code of the refusal. */
function outcomeOf(guard: ReturnType<ReturnType<typeof createTestIssuer>['guard']>, token: string): Auth | string {
  try {
    return guard.authenticate({ headers: { authorization: `Bearer ${token}` } }) as Auth
  } catch (error) {
    assert.ok(error instanceof GuardError, String(error))
    return error.code
  }
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => assert.fail('it did not throw'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof Error)
  return error.message
}

test('testing: a minted token has the requested content, and its guard accepts it', () => {
  const issuer = createTestIssuer()
  const token = issuer.mint({
    subject: 'ann',
    roles: ['admin'],
    scope: ['a', 'b'],
    version: 3,
    claims: { tenant: 't1' },
  })
  const auth = outcomeOf(issuer.guard(), token) as Auth
  assert.equal(auth.subject, 'ann')
  assert.equal(auth.sessionId, 'test-session')
  assert.equal(auth.clientId, 'test-client')
  assert.deepEqual(auth.roles, ['admin'])
  assert.deepEqual(auth.scopes, ['a', 'b'])
  assert.equal(auth.payload.tenant, 't1')
  assert.equal(auth.payload.ver, 3)
  assert.equal(auth.authenticatedAt?.getTime(), Math.floor(issuer.clock.now() / 1000) * 1000)
  assert.equal(auth.payload.iss, 'https://issuer.test')
  assert.equal(auth.payload.aud, 'https://api.test')
})

test('testing: tokens of another issuer, audience or type can be minted, and are refused', () => {
  const issuer = createTestIssuer({ issuer: 'https://auth.example.com', audience: 'orders' })
  const guard = issuer.guard()
  assert.equal(outcomeOf(guard, issuer.mint({ issuer: 'https://evil.test' })), 'token_issuer_invalid')
  assert.equal(outcomeOf(guard, issuer.mint({ audience: ['billing'] })), 'token_audience_invalid')
  assert.equal(outcomeOf(guard, issuer.mint({ typ: 'JWT' })), 'token_type_invalid')
  assert.equal(outcomeOf(guard, createTestIssuer().mint()), 'token_key_unknown')
  assert.equal((outcomeOf(guard, issuer.mint({ authenticatedAt: null })) as Auth).authenticatedAt, undefined)
  assert.throws(() => issuer.mint({ role: 'admin' } as object), TypeError)
  assert.throws(() => issuer.mint({ subject: undefined } as object), TypeError)
})

test('testing: the clock does not move until it is advanced, for tokens and guards', () => {
  const issuer = createTestIssuer()
  const guard = issuer.guard()
  const token = issuer.mint()
  const time = issuer.clock.now()
  issuer.clock.advance('14m')
  assert.equal(issuer.clock.now(), time + 14 * 60_000)
  assert.equal((outcomeOf(guard, token) as Auth).subject, 'test-user')
  issuer.clock.advance(120)
  assert.equal(outcomeOf(guard, token), 'token_expired')
  assert.equal((outcomeOf(guard, issuer.mint()) as Auth).subject, 'test-user')
})

test('testing: sessions, versions and the key can be revoked', () => {
  const issuer = createTestIssuer()
  const guard = issuer.guard()
  issuer.revokeSession('s-1')
  assert.equal(outcomeOf(guard, issuer.mint({ sessionId: 's-1' })), 'token_revoked')
  assert.equal((outcomeOf(guard, issuer.mint({ sessionId: 's-2' })) as Auth).sessionId, 's-2')
  issuer.raiseVersion('ann', 2)
  assert.equal(outcomeOf(guard, issuer.mint({ subject: 'ann', version: 1 })), 'token_stale')
  assert.equal((outcomeOf(guard, issuer.mint({ subject: 'ann', version: 2 })) as Auth).subject, 'ann')
  issuer.clock.advance('365d')
  assert.equal(outcomeOf(guard, issuer.mint({ sessionId: 's-1' })), 'token_revoked')
  issuer.revokeKey()
  assert.equal(outcomeOf(guard, issuer.mint()), 'token_stale')
})

test('testing: an issuer can have the secret of the program under test; no JWK Set contains it', () => {
  const octets = secret(5, 32)
  const issuer = createTestIssuer({ alg: 'HS256', secret: octets })
  assert.deepEqual(issuer.jwks, { keys: [] })
  const key = importKey(octets, { alg: 'HS256', kid: issuer.keys.kid })
  const { issuer: iss, audience } = issuer
  const { payload } = verify(issuer.mint(), key, { issuer: iss, audience, typ: 'at+jwt' })
  assert.equal(payload.sub, 'test-user')
  assert.throws(() => createTestIssuer({ alg: 'HS256', secret: secret(5, 8) }), { code: 'ERR_JWT_KEY' })
})

test('testing: forge signs what sign refuses to sign', () => {
  const issuer = createTestIssuer()
  const claims = { iss: issuer.issuer, aud: issuer.audience, sub: 'ann' }
  assert.equal(outcomeOf(issuer.guard(), issuer.forge({ alg: 'ES256', typ: 'at+jwt' }, claims)), 'token_claim_missing')
  assert.equal(outcomeOf(issuer.guard(), issuer.forge('{"alg":"ES256"}', 'no JSON')), 'token_malformed')
})

for (const alg of ALGORITHMS) {
  test(`testing: the guard refuses every hostile token of an ${alg} issuer, and the names are the same for every such issuer`, () => {
    const issuer = createTestIssuer({ alg })
    const guard = issuer.guard()
    const tokens = hostileTokens(issuer, { roles: ['admin'], scope: 'a' })
    const names = tokens.map(({ name }) => name)
    assert.ok(tokens.length > 300, `${tokens.length}`)
    assert.equal(new Set(names).size, names.length)
    assert.deepEqual(
      hostileTokens(createTestIssuer({ alg })).map(({ name }) => name),
      names,
    )
    for (const { name, source, token } of tokens) {
      assert.match(token, /^[\t\x20-\x7e]+$/, `${name} cannot be sent in a header field`)
      assert.notEqual(source, '')
      assert.equal(typeof outcomeOf(guard, token), 'string', `${name} was accepted`)
    }
    assert.equal((outcomeOf(guard, issuer.mint()) as Auth).subject, 'test-user')
  })
}

test('testing: a hostile token has one fault: without the check for it, a verifier accepts it', () => {
  const issuer = createTestIssuer()
  const accepted = hostileTokens(issuer).filter(({ token }) => {
    try {
      return verify(token, issuer.keys, { issuer: null, audience: null, typ: null })
    } catch (error) {
      assert.ok(error instanceof JwtError)
      return false
    }
  })
  for (const start of [
    'iss is',
    'aud is',
    'typ is',
    'sub is',
    'jti is',
    'scope is',
    'exp is in',
    'bound to',
    'an ID token',
  ]) {
    assert.ok(
      accepted.some(({ name }) => name.startsWith(`claims: ${start}`)),
      start,
    )
  }
  assert.ok(accepted.length > 50, `${accepted.length}`)
  assert.ok(accepted.every(({ category }) => category === 'claims'))
})

test('testing: a guarded route of express passes', async (t) => {
  const issuer = createTestIssuer()
  const app = express()
  app.get('/orders', protectExpress(issuer.guard(), { scope: 'orders:read' }), (_req, res) => void res.json([]))
  const url = `${await originOf(t, app.listen(0, '127.0.0.1'))}/orders`
  const request = (headers: Record<string, string>) => fetch(url, { headers })
  const { refused } = await testGuardedRoute({ request, issuer, good: { scope: 'orders:read' } })
  assert.ok(refused > 300)
})

test('testing: a guarded route of hono passes, with and without a server', async (t) => {
  const issuer = createTestIssuer({ alg: 'EdDSA' })
  const app = new Hono()
  app.get('/orders', protectHono(issuer.guard()), (c) => c.json([]))
  await testGuardedRoute({ issuer, request: (headers) => app.request('/orders', { headers }) })
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  const url = `${await originOf(t, server as Parameters<typeof originOf>[1])}/orders`
  await testGuardedRoute({ issuer, request: (headers) => fetch(url, { headers }) })
})

/** A typical handwritten check: it decodes the token without verifying it. */
function decodeOnly(headers: Record<string, string>): RouteAnswer {
  try {
    const token = headers.authorization?.split(' ')[1] ?? ''
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    return { status: claims.exp * 1000 > Date.now() ? 200 : 401 }
  } catch {
    return { status: 401 }
  }
}

test('testing: a route that only decodes is detected, and the error lists every case that was accepted', async () => {
  const message = await messageOf(testGuardedRoute({ issuer: createTestIssuer(), request: decodeOnly }))
  assert.match(message, /^testGuardedRoute: the route did not refuse \d+ of \d+ hostile requests with 400 or 401:\n/)
  for (const line of [
    '  200  algorithm: alg is "none", no signature (RFC 8725 §3.1)',
    '  200  key: HS256 with the public key as PEM (CVE-2015-9235)',
    '  200  signature: the payload is another one (RFC 7515 §5.2)',
    '  200  header: brings its own jwk (CVE-2018-0114)',
    '  200  claims: aud is that of others (RFC 7519 §4.1.3)',
  ]) {
    assert.ok(message.split('\n').includes(line), line)
  }
  assert.ok(message.split('\n').length > 100)
  assert.doesNotMatch(message, /eyJ/, 'the message contains a token')
})

test('testing: a route that omits one check is detected by the cases for it, and by no others', async () => {
  const issuer = createTestIssuer()
  const lax = (options: Parameters<typeof issuer.guard>[0]) => async (headers: Record<string, string>) => {
    const found = outcomeOf(issuer.guard(options), (headers.authorization ?? '').replace(/^Bearer /, ''))
    return { status: typeof found === 'string' ? 401 : 200 }
  }
  const blameOf = async (options: Parameters<typeof issuer.guard>[0]) => {
    const message = await messageOf(testGuardedRoute({ issuer, request: lax(options) }))
    return message
      .split('\n')
      .slice(1)
      .filter((line) => !line.includes('request: '))
  }
  for (const [options, claim] of [
    [{ issuer: null }, /claims: iss is/],
    [{ audience: null }, /claims: aud is/],
  ] as const) {
    const lines = await blameOf(options)
    assert.ok(lines.length >= 5)
    for (const line of lines) assert.match(line, claim)
  }
})

test('testing: responses other than a refusal are faults too: 500, 403, a redirect, an error', async () => {
  const issuer = createTestIssuer()
  const guard = issuer.guard()
  const answering = (refusal: () => RouteAnswer) => (headers: Record<string, string>) => {
    try {
      guard.authenticate({ headers })
      return { status: 204 }
    } catch {
      return refusal()
    }
  }
  for (const status of [500, 403, 302, 404]) {
    const message = await messageOf(testGuardedRoute({ issuer, request: answering(() => ({ status })) }))
    assert.match(message, new RegExp(`\n  ${status}  algorithm: `))
  }
  const hangup = () => {
    throw new Error('socket hang up')
  }
  assert.match(
    await messageOf(testGuardedRoute({ issuer, request: answering(hangup) })),
    /an error: socket hang up {2}/,
  )
})

test('testing: a route that refuses valid tokens fails, before or after the attack', async () => {
  const issuer = createTestIssuer()
  assert.match(
    await messageOf(testGuardedRoute({ issuer, request: () => ({ status: 401 }) })),
    /A valid token must be accepted.*401/,
  )
  let count = 0
  const tired = () => ({ status: count++ === 0 ? 200 : 401 })
  assert.match(await messageOf(testGuardedRoute({ issuer, request: tired })), /after hostile ones/)
})

test('testing: cases can be excepted by name; unknown names and options throw', async () => {
  const issuer = createTestIssuer()
  const guard = issuer.guard()
  const request = (headers: Record<string, string>) => {
    if (headers.authorization === undefined) return { status: 200 }
    return { status: typeof outcomeOf(guard, headers.authorization.slice(7)) === 'string' ? 401 : 200 }
  }
  const except = ['request: nothing', 'request: a token in another header']
  const message = await messageOf(testGuardedRoute({ issuer, request }))
  for (const name of except) assert.ok(message.includes(name), name)
  const without = await messageOf(testGuardedRoute({ issuer, request, except }))
  for (const name of except) assert.ok(!without.includes(name), name)
  await assert.rejects(testGuardedRoute({ issuer, request, except: ['request: anything'] }), TypeError)
  await assert.rejects(testGuardedRoute({ issuer, request, only: [] } as never), TypeError)
  const foreign = { ...issuer }
  await assert.rejects(testGuardedRoute({ issuer: foreign, request }), TypeError)
})

test('testing: works with any test runner: no file of it imports one', () => {
  const source = new URL('../src/testing/', import.meta.url)
  for (const file of ['index', 'issuer', 'forge', 'guarded-route', 'hostile-tokens']) {
    const text = readFileSync(new URL(`${file}.ts`, source), 'utf8')
    assert.match(text, /export /)
    assert.doesNotMatch(text, /node:test|node:assert|vitest|jest/)
  }
})
