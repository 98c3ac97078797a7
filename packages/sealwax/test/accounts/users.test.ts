import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it, test } from 'node:test'
import { subjectKey } from '@sealwax/guard'
import { unsafeDecode } from '@sealwax/jwt'
import type { LoadSubject } from '../../src/index.ts'
import { MINUTE, PASSWORD, type Started, standing, startAuth } from '../server.ts'

describe('users and their sessions', () => {
  async function loggedIn(server: Started, roles: string[] = ['student']) {
    const user = await server.auth.users.create({ email: 'ann@example.com', password: PASSWORD, roles })
    const tokens = await server.auth.sessions.create({ subject: user.id })
    return { id: user.id, ...tokens }
  }

  it('a role change immediately makes access tokens stale; a refresh returns the new roles', async () => {
    await using server = await startAuth()
    const { id, access_token, refresh_token } = await loggedIn(server)
    assert.deepEqual(unsafeDecode(access_token).payload.roles, ['student'])
    await server.auth.users.setRoles(id, ['student', 'teacher'])
    const { status, headers, body } = await server.call('/me', { token: access_token })
    assert.deepEqual([status, body.code], [401, 'token_stale'])
    assert.match(headers.get('WWW-Authenticate') ?? '', /error="invalid_token"/)
    const fresh = await server.call('/refresh', { json: { refresh_token } })
    assert.deepEqual(unsafeDecode(fresh.body.access_token).payload.roles, ['student', 'teacher'])
    assert.deepEqual((await server.call('/me', { token: fresh.body.access_token })).body.user.roles, [
      'student',
      'teacher',
    ])
    await server.auth.users.setRoles(id, [])
    assert.equal(await standing(server.auth, fresh.body.access_token), 'token_stale')
    assert.equal((await server.auth.sessions.list(id)).length, 1)
  })

  const endings: [name: string, act: (server: Started, id: string) => Promise<unknown>, reason: string][] = [
    ['disabling', ({ auth }, id) => auth.users.disable(id), 'user_disabled'],
    ['deleting', ({ auth }, id) => auth.users.delete(id), 'session_revoked'],
    [
      'a new password',
      ({ auth }, id) => auth.users.update(id, { password: 'quite another passphrase' }),
      'session_revoked',
    ],
    ['revokeAll', ({ auth }, id) => auth.sessions.revokeAll(id), 'session_revoked'],
  ]
  for (const [name, act, reason] of endings) {
    it(`${name} ends all sessions immediately`, async () => {
      await using server = await startAuth()
      const { id, access_token, refresh_token } = await loggedIn(server)
      const second = await server.auth.sessions.create({ subject: id })
      await act(server, id)
      for (const token of [access_token, second.access_token])
        assert.equal(await standing(server.auth, token), 'token_revoked')
      for (const token of [refresh_token, second.refresh_token]) {
        assert.equal((await server.call('/refresh', { json: { refresh_token: token } })).body.reason, reason)
      }
      assert.deepEqual(await server.auth.sessions.list(id), [])
    })
  }

  it('a new e-mail address ends no session', async () => {
    await using server = await startAuth()
    const { id, access_token } = await loggedIn(server)
    assert.equal((await server.auth.users.update(id, { email: 'Anna@example.com' })).email, 'anna@example.com')
    assert.equal(await standing(server.auth, access_token), 'accepted')
    assert.equal(await server.auth.users.find('ann@example.com'), undefined)
    await server.auth.users.create({ email: 'ann@example.com', password: PASSWORD })
    await assert.rejects(server.auth.users.update(id, { email: 'ANN@example.com' }), { code: 'email_taken' })
  })

  it('unknown users and invalid values are refused, or return undefined, false, 0 or an empty list', async () => {
    await using server = await startAuth()
    const { users, sessions } = server.auth
    const missing = { code: 'not_found' }
    await assert.rejects(users.setRoles('nobody', []), missing)
    await assert.rejects(users.disable('nobody'), missing)
    await assert.rejects(users.enable('nobody'), missing)
    await assert.rejects(users.update('nobody', { email: 'x@example.com' }), missing)
    assert.deepEqual([await users.get('nobody'), await users.delete('nobody')], [undefined, false])
    assert.deepEqual([await sessions.revoke('nobody'), await sessions.revokeAll('nobody')], [false, 0])
    assert.deepEqual(await sessions.list('nobody'), [])
    const { id } = await users.create({ id: 'user-1', email: 'a@example.com', password: PASSWORD })
    await assert.rejects(users.create({ id, email: 'b@example.com', password: PASSWORD }), { code: 'id_taken' })
    await assert.rejects(users.setRoles(id, ['a b']), { code: 'validation_failed' })
    await assert.rejects(users.create({ id: 'a b', email: 'c@example.com', password: PASSWORD }), {
      code: 'validation_failed',
    })
  })

  it('lists users in pages, ordered by id', async () => {
    await using server = await startAuth()
    for (const id of ['c', 'a', 'b'])
      await server.auth.users.create({ id, email: `${id}@example.com`, password: PASSWORD })
    const ids = async (page: { after?: string; limit?: number }) =>
      (await server.auth.users.list(page)).map(({ id }) => id)
    assert.deepEqual(await ids({ limit: 2 }), ['a', 'b'])
    assert.deepEqual(await ids({ after: 'b', limit: 2 }), ['c'])
  })
})

