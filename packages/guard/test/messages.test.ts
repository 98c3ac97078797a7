import assert from 'node:assert/strict'
import { test } from 'node:test'
import { protect as express } from '../src/adapters/express.ts'
import { protect as fastify } from '../src/adapters/fastify.ts'
import { protect as fetching } from '../src/adapters/fetch.ts'
import { protect as hono } from '../src/adapters/hono.ts'
import { protect as koa } from '../src/adapters/koa.ts'
import { protect as nest } from '../src/adapters/nest.ts'
import { protect as node } from '../src/adapters/node.ts'
import { createGuard, createRevocationList, type GuardOptions } from '../src/index.ts'
import { protectedResourceMetadata } from '../src/resource-metadata.ts'
import { authenticateSocket } from '../src/sockets.ts'
import { createTestIssuer } from '../src/testing/index.ts'
import { audience, guardWith, issuer, key } from './tokens.ts'

type Call = (...args: readonly unknown[]) => unknown

const whole = { issuer, audience, keys: key, revocation: null }
const url = 'an https URL (http on loopback)'

/** One wrong value for each option, and the end of the message. */
const GUARD: Readonly<Record<keyof GuardOptions, readonly [value: unknown, sentence: string]>> = {
  issuer: [7, 'must be the iss of the tokens, a string, or null to accept tokens of any issuer (got 7)'],
  audience: [
    [],
    'must be the name of this API in the tokens, a list of names, or null to accept tokens meant for others (got an empty list)',
  ],
  typ: ['', "must be a media type such as 'at+jwt', or null to accept any (got an empty string)"],
  requiredClaims: ['sub', 'must be a list of at least one claim name (got a string)'],
  clockTolerance: [100, 'must be at most 60 seconds (got 100)'],
  maxLifetime: [0, 'must be at least 1 second (got 0)'],
  senderConstrained: ['accept', "must be 'refuse' or 'ignore' (got a string)"],
  dpop: [true, 'must be what createDpopVerifier returns (got true)'],
  kind: ['refresh token', "must be 'access token' or 'ID token' (got a string)"],
  claims: ['scp', "must be an object such as { scopes: 'scp' } (got a string)"],
  check: [true, 'must be a function of the auth that returns true or false (got true)'],
  algorithms: [
    ['none'],
    'must be a list of at least one of ES256 ES384 ES512 EdDSA Ed25519 RS256 RS384 RS512 PS256 PS384 PS512 ML-DSA-44 ML-DSA-65 ML-DSA-87 HS256 HS384 HS512 (got a list)',
  ],
  maxTokenLength: [0, 'must be a whole number from 1 to 1,048,576 (got 0)'],
  maxMembers: [1.5, 'must be a whole number from 1 to 65,536 (got 1.5)'],
  keys: [
    undefined,
    'must be keys, a function that returns keys, or what createRemoteJWKSet returns (got undefined; leave it out to get its default)',
  ],
  onKeys: ['log', 'must be a function (got a string)'],
  remoteKeys: [600, "must be an object such as { timeout: '2s' } (got 600)"],
  fetch: [{}, 'must be a function like the global fetch (got an object)'],
  allowHttp: [['http://keycloak:8080/'], "must be a list of origins such as ['http://keycloak:8080'] (got a list)"],
  revocation: [
    'https://auth.example.com/feed',
    'must be a RevocationList, { check } of your own, { url } of a revocation feed, or null if tokens of ended sessions may be used until they expire (got a string)',
  ],
  issuers: [{}, 'must be a list such as [{ issuer, keys }] (got an object)'],
  cookie: ['sid', "must be an object such as { name: '__Host-access' } (got a string)"],
  token: [
    'X-Token',
    "must be an object such as { header: 'X-Access-Token' }, or a function of the request (got a string)",
  ],
  cacheSize: [-1, 'must be a whole number from 0 to 1,000,000 (got -1)'],
  resourceMetadata: ['/metadata', `must be ${url} (got a string)`],
  onRefusal: [null, 'must be a function (got null)'],
  realm: ['', 'must be printable ASCII, and not empty (got an empty string)'],
  now: [0, 'must be a function that returns milliseconds since 1970 (got 0)'],
}

