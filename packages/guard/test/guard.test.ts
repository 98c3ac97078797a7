import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { inspect } from 'node:util'
import { createLocalJWKSet, exportJwk, generateKey, JwtError, type VerificationKeys } from '@sealwax/jwt'
import {
  type Auth,
  createGuard,
  createRevocationList,
  GuardError,
  type GuardErrorCode,
  type GuardOptions,
  subjectKey,
} from '../src/index.ts'
import { audience, bearing, guardWith, ISSUED, issuer, key, later, refusalOf, tokenFor } from './tokens.ts'

function authOf(token: string, options: Partial<GuardOptions> = {}): Auth {
  const auth = guardWith(options).authenticate(bearing(token))
  assert.ok(!(auth instanceof Promise), 'if the keys are available, the result is not a promise')
  return auth
}

test('guard: returns who sent a request', () => {
  const auth = authOf(
    tokenFor({ sid: 's-1', client_id: 'web', scope: 'orders:read orders:write', roles: ['admin'], auth_time: ISSUED }),
  )
  assert.equal(auth.subject, 'user-123')
  assert.equal(auth.sessionId, 's-1')
  assert.equal(auth.clientId, 'web')
  assert.deepEqual(auth.scopes, ['orders:read', 'orders:write'])
  assert.deepEqual(auth.roles, ['admin'])
  assert.deepEqual(auth.authenticatedAt, new Date(ISSUED * 1000))
  assert.equal(auth.payload.iss, issuer)
  assert.deepEqual(auth.header, { alg: 'HS256', kid: 'key-1', typ: 'at+jwt' })
})

test('guard: a token with only the required claims has no scopes, no roles and no session', () => {
  const auth = authOf(tokenFor())
  assert.deepEqual(Object.keys(auth).sort(), ['header', 'payload', 'roles', 'scopes', 'subject'])
  assert.deepEqual(auth.scopes, [])
  assert.deepEqual(auth.roles, [])
})

test('guard: roles that are not an array of strings are ignored', () => {
  for (const roles of ['admin', { admin: true }, ['admin', 1], [['admin']], 7]) {
    assert.deepEqual(authOf(tokenFor({ roles })).roles, [], JSON.stringify(roles))
  }
})

test('guard: the result is deeply frozen', () => {
  const auth = authOf(tokenFor({ roles: ['user'], org: { id: 1, tags: ['a', { b: [] }] }, auth_time: ISSUED }))
  const seen: object[] = [auth]
  for (const object of seen) {
    assert.ok(Object.isFrozen(object), inspect(object))
    for (const [name, value] of Object.entries(object)) {
      if (name !== 'authenticatedAt' && typeof value === 'object' && value !== null) seen.push(value)
    }
  }
  assert.ok(seen.length >= 8)
  auth.authenticatedAt?.setTime(0)
  assert.equal(auth.authenticatedAt?.getTime(), ISSUED * 1000)
})

test('guard: the result can be awaited', async () => {
  assert.equal((await guardWith().authenticate(bearing(tokenFor()))).subject, 'user-123')
})

test('guard: a request without bearer credentials gets a bare challenge', () => {
  const url = `/orders?access_token=${tokenFor()}`
  for (const request of [{ headers: {} }, { headers: { authorization: 'Basic dXNlcjpwYXNz' } }, { headers: {}, url }]) {
    assert.throws(
      () => guardWith({ realm: 'orders' }).authenticate(request),
      (error) =>
        error instanceof GuardError &&
        error.code === 'token_missing' &&
        error.headers['WWW-Authenticate'] === 'Bearer realm="orders"',
    )
  }
})

test('guard: a malformed header is 400 invalid_request', () => {
  const guard = guardWith()
  const request = { headers: { authorization: `Bearer  ${tokenFor()}` } }
  assert.throws(() => guard.authenticate(request), { code: 'invalid_request', status: 400 })
})

test('guard: optional accepts missing credentials, but not invalid ones', () => {
  const guard = guardWith()
  const optional = { optional: true } as const
  assert.equal(guard.authenticate({ headers: {} }, optional), undefined)
  assert.equal(guard.authenticate({ headers: { authorization: 'Basic dXNlcjpwYXNz' } }, optional), undefined)
  const auth = guard.authenticate(bearing(tokenFor()), optional)
  assert.ok(auth !== undefined && !(auth instanceof Promise))
  assert.equal(auth.subject, 'user-123')
  assert.throws(() => guard.authenticate(bearing('abc'), optional), { code: 'token_malformed' })
  assert.throws(() => guard.authenticate({ headers: { authorization: 'Bearer' } }, optional), {
    code: 'invalid_request',
  })
  const scoped = { optional: true, scope: 'orders:read' } as const
  assert.throws(() => guard.authenticate(bearing(tokenFor()), scoped), { code: 'insufficient_scope' })
  assert.throws(() => guard.authenticate({ headers: {} }, { optional: false }), { code: 'token_missing' })
})

