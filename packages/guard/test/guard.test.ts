import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { inspect } from 'node:util'
import {
  createLocalJWKSet,
  exportJwk,
  generateKey,
  importKey,
  JwtError,
  sign,
  type VerificationKeys,
} from '@sealwax/jwt'
import {
  type Auth,
  createGuard,
  createRevocationList,
  GuardError,
  type GuardErrorCode,
  type GuardOptions,
  type GuardRequest,
  type Requirement,
  subjectKey,
} from '../src/index.ts'
import { audience, bearing, guardWith, ISSUED, issuer, key, secret, strangerKey, tokenFor } from './tokens.ts'

/** The refusal of a request; fails if it is let through. */
function refusalOf(
  token: string,
  options: Partial<GuardOptions> = {},
  requirement: Requirement<GuardRequest> = {},
): GuardError {
  try {
    void guardWith(options).authenticate(bearing(token), requirement)
  } catch (error) {
    if (error instanceof GuardError) return error
    throw error
  }
  return assert.fail('the request was let through')
}

function authOf(token: string, options: Partial<GuardOptions> = {}): Auth {
  const auth = guardWith(options).authenticate(bearing(token))
  assert.ok(!(auth instanceof Promise), 'with keys at hand the answer is there at once')
  return auth
}

const later = (seconds: number) => ({ now: () => (ISSUED + seconds) * 1000 })

