import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import type { JwtPayload } from '@sealwax/jwt'
import { type Auth, GuardError, type GuardErrorCode, type GuardRequest, type Requirement } from '../src/index.ts'
import { bearing, guardWith, ISSUED, tokenFor } from './tokens.ts'

/** `undefined` if the request is accepted. */
function verdictOf(requirement: Requirement<GuardRequest>, claims: JwtPayload): GuardError | undefined {
  try {
    assert.ok(guardWith().authenticate(bearing(tokenFor(claims)), requirement))
    return undefined
  } catch (error) {
    if (error instanceof GuardError) return error
    throw error
  }
}

const table: readonly [Requirement<GuardRequest>, JwtPayload, GuardErrorCode | undefined][] = [
  [{}, {}, undefined],
  [{ scope: 'a' }, { scope: 'a' }, undefined],
  [{ scope: 'a' }, { scope: 'b a c' }, undefined],
  [{ scope: 'a' }, {}, 'insufficient_scope'],
  [{ scope: 'a' }, { scope: '' }, 'insufficient_scope'],
  [{ scope: 'a' }, { scope: 'A' }, 'insufficient_scope'],
  [{ scope: 'a' }, { scope: 'aa a:b' }, 'insufficient_scope'],
  [{ scope: 'orders' }, { scope: 'orders:read' }, 'insufficient_scope'],
  [{ scope: 'a' }, { scope: 'a\tb' }, 'insufficient_scope'],
  [{ scope: ['a', 'b'] }, { scope: 'b a' }, undefined],
  [{ scope: ['a', 'b'] }, { scope: 'a' }, 'insufficient_scope'],
  [{ scope: ['a', 'b'] }, { scope: 'b' }, 'insufficient_scope'],
  [{ scope: { any: ['a', 'b'] } }, { scope: 'b c' }, undefined],
  [{ scope: { any: ['a', 'b'] } }, { scope: 'a' }, undefined],
  [{ scope: { any: ['a'] } }, { scope: 'b' }, 'insufficient_scope'],
  [{ scope: { any: ['a', 'b'] } }, { scope: 'ab' }, 'insufficient_scope'],
  [{ scope: { any: ['a', 'b'] } }, {}, 'insufficient_scope'],
  [{ role: 'admin' }, { roles: ['admin'] }, undefined],
  [{ role: 'admin' }, { roles: ['user', 'admin'] }, undefined],
  [{ role: 'admin' }, { roles: ['user'] }, 'insufficient_role'],
  [{ role: 'admin' }, { roles: ['administrator'] }, 'insufficient_role'],
  [{ role: 'admin' }, { roles: 'admin' }, 'insufficient_role'],
  [{ role: 'admin' }, { roles: ['admin', null] }, 'insufficient_role'],
  [{ role: 'admin' }, { role: 'admin' }, 'insufficient_role'],
  [{ role: 'admin' }, {}, 'insufficient_role'],
  [{ role: ['admin', 'editor'] }, { roles: ['editor'] }, undefined],
  [{ role: ['admin', 'editor'] }, { roles: ['reader'] }, 'insufficient_role'],
  [{ fresh: '5m' }, { auth_time: ISSUED }, undefined],
  [{ fresh: '5m' }, { auth_time: ISSUED - 300 }, undefined],
  [{ fresh: 300 }, { auth_time: ISSUED - 300 }, undefined],
  [{ fresh: '5m' }, { auth_time: ISSUED - 301 }, 'reauthentication_required'],
  [{ fresh: '5m' }, {}, 'reauthentication_required'],
  [{ fresh: '5m' }, { auth_time: `${ISSUED}` }, 'reauthentication_required'],
  [{ fresh: '5m' }, { auth_time: null }, 'reauthentication_required'],
  [{ fresh: '5m' }, { auth_time: ISSUED + 60 }, undefined],
  [{ fresh: '5m' }, { auth_time: ISSUED + 61 }, 'reauthentication_required'],
  [{ fresh: '5m' }, { auth_time: ISSUED * 1000 }, 'reauthentication_required'],
  [{ check: () => true }, {}, undefined],
  [{ check: () => false }, {}, 'check_failed'],
  [{ check: (auth) => auth.payload.tenant === 't-1' }, { tenant: 't-1' }, undefined],
  [{ check: (auth) => auth.payload.tenant === 't-1' }, { tenant: 't-2' }, 'check_failed'],
  [{ scope: 'a', role: 'admin' }, { scope: 'a', roles: ['admin'] }, undefined],
  [{ scope: 'a', role: 'admin' }, { scope: 'a' }, 'insufficient_role'],
  [{ scope: 'a', role: 'admin' }, { roles: ['admin'] }, 'insufficient_scope'],
  [{ scope: 'a', fresh: '5m' }, {}, 'insufficient_scope'],
  [{ fresh: '5m', check: () => false }, {}, 'reauthentication_required'],
]

test(`requirements: ${table.length} requirements are checked against tokens`, () => {
  for (const [requirement, claims, code] of table) {
    assert.equal(verdictOf(requirement, claims)?.code, code, JSON.stringify([requirement, claims]))
  }
})

