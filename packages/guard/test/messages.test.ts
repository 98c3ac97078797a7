import assert from 'node:assert/strict'
import { test } from 'node:test'
import { protect as express } from '../src/adapters/express.ts'
import { protect as fastify } from '../src/adapters/fastify.ts'
import { protect as fetching } from '../src/adapters/fetch.ts'
import { protect as hono } from '../src/adapters/hono.ts'
import { protect as koa } from '../src/adapters/koa.ts'
import { protect as nest } from '../src/adapters/nest.ts'
import { protect as node } from '../src/adapters/node.ts'
import { createGuard } from '../src/index.ts'
import { audience, guardWith, issuer, key } from './tokens.ts'

type Call = (...args: readonly unknown[]) => unknown

test('createGuard: a missing or wrong argument is answered with a sentence that names it', () => {
  const whole = { issuer, audience, keys: key, revocation: null }
  const wrong: readonly [args: readonly unknown[], message: string][] = [
    [[], 'createGuard: options must be given, such as { issuer, audience }; got undefined'],
    [[null], 'createGuard: options must be given, such as { issuer, audience }; got null'],
    [[issuer], 'createGuard: options must be given, such as { issuer, audience }; got a string'],
    [[{}], 'createGuard: issuer must be given: the iss of the tokens, or null to accept tokens of any issuer'],
    [[{ ...whole, issuer: 7 }], 'createGuard: issuer must be a string, or null to accept any; got a number'],
    [[{ ...whole, issuer: '' }], 'createGuard: issuer must be a string, or null to accept any; got an empty string'],
    [
      [{ issuer }],
      'createGuard: audience must be given: the name of this API in the tokens, or null to accept tokens meant for others',
    ],
    [
      [{ ...whole, audience: [] }],
      'createGuard: audience must be a string, a list of strings, or null to accept tokens meant for others; got an empty list',
    ],
    [
      [{ ...whole, revocation: 'https://auth.example.com/feed' }],
      'createGuard: revocation must be a RevocationList, { check } of your own, { url } of a revocation feed, or null if tokens of ended sessions may be used until they expire; got a string',
    ],
    [[{ ...whole, secret: 'x' }], "createGuard: there is no secret; write keys: importKey(octets, { alg: 'HS256' })"],
    [
      [{ ...whole, revocation: { check: () => false, ttl: 5 } }],
      'createGuard: revocation: unknown member "ttl"; beside check there are cacheFor and subscribe',
    ],
    [[{ ...whole, trust: [] }], 'createGuard: there is no trust; write issuers: [{ issuer, keys, until }]'],
    [[{ ...whole, issuers: {} }], 'createGuard: issuers must be a list, such as [{ issuer, keys }]'],
    [[{ ...whole, issuers: [{ issuer: 'old', key }] }], 'createGuard: issuers[0]: there is no key; write keys'],
    [
      [{ ...whole, issuers: [{ issuer: 'old', jwksUri: 'https://old.example' }] }],
      'createGuard: issuers[0]: there is no jwksUri; write keys: createRemoteJWKSet(url)',
    ],
    [
      [{ ...whole, issuers: [{ issuer: null }] }],
      'createGuard: issuers[0]: keys must be given: tokens without iss name nobody who could be asked for keys',
    ],
    [
      [{ issuer: 'http://auth.example.com', audience }],
      'createGuard: keys must be given: they can only be fetched from an issuer that is one https URL (http on loopback), and "http://auth.example.com" is not',
    ],
    [[{ ...whole, check: true }], 'createGuard: check must be a function of the auth that returns true or false'],
  ]
  for (const [args, message] of wrong) {
    assert.throws(() => (createGuard as Call)(...args), { name: 'TypeError', message })
  }
})

test('protect: a route without its guard is found when the program starts, in every adapter', async () => {
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
      const message = `protect: the first argument must be a guard, as createGuard returns; got ${got}`
      assert.throws(() => protect(value, ...rest), { name: 'TypeError', message })
    }
  }
})

test('createGuard: what verify says of keys and options is said under the name of createGuard, and of the entry', () => {
  const what =
    'keys must be what importKey, generateKey or createLocalJWKSet returns, or a list of such keys; for the URL of a JWK Set there is createRemoteJWKSet'
  const wrong: readonly [options: object, code: string, message: string][] = [
    ...['abc', 5, {}, null].map((keys): [object, string, string] => [{ keys }, 'ERR_JWT_KEY', `createGuard: ${what}`]),
    [{ keys: [{}] }, 'ERR_JWT_KEY', 'createGuard: the list holds what is not a key of this package'],
    [{ keys: Promise.resolve(key) }, 'ERR_JWT_KEY', 'createGuard: keys is a promise: write await before it'],
    [{ issuers: [{ issuer: 'old', keys: 'abc' }] }, 'ERR_JWT_KEY', `createGuard: issuers[0]: ${what}`],
    [{ clockTolerance: 100 }, 'ERR_JWT_OPTION', 'createGuard: clockTolerance must be at most 60 seconds'],
  ]
  for (const [options, code, message] of wrong) {
    assert.throws(() => guardWith(options), { name: 'JwtError', code, message })
  }
})