for (const [option, [value, sentence]] of Object.entries(GUARD)) {
  test(`createGuard: a wrong value for ${option} throws an error that describes what it must be`, () => {
    const message = `createGuard: ${option} ${sentence}`
    assert.throws(() => (createGuard as Call)({ ...whole, [option]: value }), { name: 'TypeError', message })
  })
}

test('createGuard: options that are missing, unknown or undefined throw an error that names them', () => {
  const wrong: readonly [args: readonly unknown[], message: string][] = [
    [[], 'options must be an object such as { issuer, audience } (got undefined)'],
    [[null], 'options must be an object such as { issuer, audience } (got null)'],
    [[issuer], 'options must be an object such as { issuer, audience } (got a string)'],
    [[{}], 'issuer must be given: the iss of the tokens, a string, or null to accept tokens of any issuer'],
    [
      [{ issuer }],
      'audience must be given: the name of this API in the tokens, a list of names, or null to accept tokens meant for others',
    ],
    [
      [{ ...whole, realm: undefined }],
      'realm must be printable ASCII, and not empty (got undefined; leave it out to get its default)',
    ],
    [[{ ...whole, isuer: issuer }], 'there is no option "isuer"; write issuer'],
    [[{ ...whole, secret: 'x' }], 'there is no option "secret"; write keys: importKey(octets, { alg: \'HS256\' })'],
    [[{ ...whole, trust: [] }], 'there is no option "trust"; write issuers: [{ issuer, keys, until }]'],
    [[{ ...whole, clockTolerance: '5m' }], "clockTolerance must be at most 60 seconds (got '5m')"],
    [
      [{ ...whole, clockTolerance: '5 minutes' }],
      "clockTolerance must be a whole number of seconds or a string such as '30s', '15m' or '12h' (got a string)",
    ],
    [
      [{ issuer: 'http://auth.example.com', audience }],
      'keys must be given: they can only be fetched from an issuer that is one https URL (http on loopback, or at an origin in allowHttp), and "http://auth.example.com" is not',
    ],
  ]
  for (const [args, message] of wrong) {
    assert.throws(() => (createGuard as Call)(...args), { name: 'TypeError', message: `createGuard: ${message}` })
  }
})

const NESTED: readonly [option: string, options: object, message: string][] = [
  [
    'remoteKeys.cacheMaxAge',
    { remoteKeys: { cacheMaxAge: '2d' } },
    "remoteKeys.cacheMaxAge must be from 1 second to 1 day (got '2d')",
  ],
  [
    'remoteKeys.coolDown',
    { remoteKeys: { coolDown: 0 } },
    'remoteKeys.coolDown must be from 1 second to 1 day (got 0)',
  ],
  ['remoteKeys.timeout', { remoteKeys: { timeout: 61 } }, 'remoteKeys.timeout must be from 1 to 60 seconds (got 61)'],
  [
    'issuers',
    { issuers: [{ keys: key }] },
    'issuers[0]: issuer must be given: the iss of its tokens, a string, or null for tokens without one',
  ],
  [
    'issuers.issuer',
    { issuers: [{ issuer: '' }] },
    'issuers[0]: issuer must be the iss of its tokens, a string, or null for tokens without one (got an empty string)',
  ],
  [
    'issuers.until',
    { issuers: [{ issuer: 'old', until: 'tomorrow' }] },
    "issuers[0]: until must be a Date, or a date such as '2027-03-31' (got a string)",
  ],
  [
    'issuers.typ',
    { issuers: [{ issuer: 'old', typ: 7 }] },
    "issuers[0]: typ must be a media type such as 'at+jwt', or null to accept any (got 7)",
  ],
  ['issuers.key', { issuers: [{ issuer: 'old', key }] }, 'issuers[0]: there is no option "key"; write keys'],
  [
    'issuers.jwksUri',
    { issuers: [{ issuer: 'old', jwksUri: 'https://old.example' }] },
    'issuers[0]: there is no option "jwksUri"; write keys: createRemoteJWKSet(url)',
  ],
  [
    'issuers.keys',
    { issuers: [{ issuer: null }] },
    'issuers[0]: keys must be given: tokens without iss do not say where to fetch keys',
  ],
  ['cookie.name', { cookie: { name: 'a b' } }, 'cookie.name must be the name of a cookie (got a string)'],
  [
    'cookie.origins',
    { cookie: { name: 'a', origins: ['app.example.com'] } },
    "cookie.origins must be a list of exact origins such as 'https://app.example.com' (got a list)",
  ],
  ['cookie.path', { cookie: { name: 'a', path: '/' } }, 'there is no option "cookie.path"'],
  [
    'revocation.url',
    { revocation: { url: 'http://auth.example.com/feed' } },
    'revocation.url must be an https URL (http on loopback, or at an origin in allowHttp) (got a string)',
  ],
  [
    'revocation.client',
    { revocation: { client: { id: 'a' } } },
    'revocation.client must be { id, secret } of an API client, two strings and nothing else (got an object)',
  ],
  [
    'revocation.staleAfter',
    { revocation: { staleAfter: '5s' } },
    "revocation.staleAfter must be at least 30 seconds (got '5s')",
  ],
  [
    'revocation.whenStale',
    { revocation: { whenStale: 'maybe' } },
    "revocation.whenStale must be 'deny' or 'allow' (got a string)",
  ],
  ['revocation.onFeed', { revocation: { onFeed: true } }, 'revocation.onFeed must be a function (got true)'],
  ['revocation.uri', { revocation: { uri: 'x' } }, 'there is no option "revocation.uri"; write url'],
  ['revocation.check', { revocation: { check: true } }, 'revocation.check must be a function (got true)'],
  [
    'revocation.cacheFor',
    { revocation: { check() {}, cacheFor: 0 } },
    'revocation.cacheFor must be from 1 second to 1 day (got 0)',
  ],
  [
    'revocation.ttl',
    { revocation: { check() {}, ttl: 5 } },
    'there is no option "revocation.ttl"; besides check, there are cacheFor and subscribe',
  ],
]