test('guard: keys may be one key, several, a JWK Set, or a function that is called each time', async () => {
  const pair = await generateKey('ES256')
  const jwks = createLocalJWKSet({ keys: [exportJwk(pair)] })
  for (const keys of [pair, [pair, key], jwks, () => jwks] satisfies GuardOptions['keys'][]) {
    assert.equal(authOf(tokenFor({}, {}, pair), { keys }).subject, 'user-123')
  }
  let current: VerificationKeys = key
  const guard = guardWith({ keys: () => current })
  assert.ok(guard.authenticate(bearing(tokenFor())))
  current = jwks
  assert.throws(() => guard.authenticate(bearing(tokenFor())), { code: 'token_key_unknown' })
})

test('guard: unavailable keys cause 503 with Retry-After, and the cause is kept', () => {
  const cause = new Error('wrapped by another secret')
  const error = refusalOf(tokenFor(), {
    keys: () => {
      throw cause
    },
  })
  assert.equal(error.code, 'keys_unavailable')
  assert.equal(error.status, 503)
  assert.equal(error.headers['Retry-After'], '5')
  assert.equal(error.headers['WWW-Authenticate'], undefined)
  assert.equal(error.cause, cause)
})

test('guard: invalid keys are an error of the program, not a refusal', () => {
  const seen: unknown[] = []
  const guard = guardWith({ keys: () => [], onRefusal: (error) => seen.push(error) })
  assert.throws(() => guard.authenticate(bearing(tokenFor())), JwtError)
  assert.equal(seen.length, 0)
})

test('guard: revocations are checked for tokens that verify', () => {
  const now = () => ISSUED * 1000
  const revocation = createRevocationList({ now })
  const token = tokenFor({ sid: 's-1', ver: 1 })
  assert.ok(authOf(token, { revocation }))
  revocation.add({ kind: 'ver', subject: subjectKey(issuer, 'user-123'), ver: 2, until: ISSUED + 900 })
  assert.equal(refusalOf(token, { revocation }).code, 'token_stale')
  revocation.add({ kind: 'sid', sid: 's-1', until: ISSUED + 900 })
  const revoked = refusalOf(token, { revocation })
  assert.equal(revoked.code, 'token_revoked')
  assert.equal(revoked.sessionId, 's-1')
  assert.equal(revoked.kid, 'key-1')
  assert.equal(refusalOf(token, { revocation, ...later(1000) }).code, 'token_expired')
})

test('guard: unavailable revocations cause 503, never 401', () => {
  const error = refusalOf(tokenFor(), { revocation: { check: () => 'revocation_unavailable' } })
  assert.equal(error.status, 503)
  assert.equal(error.headers['Retry-After'], '5')
})

test('guard: onRefusal is called once for every refusal, never for a success, and cannot change the response', async () => {
  const seen: [GuardErrorCode, unknown][] = []
  const guard = guardWith({
    onRefusal: (error, request) => {
      seen.push([error.code, request])
      throw new Error('the log is full')
    },
  })
  const bad = bearing('abc')
  assert.throws(() => guard.authenticate(bad), { code: 'token_malformed' })
  assert.throws(() => guard.authenticate(bearing(tokenFor()), { scope: 'a' }), { code: 'insufficient_scope' })
  assert.ok(guard.authenticate(bearing(tokenFor())))
  assert.equal(guard.authenticate({ headers: {} }, { optional: true }), undefined)
  assert.equal(seen.length, 2)
  assert.deepEqual(seen[0], ['token_malformed', bad])
  assert.equal(seen[0]?.[1], bad)

  const rejecting = guardWith({ onRefusal: async () => Promise.reject(new Error('the log is full')) })
  assert.throws(() => rejecting.authenticate(bad), { code: 'token_malformed' })
  await new Promise((resolve) => setImmediate(resolve)) // an unhandled rejection would end this process
})