describe("sessions of the application's own users", () => {
  it('without loadSubject: roles, scope, claims and amr stay as given', async () => {
    await using server = await startAuth()
    const given = { roles: ['teacher'], scope: 'courses:read courses:write', claims: { tenant: 't1' }, amr: ['ldap'] }
    const first = await server.auth.sessions.create({ subject: 'user:7', ...given })
    assert.equal(first.scope, given.scope)
    server.clock.advance(MINUTE)
    const second = await server.auth.sessions.refresh(first.refresh_token)
    for (const { access_token } of [first, second]) {
      const { sub, roles, scope, tenant, amr } = unsafeDecode(access_token).payload
      assert.deepEqual(
        { sub, roles, scope, tenant, amr },
        { sub: 'user:7', roles: given.roles, scope: given.scope, tenant: 't1', amr: ['ldap'] },
      )
      assert.equal(await standing(server.auth, access_token), 'accepted')
    }
    assert.deepEqual((await server.call('/me', { token: second.access_token })).body.user, {
      id: 'user:7',
      roles: ['teacher'],
    })
  })

  it('refuses claims that Sealwax sets, and invalid subjects', async () => {
    await using server = await startAuth()
    const refused = { code: 'validation_failed' }
    for (const name of [
      'iss',
      'sub',
      'aud',
      'exp',
      'nbf',
      'iat',
      'jti',
      'client_id',
      'sid',
      'scope',
      'roles',
      'auth_time',
      'amr',
      'ver',
      'cnf',
    ]) {
      await assert.rejects(server.auth.sessions.create({ subject: 'ann', claims: { [name]: 'x' } }), refused, name)
    }
    for (const subject of ['', ' ', 'a\nb', 'a\u0000', 'x'.repeat(257), 7, null, undefined, ['ann']]) {
      await assert.rejects(server.auth.sessions.create({ subject: subject as string }), refused, String(subject))
    }
    assert.deepEqual(await server.auth.sessions.list('ann'), [])
  })

  it('refuses a disabled built-in user, and uses the stored roles of others', async () => {
    await using server = await startAuth()
    const { id } = await server.auth.users.create({ email: 'ann@example.com', password: PASSWORD, roles: ['student'] })
    const { access_token } = await server.auth.sessions.create({ subject: id, roles: ['admin'] })
    assert.deepEqual(unsafeDecode(access_token).payload.roles, ['student'])
    await server.auth.users.disable(id)
    await assert.rejects(server.auth.sessions.create({ subject: id }), { code: 'user_disabled' })
  })

  it('loadSubject supplies roles and claims at each refresh; a disabled or unknown subject ends the session', async () => {
    let answer: Awaited<ReturnType<LoadSubject>> = { roles: ['a'], claims: { tenant: 't1' } }
    await using server = await startAuth({ loadSubject: async () => answer })
    const { auth, clock } = server
    const refreshed = async (token: string) => {
      clock.advance(MINUTE)
      return auth.sessions.refresh(token)
    }
    let tokens = await refreshed(
      (await auth.sessions.create({ subject: 'ann', roles: ['old'], claims: { tenant: 't0' } })).refresh_token,
    )
    const claims = () => {
      const { roles, tenant } = unsafeDecode(tokens.access_token).payload
      return { roles, tenant }
    }
    assert.deepEqual(claims(), { roles: ['a'], tenant: 't1' })
    answer = {}
    tokens = await refreshed(tokens.refresh_token)
    assert.deepEqual(claims(), { roles: undefined, tenant: undefined })
    for (const end of [{ disabled: true }, undefined]) {
      answer = {}
      const other = await auth.sessions.create({ subject: 'bob' })
      answer = end
      await assert.rejects(auth.sessions.refresh(other.refresh_token), {
        code: 'invalid_grant',
        reason: 'user_disabled',
      })
      assert.equal(await standing(auth, other.access_token), 'token_revoked')
    }
  })

  it('a loadSubject that throws gives 503 with Retry-After, and ends no session', async () => {
    let fails = false
    const loadSubject: LoadSubject = () => {
      if (fails) throw new Error('the application database is away: password hunter2')
      return { roles: [] }
    }
    await using server = await startAuth({ loadSubject })
    const { refresh_token, access_token } = await server.auth.sessions.create({ subject: 'ann' })
    fails = true
    const { status, headers, body, text } = await server.call('/refresh', { json: { refresh_token } })
    assert.deepEqual(
      [status, body.code, Number(headers.get('Retry-After')) > 0],
      [503, 'temporarily_unavailable', true],
    )
    assert.ok(!text.includes('hunter2'))
    assert.equal(await standing(server.auth, access_token), 'accepted')
    fails = false
    assert.equal((await server.call('/refresh', { json: { refresh_token } })).status, 200)
  })
})

test('revocations: the key of a subject is the first 16 bytes of SHA-256 over issuer, NUL and subject', () => {
  for (const [issuer, subject] of [
    ['https://auth.example.com', 'user-123'],
    ['http://127.0.0.1:5000', 'Zoë'],
  ] as const) {
    const digest = createHash('sha256').update(`${issuer}\0${subject}`).digest()
    assert.equal(subjectKey(issuer, subject), digest.subarray(0, 16).toString('base64url'))
  }
})
