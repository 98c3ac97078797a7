import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exportJwk } from '@sealwax/jwt'
import { createGuard } from '../src/index.ts'
import { codeOf, guardOf, nextPair, pair, startIssuer, token } from './discovered-issuer.ts'
import { audience, ISSUED } from './tokens.ts'

/** A `fetch` as in a private network, which has other names. */
function privateNetwork(names: Readonly<Record<string, string>>) {
  const asked: string[] = []
  const reach = (url: string, init: RequestInit) => {
    asked.push(url)
    const { origin } = new URL(url)
    return fetch(url.replace(origin, names[origin] ?? assert.fail(`no such host: ${origin}`)), init)
  }
  return { asked, reach }
}

test('transport: fetch makes all requests to the issuer: metadata, keys, feed and the token for it', async (t) => {
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

test('transport: allowHttp opens exactly the origins that it names, for metadata, keys and feed', async (t) => {
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

test('transport: other issuers use the fetch and the allowHttp of the guard, or their own', async (t) => {
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

test('transport: remoteKeys sets how long keys are cached, and how long a request may take', async (t) => {
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