test('guard: tells who sent a request', () => {
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

test('guard: a token with nothing but the required claims has no scopes, no roles and no session', () => {
  const auth = authOf(tokenFor())
  assert.deepEqual(Object.keys(auth).sort(), ['header', 'payload', 'roles', 'scopes', 'subject'])
  assert.deepEqual(auth.scopes, [])
  assert.deepEqual(auth.roles, [])
})

test('guard: roles that are not an array of strings are no roles', () => {
  for (const roles of ['admin', { admin: true }, ['admin', 1], [['admin']], 7]) {
    assert.deepEqual(authOf(tokenFor({ roles })).roles, [], JSON.stringify(roles))
  }
})

test('guard: what it returns is frozen to the bottom', () => {
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

test('guard: awaiting the answer works as well', async () => {
  assert.equal((await guardWith().authenticate(bearing(tokenFor()))).subject, 'user-123')
})

/** A token without a subject. */
const anonymous = () =>
  sign({ jti: 'a' }, key, { issuer, audience, typ: 'at+jwt', expiresIn: '15m', currentDate: new Date(ISSUED * 1000) })

/** A token bound to a key (RFC 9449 §6), which `sign` does not make. */
function bound(): string {
  const claims = { iss: issuer, sub: 'u', aud: audience, iat: ISSUED, exp: ISSUED + 900, jti: 'a', cnf: { jkt: 'abc' } }
  const parts = [{ alg: 'HS256', kid: 'key-1', typ: 'at+jwt' }, claims]
  const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${input}.${createHmac('sha256', secret(7, 32)).update(input).digest('base64url')}`
}

const refusals: readonly [name: string, code: GuardErrorCode, token: () => string, Partial<GuardOptions>?][] = [
  ['rubbish', 'token_malformed', () => 'abc'],
  ['two segments', 'token_malformed', () => 'a.b'],
  ['a header that is not JSON', 'token_malformed', () => 'YQ.YQ.YQ'],
  ['over 8192 characters', 'token_malformed', () => `${tokenFor()}${'A'.repeat(8192)}`],
  ['another key of the same name', 'token_signature_invalid', () => tokenFor({}, {}, strangerKey)],
  ['a changed signature', 'token_signature_invalid', () => tokenFor().replace(/\.[^.]+$/, `.${'A'.repeat(43)}`)],
  [
    'a key of another name',
    'token_key_unknown',
    () => tokenFor({}, {}, importKey(secret(9, 32), { alg: 'HS256', kid: 'key-9' })),
  ],
  [
    'another algorithm',
    'token_algorithm_not_allowed',
    () => tokenFor({}, {}, importKey(secret(7, 64), { alg: 'HS512', kid: 'key-1' })),
  ],
  ['an algorithm left out by `algorithms`', 'token_algorithm_not_allowed', tokenFor, { algorithms: ['ES256'] }],
  ['expired', 'token_expired', tokenFor, later(937)],
  ['not yet valid', 'token_not_yet_valid', () => tokenFor({}, { notBefore: '10m' })],
  ['issued in the future', 'token_not_yet_valid', tokenFor, later(-3600)],
  ['another issuer', 'token_issuer_invalid', () => tokenFor({}, { issuer: 'https://evil.example' })],
  ['another audience', 'token_audience_invalid', () => tokenFor({}, { audience: 'billing-api' })],
  ['an ID token', 'token_type_invalid', () => tokenFor({}, { typ: 'JWT' })],
  ['no type', 'token_type_invalid', () => tokenFor({}, { typ: null })],
  ['a claim that is required here', 'token_claim_missing', tokenFor, { requiredClaims: ['sub', 'tenant'] }],
  ['no subject', 'token_claim_missing', () => anonymous()],
  ['no subject, though not asked for', 'token_claim_missing', () => anonymous(), { requiredClaims: ['iss'] }],
  ['a numeric session id', 'token_claim_invalid', () => tokenFor({ sid: 7 })],
  ['an empty session id', 'token_claim_invalid', () => tokenFor({ sid: '' })],
  [
    'an empty subject of another type',
    'token_claim_invalid',
    () => tokenFor({ sub: '', jti: 'a' }, { typ: 'JWT' }),
    { typ: 'JWT' },
  ],
  ['a lifetime over the limit', 'token_claim_invalid', tokenFor, { maxLifetime: '5m' }],
  ['bound to a key', 'token_proof_required', bound],
]

for (const [name, code, token, options] of refusals) {
  test(`guard: refuses a token: ${name} (${code})`, () => {
    const text = token()
    const error = refusalOf(text, options)
    assert.equal(error.code, code)
    assert.equal(error.status, 401)
    assert.match(error.headers['WWW-Authenticate'] ?? '', /^Bearer realm="api", error="invalid_token", /)
    assert.ok(error.cause instanceof JwtError)
    assert.ok(!inspect(error, { depth: 9 }).includes(text.slice(-20)), 'the token is nowhere in the error')
  })
}

test('guard: refusals are told in sentences', () => {
  assert.equal(refusalOf(tokenFor(), later(937)).detail, 'The access token expired 37 seconds ago.')
  assert.equal(refusalOf(tokenFor(), later(900 + 180)).detail, 'The access token expired 3 minutes ago.')
  assert.equal(refusalOf(tokenFor(), later(900 + 3 * 86_400)).detail, 'The access token expired 3 days ago.')
  const early = refusalOf(tokenFor({}, { notBefore: '10m' }))
  assert.equal(early.detail, 'The access token becomes valid in 10 minutes.')
  const missing = refusalOf(tokenFor(), { requiredClaims: ['tenant'] })
  assert.equal(missing.detail, 'The access token lacks the claim "tenant".')
  assert.equal(refusalOf(tokenFor({ sid: 7 })).detail, 'The claim "sid" of the access token is not acceptable.')
})

test('guard: a refusal names the key for the log, and the session only if the signature held', () => {
  const expired = refusalOf(tokenFor({ sid: 's-1' }), later(1000))
  assert.equal(expired.kid, 'key-1')
  assert.equal(expired.sessionId, 's-1')
  const forged = refusalOf(tokenFor({ sid: 's-1' }, {}, strangerKey))
  assert.equal(forged.kid, 'key-1')
  assert.equal(forged.sessionId, undefined)
  const lineBreak = importKey(secret(9, 32), { alg: 'HS256', kid: 'a\nb' })
  assert.equal(refusalOf(tokenFor({}, {}, lineBreak)).kid, undefined)
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

test('guard: optional forgives missing credentials, never bad ones', () => {
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

test('guard: keys may be one key, several, a JWK Set, or a function that is asked each time', async () => {
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

test('guard: keys that cannot be had are 503 with Retry-After, and the cause is kept', () => {
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

test('guard: keys that are no keys are a mistake of the program, not a refusal', () => {
  const seen: unknown[] = []
  const guard = guardWith({ keys: () => [], onRefusal: (error) => seen.push(error) })
  assert.throws(() => guard.authenticate(bearing(tokenFor())), JwtError)
  assert.equal(seen.length, 0)
})

test('guard: revocations are asked about tokens that verify', () => {
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

test('guard: revocations that are not known refuse with 503, never 401', () => {
  const error = refusalOf(tokenFor(), { revocation: { check: () => 'revocation_unavailable' } })
  assert.equal(error.status, 503)
  assert.equal(error.headers['Retry-After'], '5')
})

test('guard: onRefusal sees every refusal once and no success, and cannot change the answer', async () => {
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

test('guard: what must be spelled out is asked for in a sentence', () => {
  const whole = { issuer, audience, keys: key, revocation: null }
  assert.ok(createGuard(whole))
  for (const name of Object.keys(whole)) {
    const { [name as keyof typeof whole]: _, ...rest } = whole
    assert.throws(() => createGuard(rest as GuardOptions), {
      name: 'TypeError',
      message: new RegExp(`^createGuard: ${name} must be given: .{20}`),
    })
    assert.throws(() => createGuard({ ...whole, [name]: undefined }), TypeError)
  }
})

test('guard: unknown, undefined and senseless options throw when the guard is made', () => {
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
    { revocation: {} },
    { revocation: 'feed' },
    { onRefusal: 'log' },
    { now: 0 },
    { realm: '' },
    { realm: 'a\r\nb' },
    { realm: 7 },
  ]
  for (const options of wrong) {
    const isMistake = (error: unknown) => error instanceof TypeError || error instanceof JwtError
    assert.throws(() => guardWith(options as Partial<GuardOptions>), isMistake, inspect(options))
    if ('keys' in options) continue
    // With a function for keys nothing can be looked up yet, but the options are judged all the same.
    assert.throws(
      () => guardWith({ ...options, keys: () => key } as Partial<GuardOptions>),
      isMistake,
      inspect(options),
    )
  }
})

test('guard: null opts out of a check, in writing', () => {
  const token = tokenFor({}, { issuer: 'https://other.example', audience: 'other', typ: 'JWT', jwtid: 'a' })
  assert.ok(authOf(token, { issuer: null, audience: null, typ: null }))
  assert.throws(() => authOf(token), GuardError)
})

test('guard: keeps its own copy of the options', () => {
  const issuers = [issuer]
  const guard = guardWith({ issuer: issuers })
  issuers[0] = 'https://evil.example'
  const keys = [key]
  const listed = guardWith({ keys })
  keys.length = 0
  assert.ok(listed.authenticate(bearing(tokenFor())))
  assert.ok(guard.authenticate(bearing(tokenFor())))
  assert.ok(Object.isFrozen(guard))
})

test('guard: the clock is the time of day unless one is given', () => {
  const guard = createGuard({ issuer, audience, keys: [key], revocation: null })
  assert.ok(guard.authenticate(bearing(tokenFor({}, { currentDate: new Date() }))))
  const old = tokenFor({}, { currentDate: new Date(Date.now() - 3_600_000) })
  assert.throws(() => guard.authenticate(bearing(old)), { code: 'token_expired' })
})

test('guard: close is harmless, twice too', async () => {
  const guard = guardWith()
  await guard.close()
  await guard.close()
})