test('guard: an error names each required option', () => {
  const whole = { issuer, audience, keys: key, revocation: null }
  assert.ok(createGuard(whole))
  for (const name of Object.keys(whole)) {
    const { [name as keyof typeof whole]: _, ...rest } = whole
    const incomplete = { ...rest, issuer: name === 'keys' ? null : issuer } as GuardOptions
    if (name === 'issuer') Reflect.deleteProperty(incomplete, name)
    assert.throws(() => createGuard(incomplete), {
      name: 'TypeError',
      message: new RegExp(`^createGuard: ${name} must be given: .{20}`),
    })
    assert.throws(() => createGuard({ ...whole, [name]: undefined }), TypeError)
  }
})

test('guard: unknown, undefined and invalid options throw when the guard is created', () => {
  const wrong: Record<string, unknown>[] = [
    { isuer: issuer },
    { currentDate: new Date() },
    { typ: undefined },
    { typ: '' },
    { requiredClaims: undefined },
    { requiredClaims: [] },
    { requiredClaims: 'sub' },
    { algorithms: [] },
    { algorithms: ['none'] },
    { clockTolerance: '5 minutes' },
    { clockTolerance: '5m' },
    { maxLifetime: '1.5h' },
    { issuer: '' },
    { issuer: [] },
    { audience: [] },
    { audience: /orders/ },
    { keys: [] },
    { keys: 'secret' },
    { revocation: { check: true } },
    { revocation: { uri: 'https://auth.example.com/feed' } },
    { revocation: { url: 'http://auth.example.com/feed' } },
    { revocation: { staleAfter: '5s' } },
    { revocation: { whenStale: 'maybe' } },
    { revocation: 'feed' },
    { onRefusal: 'log' },
    { now: 0 },
    { realm: '' },
    { realm: 'a\r\nb' },
    { realm: 7 },
    { cacheSize: -1 },
    { cacheSize: 1.5 },
    { cacheSize: '1000' },
    { cacheSize: 1e9 },
    { resourceMetadata: 'http://api.example.com/metadata' },
    { resourceMetadata: '/.well-known/oauth-protected-resource' },
  ]
  for (const options of wrong) {
    const isMistake = (error: unknown) => error instanceof TypeError || error instanceof JwtError
    assert.throws(() => guardWith(options as Partial<GuardOptions>), isMistake, inspect(options))
    if ('keys' in options) continue
    // With a function for keys, the keys cannot be checked yet, but the options still are.
    assert.throws(
      () => guardWith({ ...options, keys: () => key } as Partial<GuardOptions>),
      isMistake,
      inspect(options),
    )
  }
})

test('guard: null turns a check off', () => {
  const token = tokenFor({}, { issuer: 'https://other.example', audience: 'other', typ: 'JWT', jwtid: 'a' })
  assert.ok(authOf(token, { issuer: null, audience: null, typ: null }))
  assert.throws(() => authOf(token), GuardError)
})

test('guard: keeps its own copy of the options', () => {
  const names = [audience]
  const guard = guardWith({ audience: names })
  names[0] = 'billing-api'
  const keys = [key]
  const listed = guardWith({ keys })
  keys.length = 0
  assert.ok(listed.authenticate(bearing(tokenFor())))
  assert.ok(guard.authenticate(bearing(tokenFor())))
  assert.ok(Object.isFrozen(guard))
})

test('guard: the default clock is the system clock', () => {
  const guard = createGuard({ issuer, audience, keys: [key], revocation: null })
  assert.ok(guard.authenticate(bearing(tokenFor({}, { currentDate: new Date() }))))
  const old = tokenFor({}, { currentDate: new Date(Date.now() - 3_600_000) })
  assert.throws(() => guard.authenticate(bearing(old)), { code: 'token_expired' })
})

test('guard: close may be called twice', async () => {
  const guard = guardWith()
  await guard.close()
  await guard.close()
})

test('guard: a clock that is replaced after the guard was created is used', () => {
  const guard = createGuard({ issuer, audience, keys: key, revocation: null, cacheSize: 0 })
  const token = tokenFor({}, { currentDate: new Date() })
  assert.equal((guard.authenticate(bearing(token)) as Auth).subject, 'user-123')
  const expired = () => assert.throws(() => guard.authenticate(bearing(token)), { code: 'token_expired' })
  const hour = Date.now() + 3_600_000
  mock.timers.enable({ apis: ['Date'], now: hour })
  try {
    expired()
  } finally {
    mock.timers.reset()
  }
  const spy = mock.method(Date, 'now', () => hour)
  try {
    expired()
  } finally {
    spy.mock.restore()
  }
})