test('requirements: a refusal names what is missing, in the challenge and in the detail', () => {
  const scope = verdictOf({ scope: ['orders:read', 'orders:write'] }, { scope: 'orders:read', sid: 's-1' })
  assert.equal(scope?.status, 403)
  assert.match(scope?.headers['WWW-Authenticate'] ?? '', /, scope="orders:read orders:write"$/)
  assert.equal(scope?.detail, 'The access token must carry the scope "orders:read orders:write".')
  assert.equal(scope?.sessionId, 's-1')
  const any = verdictOf({ scope: { any: ['orders:read', 'admin'] } }, { scope: 'orders:write' })
  assert.match(any?.headers['WWW-Authenticate'] ?? '', /, scope="orders:read admin"$/)
  assert.equal(any?.detail, 'The access token must carry one of the scopes "orders:read", "admin".')
  const fresh = verdictOf({ fresh: '5m' }, {})
  assert.equal(fresh?.status, 401)
  assert.match(fresh?.headers['WWW-Authenticate'] ?? '', /error="insufficient_user_authentication", .*, max_age="300"$/)
})

test('requirements: check gets the auth and the request, and is not called if something else is missing', () => {
  const calls: unknown[][] = []
  const check = (...parameters: unknown[]) => {
    calls.push(parameters)
    return true
  }
  const request = bearing(tokenFor())
  assert.ok(guardWith().authenticate(request, { check }))
  assert.throws(() => guardWith().authenticate(request, { check, scope: 'a' }))
  assert.equal(calls.length, 1)
  assert.equal((calls[0]?.[0] as Auth | undefined)?.subject, 'user-123')
  assert.equal(calls[0]?.[1], request)
})

test('requirements: a check that returns anything but true or false accepts no request', async () => {
  for (const answer of [undefined, null, 1, 'yes', {}]) {
    const check = (() => answer) as unknown as () => boolean
    const message = /^requirement\.check must return true or false/
    assert.throws(() => guardWith().authenticate(bearing(tokenFor()), { check }), { name: 'TypeError', message })
    const later = (async () => answer) as unknown as () => Promise<boolean>
    const rejection = async () => guardWith().authenticate(bearing(tokenFor()), { check: later })
    await assert.rejects(rejection, { name: 'TypeError', message })
  }
})

test('requirements: a check may return a promise, also one of another realm', async () => {
  const guard = guardWith()
  const ask = (check: () => Promise<boolean>) => guard.authenticate(bearing(tokenFor()), { check })
  assert.ok(ask(async () => true) instanceof Promise)
  assert.equal((await ask(async () => true)).subject, 'user-123')
  await assert.rejects(async () => ask(async () => false), { code: 'check_failed', status: 403 })
  // A promise of another realm, as in a test runner.
  const foreign = runInNewContext('Promise.resolve(false)')
  assert.ok(!(foreign instanceof Promise))
  await assert.rejects(async () => ask(() => foreign), { code: 'check_failed' })
  const mistake = new RangeError('no such tenant')
  await assert.rejects(async () => ask(() => Promise.reject(mistake)), mistake)
})

test('requirements: what a check throws is passed on unchanged', () => {
  const mistake = new RangeError('no such tenant')
  const check = () => {
    throw mistake
  }
  assert.throws(() => guardWith().authenticate(bearing(tokenFor()), { check }), mistake)
})

test('requirements: unknown members, undefined, empty lists and wrong types throw, with or without a token', () => {
  const wrong: unknown[] = [
    undefined,
    null,
    'orders:read',
    ['orders:read'],
    () => true,
    { scopes: 'a' },
    { roles: ['admin'] },
    { scope: undefined },
    { role: undefined },
    { fresh: undefined },
    { check: undefined },
    { optional: undefined },
    { scope: [] },
    { role: [] },
    { scope: '' },
    { scope: [''] },
    { scope: 'a b' },
    { scope: ['a', 'b c'] },
    { scope: 'a"b' },
    { scope: 'a\\b' },
    { scope: 7 },
    { scope: ['a', undefined] },
    { scope: { any: [] } },
    { scope: { any: 'a' } },
    { scope: { any: ['a b'] } },
    { scope: { any: ['a'], all: ['b'] } },
    { scope: { all: ['a'] } },
    { scope: {} },
    { role: '' },
    { role: [null] },
    { role: { admin: true } },
    { fresh: 0 },
    { fresh: -5 },
    { fresh: '5 minutes' },
    { fresh: Number.POSITIVE_INFINITY },
    { fresh: new Date() },
    { check: true },
    { optional: 'yes' },
    { optional: 1 },
  ]
  const guard = guardWith()
  for (const requirement of wrong) {
    for (const request of [{ headers: {} }, bearing(tokenFor())]) {
      assert.throws(() => guard.authenticate(request, requirement as Requirement), TypeError)
    }
  }
})

test('requirements: changing a requirement after its first use has no effect', () => {
  const requirement = { scope: ['a'] }
  const guard = guardWith()
  const request = bearing(tokenFor({ scope: 'a' }))
  assert.ok(guard.authenticate(request, requirement))
  requirement.scope[0] = 'b'
  requirement.scope.length = 1
  assert.ok(guard.authenticate(request, requirement))
})