for (const [option, options, message] of NESTED) {
  test(`createGuard: a mistake in ${option} throws an error that names the member`, () => {
    const call = () => (createGuard as Call)({ ...whole, ...options })
    assert.throws(call, { name: 'TypeError', message: `createGuard: ${message}` })
  })
}

const REQUIREMENT: readonly [member: string, requirement: unknown, message: string][] = [
  [
    'nothing',
    undefined,
    "requirement must be an object such as { scope: 'orders:read' } (got undefined; leave it out to get its default)",
  ],
  [
    'scope',
    { scope: 'a b' },
    'requirement.scope must be one scope, a list of at least one, or { any: [...] } with such a list; each scope is a string of its own (got a string)',
  ],
  ['role', { role: [] }, 'requirement.role must be one role, or a list of at least one (got an empty list)'],
  ['fresh', { fresh: 0 }, 'requirement.fresh must be at least 1 second (got 0)'],
  ['check', { check: true }, 'requirement.check must be a function (got true)'],
  ['optional', { optional: 'yes' }, 'requirement.optional must be true or false (got a string)'],
  ['scopes', { scopes: 'a' }, 'there is no option "requirement.scopes"; write scope'],
  ['frehs', { frehs: '5m' }, 'there is no option "requirement.frehs"; write fresh'],
  ['constructor', { constructor: 1 }, 'there is no option "requirement.constructor"'],
  [
    'onRefused',
    { onRefused() {} },
    'there is no option "requirement.onRefused"; it belongs in the options of protect, after the requirement',
  ],
]

for (const [member, requirement, message] of REQUIREMENT) {
  test(`requirement: a mistake in ${member} throws an error that names the function that was called`, () => {
    const guard = guardWith()
    const expected = (caller: string) => ({ name: 'TypeError', message: `${caller}: ${message}` })
    assert.throws(() => (guard.authenticate as Call)({ headers: {} }, requirement), expected('authenticate'))
    assert.throws(() => (express as Call)(guard, requirement), expected('protect'))
    if (requirement === undefined) return
    assert.throws(() => (authenticateSocket as Call)(guard, socket(), { requirement }), expected('authenticateSocket'))
  })
}

