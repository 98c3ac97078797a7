import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { createRevocationList, type GuardOptions, subjectKey } from '../src/index.ts'
import { bearing, guardWith, ISSUED, issuer, key, refusalOf, secret, tokenFor } from './tokens.ts'

/** The options for the tokens of most identity providers. */
const PROVIDER = { typ: 'JWT', requiredClaims: ['iss', 'aud', 'exp', 'iat'] } as const

/** A token as another library writes it, which `sign` would refuse. */
function foreign(claims: object): string {
  const all = { iss: issuer, aud: 'orders-api', iat: ISSUED, exp: ISSUED + 900, ...claims }
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${encode({ alg: 'HS256', typ: 'JWT', kid: 'key-1' })}.${encode(all)}`
  return `${input}.${createHmac('sha256', secret(7, 32)).update(input).digest('base64url')}`
}

async function authFor(claims: object, options: Partial<GuardOptions> = {}) {
  return await guardWith({ ...PROVIDER, ...options }).authenticate(bearing(foreign(claims)))
}

test('claims: without a mapping, scopes come from scope, else from scp, as a string or a list', async () => {
  const cases: readonly [claims: object, scopes: readonly string[]][] = [
    [{ scope: 'a b' }, ['a', 'b']],
    [{ scope: ['a', 'b'] }, ['a', 'b']],
    [{ scp: 'a  b' }, ['a', 'b']],
    [{ scp: ['a', 'b'] }, ['a', 'b']],
    [{ scope: 'a', scp: ['b'] }, ['a']],
    [{ scope: '', scp: ['b'] }, []],
    [{ scp: ['a', 7] }, []],
    [{ scp: ['a', ''] }, ['a', '']],
    [{ scp: { a: true } }, []],
    [{}, []],
  ]
  for (const [claims, scopes] of cases) {
    assert.deepEqual((await authFor({ sub: 'u', ...claims })).scopes, scopes, JSON.stringify(claims))
  }
})

test('claims: scopes, roles, client and subject come from a claim, a path or a function', async () => {
  const claims = {
    ...{ id: 42, sub: 'ignored', 'cognito:groups': ['admin'], realm_access: { roles: ['teacher'] }, cid: 'spa' },
    ...{ permissions: ['orders:read'], tenant: 'acme', 'https://example.com/role': 'owner' },
  }
  const auth = await authFor(claims, {
    claims: {
      subject: 'id',
      scopes: 'permissions',
      roles: ['realm_access', 'roles'],
      clientId: ({ tenant, cid }) => `${tenant}/${cid}`,
    },
  })
  const { subject, scopes, roles, clientId } = auth
  const expected = { subject: '42', scopes: ['orders:read'], roles: ['teacher'], clientId: 'acme/spa' }
  assert.deepEqual({ subject, scopes, roles, clientId }, expected)
  assert.equal((await authFor(claims, { claims: { roles: 'cognito:groups' } })).roles[0], 'admin')
  assert.deepEqual((await authFor(claims, { claims: { roles: 'https://example.com/role' } })).roles, ['owner'])
  assert.deepEqual((await authFor(claims, { claims: { roles: 'realm_access.roles' } })).roles, [])
  assert.deepEqual((await authFor(claims, { claims: { roles: ['constructor', 'name'] } })).roles, [])
})

test('claims: requirements and revocations use what was mapped', async () => {
  const revocation = createRevocationList({ now: () => ISSUED * 1000 })
  const guard = guardWith({
    ...PROVIDER,
    revocation,
    claims: { subject: 'uid', scopes: 'permissions', roles: 'groups' },
  })
  const request = bearing(foreign({ uid: 7, permissions: ['a'], groups: ['admin'], ver: 1 }))
  assert.equal((await guard.authenticate(request, { scope: 'a', role: 'admin' })).subject, '7')
  assert.throws(() => void guard.authenticate(request, { scope: 'b' }), { code: 'insufficient_scope' })
  assert.throws(() => void guard.authenticate(request, { role: 'owner' }), { code: 'insufficient_role' })
  revocation.add({ kind: 'ver', subject: subjectKey(issuer, '7'), ver: 2, until: ISSUED + 86_400 })
  assert.throws(() => void guard.authenticate(request), { code: 'token_stale' })
})

test('claims: a number as sub is accepted if the mapping names sub, and refused otherwise', async () => {
  assert.equal((await authFor({ sub: 42 }, { claims: { subject: 'sub' } })).subject, '42')
  const token = foreign({ sub: 42 })
  assert.equal(refusalOf(token, PROVIDER).code, 'token_claim_invalid')
  assert.equal(refusalOf(token, { ...PROVIDER, claims: { scopes: 'scp' } }).code, 'token_claim_invalid')
  const renamed = { ...PROVIDER, claims: { subject: 'id' } }
  for (const id of [1.5, 2 ** 53, '', null, true, ['u'], { id: 'u' }]) {
    assert.equal(refusalOf(foreign({ id }), renamed).code, 'token_claim_invalid', JSON.stringify(id))
  }
  const { code, detail } = refusalOf(foreign({ sub: 'u' }), renamed)
  assert.deepEqual([code, detail], ['token_claim_missing', 'The access token lacks the claim "id".'])
  // What a function reads is not known, so no claim is named.
  const unnamed = refusalOf(foreign({ sub: 'u' }), { ...PROVIDER, claims: { subject: ({ id }) => id } })
  assert.deepEqual([unnamed.code, unnamed.detail], ['token_claim_missing', 'The access token lacks a required claim.'])
})

test('claims: each issuer has its own mapping; a subject of another name is enough for an older system', async () => {
  const old = 'https://old.example.com'
  const until = new Date((ISSUED + 86_400) * 1000)
  const entry = { issuer: old, keys: key, until, claims: { subject: 'user_id', roles: 'group' } }
  const guard = guardWith({ claims: { roles: 'own_roles' }, issuers: [entry] })
  const theirs = await guard.authenticate(bearing(foreign({ iss: old, user_id: 9, group: 'staff', own_roles: ['x'] })))
  assert.deepEqual([theirs.subject, theirs.roles], ['9', ['staff']])
  const ours = await guard.authenticate(bearing(tokenFor({ own_roles: ['x'], group: 'staff' })))
  assert.deepEqual([ours.subject, ours.roles], ['user-123', ['x']])
})

test('claims: a mapping is read once for each token, before it is cached', async () => {
  let calls = 0
  const roles = () => {
    calls += 1
    return ['a']
  }
  const guard = guardWith({ claims: { roles } })
  const request = bearing(tokenFor())
  for (let turn = 0; turn < 3; turn += 1) assert.deepEqual((await guard.authenticate(request)).roles, ['a'])
  assert.equal(calls, 1)
})

test('claims: what a function throws, and a promise, is an error of the program and not a refusal', () => {
  const scopes = () => {
    throw new RangeError('no such tenant')
  }
  assert.throws(() => void guardWith({ claims: { scopes } }).authenticate(bearing(tokenFor())), RangeError)
  assert.throws(() => void guardWith({ claims: { scopes: async () => [] } }).authenticate(bearing(tokenFor())), {
    message: 'createGuard: claims.scopes must return a value (got a promise)',
  })
})

test('claims: the lists of a mapping are copied and frozen', async () => {
  const list = ['a']
  const { roles } = await authFor({ sub: 'u' }, { claims: { roles: () => list } })
  list.push('b')
  assert.deepEqual(roles, ['a'])
  assert.ok(Object.isFrozen(roles))
})

test('claims: a mapping that is misspelled or empty is refused when the guard is created', () => {
  const message = (claims: unknown) => {
    try {
      guardWith({ claims: claims as never })
    } catch (error) {
      return (error as Error).message
    }
    return assert.fail('accepted')
  }
  const source = 'the name of a claim, the path to a member as a list of names, or a function of the claims'
  assert.equal(message({ scope: 'scp' }), 'createGuard: there is no option "claims.scope"; write scopes')
  assert.equal(message({ scopes: '' }), `createGuard: claims.scopes must be ${source} (got an empty string)`)
  assert.equal(message({ roles: [] }), `createGuard: claims.roles must be ${source} (got an empty list)`)
  assert.equal(message('scp'), "createGuard: claims must be an object such as { scopes: 'scp' } (got a string)")
})