const OTHERS: readonly [call: Call, args: readonly unknown[], message: string][] = [
  [
    authenticateSocket as Call,
    [guardWith(), socket(), { timeout: '2h' }],
    "authenticateSocket: timeout must be from 1 second to 1 hour (got '2h')",
  ],
  [
    authenticateSocket as Call,
    [guardWith(), socket(), { onMessage: 'log' }],
    'authenticateSocket: onMessage must be a function (got a string)',
  ],
  [
    authenticateSocket as Call,
    [guardWith(), socket(), { requirement: { optional: true } }],
    'authenticateSocket: requirement.optional must be left out: a socket is authenticated or it is not (got true)',
  ],
  [
    authenticateSocket as Call,
    [guardWith(), socket(), { timeOut: 5 }],
    'authenticateSocket: there is no option "timeOut"; write timeout',
  ],
  [
    protectedResourceMetadata as Call,
    [{ resource: 'api' }],
    `protectedResourceMetadata: resource must be ${url} without fragment (got a string)`,
  ],
  [
    protectedResourceMetadata as Call,
    [{ resource: 'https://api.example' }],
    'protectedResourceMetadata: authorizationServers must be given: a list of at least one https URL (http on loopback)',
  ],
  [
    protectedResourceMetadata as Call,
    [{ scopesSupported: [] }],
    'protectedResourceMetadata: scopesSupported must be a list of at least one scope (got an empty list)',
  ],
  [
    createRevocationList as Call,
    [{ now: 5 }],
    'createRevocationList: now must be a function that returns milliseconds since 1970 (got 5)',
  ],
  [createTestIssuer as Call, [{ secret: 'x' }], 'createTestIssuer: secret must be a Uint8Array (got a string)'],
  [createTestIssuer as Call, [{ aud: 'x' }], 'createTestIssuer: there is no option "aud"'],
  [createTestIssuer().mint as Call, [{ roles: 'admin' }], 'mint: roles must be a list of strings (got a string)'],
]

for (const [call, args, message] of OTHERS) {
  test(`options: a wrong call throws "${message.slice(0, 60)}"`, () => {
    assert.throws(() => call(...args), { name: 'TypeError', message })
  })
}

test('options: no message contains a string that may be a secret', () => {
  const secret = 'sws_not-to-be-repeated'
  for (const option of Object.keys(GUARD)) {
    for (const value of [secret, [secret], { secret, id: secret, url: secret, client: secret }]) {
      const call = () => (createGuard as Call)({ ...whole, [option]: value })
      try {
        call()
      } catch (error) {
        assert.ok(!String(error).includes(secret), option)
      }
    }
  }
})

/** A socket that is never used. */
function socket(): unknown {
  return Object.assign(new EventTarget(), { close() {} })
}

test('protect: every adapter throws at startup if the guard is missing', async () => {
  const handler = () => {}
  const adapters: readonly [Call, readonly unknown[]][] = [
    ...[express, fastify, hono, koa, nest].map((protect): [Call, readonly unknown[]] => [protect as Call, []]),
    ...[node, fetching].map((protect): [Call, readonly unknown[]] => [protect as Call, [handler]]),
  ]
  const guard = guardWith()
  for (const [protect, rest] of adapters) {
    assert.ok(protect(guard, ...rest))
    for (const [value, got] of [
      [undefined, 'undefined; if it is from createAuth, write await before createAuth'],
      [null, 'null'],
      [{ issuer }, 'an object'],
      [Promise.resolve(guard), 'a promise: write await before it'],
      [{ guard }, 'an object with a guard: write protect(auth.guard)'],
    ]) {
      const message = `protect: the first argument must be a guard, as createGuard returns (got ${got})`
      assert.throws(() => protect(value, ...rest), { name: 'TypeError', message })
    }
  }
})

test('createGuard: errors of verify about keys name createGuard and the entry', () => {
  const what =
    'keys must be a key from importKey or generateKey, a list of such keys, or a key set from createLocalJWKSet; use createRemoteJWKSet for the URL of a JWK Set'
  const wrong: readonly [options: object, code: string, message: string][] = [
    ...['abc', 5, {}, null].map((keys): [object, string, string] => [{ keys }, 'ERR_JWT_KEY', `createGuard: ${what}`]),
    [{ keys: [{}] }, 'ERR_JWT_KEY', 'createGuard: the list has an element that is not a key of this package'],
    [
      { keys: Promise.resolve(key) },
      'ERR_JWT_KEY',
      'createGuard: keys must be a key, a list of keys or a key set (got a promise): await it first',
    ],
    [{ issuers: [{ issuer: 'old', keys: 'abc' }] }, 'ERR_JWT_KEY', `createGuard: issuers[0]: ${what}`],
  ]
  for (const [options, code, message] of wrong) {
    assert.throws(() => guardWith(options), { name: 'JwtError', code, message })
  }
})
