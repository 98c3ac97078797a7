import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unsafeDecode } from '@sealwax/jwt'
import type { AuthOptions, LoadSubject } from '../../src/index.ts'
import { assertProblem, PASSWORD, type Started, standing, startAuth } from '../server.ts'

const EMAIL = 'ann@example.com'
const credentials = { email: EMAIL, password: PASSWORD }

/** An application that knows only its staff. */
const STAFF: Readonly<Record<string, Awaited<ReturnType<LoadSubject>>>> = {
  'emp-1': { roles: ['staff'], claims: { tenant: 't1' } },
}
const staffOnly: LoadSubject = async (subject) => STAFF[subject]

/** A server whose loadSubject returns or throws the current `says.answer`. */
async function startAsking(says: { answer: unknown }, options: Partial<AuthOptions> = {}): Promise<Started> {
  const loadSubject = async () => {
    if (says.answer instanceof Error) throw says.answer
    return says.answer as ReturnType<LoadSubject>
  }
  return startAuth({ loadSubject, ...options })
}

/** Checks that a refused sign-up or log-in left no event and no audit row. */
async function assertNothingBegan({ auth, events }: Started): Promise<void> {
  assert.deepEqual(
    events.filter(({ type }) => type.startsWith('session.') || type === 'user.registered'),
    [],
  )
  for (const type of ['session.created', 'user.registered'])
    assert.deepEqual((await auth.audit.list({ type })).data, [])
}

describe('an application with its own users', () => {
  it('/register is closed when loadSubject is given and registration is not set', async () => {
    await using server = await startAuth({ loadSubject: staffOnly })
    assertProblem(await server.call('/register', { json: credentials }), [403, 'registration_disabled'])
    assert.deepEqual(await server.auth.users.list(), [])
    await assertNothingBegan(server)
  })

  it('/register refuses a user that loadSubject does not know, and stores nothing', async () => {
    await using server = await startAuth({ loadSubject: staffOnly, registration: 'open' })
    const refused = await server.call('/register', { json: credentials })
    assertProblem(refused, [403, 'registration_disabled'])
    assert.ok(!refused.text.includes('access_token'))
    assert.deepEqual(await server.auth.users.list(), [], 'no user is stored')
    await assertNothingBegan(server)
    assertProblem(await server.call('/login', { json: credentials }), [401, 'invalid_credentials'])
  })

  it('/register does not reveal which addresses are taken', async () => {
    await using server = await startAuth({ loadSubject: staffOnly, registration: 'open' })
    await server.auth.users.create({ id: 'emp-1', ...credentials })
    const replies = [EMAIL, 'new@example.com'].map((email) =>
      server.call('/register', { json: { ...credentials, email } }),
    )
    for (const reply of await Promise.all(replies)) assertProblem(reply, [403, 'registration_disabled'])
  })

  it('/register stores nothing if loadSubject reports a disabled user or fails', async () => {
    const says: { answer: unknown } = { answer: { disabled: true } }
    await using server = await startAsking(says, { registration: 'open' })
    assertProblem(await server.call('/register', { json: credentials }), [403, 'user_disabled'])
    says.answer = new Error('away: hunter2')
    assertProblem(await server.call('/register', { json: credentials }), [503, 'temporarily_unavailable'])
    assert.deepEqual(await server.auth.users.list(), [])
    await assertNothingBegan(server)
  })

  it('/register uses the roles from loadSubject', async () => {
    const asked: string[] = []
    const loadSubject = (subject: string) => {
      asked.push(subject)
      return { roles: ['reader'] }
    }
    await using server = await startAuth({ loadSubject, registration: 'open' })
    const { status, body } = await server.call('/register', { json: credentials })
    assert.deepEqual([status, body.user.roles, asked], [201, ['reader'], [body.user.id]])
    assert.deepEqual(unsafeDecode(body.access_token).payload.roles, ['reader'])
  })

  it('a user that loadSubject does not know cannot log in, even with the right password', async () => {
    await using server = await startAuth({ loadSubject: staffOnly })
    await server.auth.users.create({ id: 'gone', ...credentials })
    assertProblem(await server.call('/login', { json: credentials }), [403, 'user_disabled'])
    await assert.rejects(server.auth.sessions.create({ subject: 'gone' }), { code: 'user_disabled', status: 403 })
    await assertNothingBegan(server)
  })

  it('a banned user cannot log in again', async () => {
    const says: { answer: unknown } = { answer: { roles: ['reader'] } }
    await using server = await startAsking(says)
    await server.auth.users.create({ id: 'ann', ...credentials })
    const { body: before } = await server.call('/login', { json: credentials })
    // Includes values of untyped code: 1 from a database, and various values for an unknown user.
    for (const answer of [{ disabled: true }, { disabled: 1 }, undefined, null, false, 0, '']) {
      says.answer = answer
      for (let attempt = 0; attempt < 3; attempt += 1) {
        assertProblem(await server.call('/login', { json: credentials }), [403, 'user_disabled'])
        await assert.rejects(server.auth.sessions.create({ subject: 'ann' }), { code: 'user_disabled' })
      }
    }
    const ended = await server.call('/refresh', { json: { refresh_token: before.refresh_token } })
    assert.deepEqual([ended.status, ended.body.reason], [400, 'user_disabled'])
    assert.deepEqual(await server.auth.sessions.list('ann'), [])
    says.answer = { disabled: false }
    assert.equal((await server.call('/login', { json: credentials })).status, 200)
  })

  it('a removed role does not come back with a new log-in', async () => {
    const says: { answer: unknown } = { answer: { roles: ['reader'], claims: { tenant: 't2' } } }
    await using server = await startAsking(says)
    await server.auth.users.create({ id: 'ann', ...credentials, roles: ['sealwax:admin', 'editor'] })
    const { body } = await server.call('/login', { json: credentials })
    const tokens = [
      body.access_token,
      (await server.auth.sessions.create({ subject: 'ann', roles: ['editor'] })).access_token,
      (await server.auth.sessions.create({ subject: 'bob', roles: ['editor'], claims: { tenant: 't1' } })).access_token,
      (await server.call('/refresh', { json: { refresh_token: body.refresh_token } })).body.access_token,
    ]
    for (const token of tokens) {
      const { roles, tenant } = unsafeDecode(token).payload
      assert.deepEqual([roles, tenant], [['reader'], 't2'])
      assertProblem(await server.call('/admin/keys', { token }), [403, 'insufficient_role'])
    }
    assert.deepEqual(body.user.roles, ['reader'])
    assert.deepEqual((await server.call('/me', { token: body.access_token })).body.user.roles, ['reader'])
    says.answer = {}
    const { access_token } = await server.auth.sessions.create({ subject: 'bob', roles: ['editor'] })
    assert.equal(unsafeDecode(access_token).payload.roles, undefined)
  })

  it('without roles from loadSubject, those of the built-in user are used, together with the claims', async () => {
    const says: { answer: unknown } = { answer: { claims: { tenant: 't1' } } }
    await using server = await startAsking(says)
    await server.auth.users.create({ id: 'ann', ...credentials, roles: ['editor'] })
    const { body } = await server.call('/login', { json: credentials })
    const rolesAndTenant = (token: string) => {
      const { roles, tenant } = unsafeDecode(token).payload
      return [roles, tenant]
    }
    assert.deepEqual(rolesAndTenant(body.access_token), [['editor'], 't1'])
    assert.deepEqual(body.user.roles, ['editor'])
    const own = await server.auth.sessions.create({
      subject: 'ann',
      roles: ['sealwax:admin'],
      claims: { tenant: 't9' },
    })
    assert.deepEqual(rolesAndTenant(own.access_token), [['editor'], 't1'], 'not the roles and claims of the caller')
    await server.auth.users.setRoles('ann', ['reader'])
    assert.equal(await standing(server.auth, body.access_token), 'token_stale')
    says.answer = { claims: { tenant: 't2' } }
    const refreshed = await server.call('/refresh', { json: { refresh_token: body.refresh_token } })
    assert.deepEqual(rolesAndTenant(refreshed.body.access_token), [['reader'], 't2'])
    says.answer = { roles: [] }
    const { access_token } = await server.auth.sessions.create({ subject: 'ann' })
    assert.deepEqual(rolesAndTenant(access_token), [undefined, undefined], 'an empty list means no roles')
  })

  it('a user disabled in the built-in table is refused, even if loadSubject accepts it', async () => {
    await using server = await startAsking({ answer: { roles: ['reader'] } })
    await server.auth.users.create({ id: 'ann', ...credentials })
    await server.auth.users.disable('ann')
    assertProblem(await server.call('/login', { json: credentials }), [403, 'user_disabled'])
    await assert.rejects(server.auth.sessions.create({ subject: 'ann' }), { code: 'user_disabled' })
  })

  it('while loadSubject fails, log-ins get 503 with Retry-After, and succeed afterwards', async () => {
    const says: { answer: unknown } = { answer: new Error('the database of the application: hunter2') }
    await using server = await startAsking(says)
    await server.auth.users.create({ id: 'ann', ...credentials })
    const reply = await server.call('/login', { json: credentials })
    assertProblem(reply, [503, 'temporarily_unavailable'])
    assert.equal(reply.headers.get('Retry-After'), '1')
    await assert.rejects(server.auth.sessions.create({ subject: 'ann' }), { code: 'temporarily_unavailable' })
    await assertNothingBegan(server)
    says.answer = {}
    assert.equal((await server.call('/login', { json: credentials })).status, 200)
  })

  it('a wrong password or a closed registration does not call loadSubject', async () => {
    let asked = 0
    const loadSubject = () => {
      asked += 1
      return {}
    }
    await using server = await startAuth({ loadSubject })
    await server.auth.users.create({ id: 'ann', ...credentials })
    const wrong = { ...credentials, password: 'quite another passphrase' }
    assertProblem(await server.call('/login', { json: wrong }), [401, 'invalid_credentials'])
    assertProblem(await server.call('/register', { json: credentials }), [403, 'registration_disabled'])
    assert.equal(asked, 0)
  })

  it('a wrong return value of loadSubject is a 500, and no session begins', async () => {
    const says: { answer: unknown } = { answer: undefined }
    await using server = await startAsking(says)
    await server.auth.users.create({ id: 'ann', ...credentials })
    const answers = ['sealwax:admin', 5, [['a']], { 0: 'a' }, null].map((roles) => ({ roles }))
    for (const answer of [...answers, [], 'ann', true]) {
      says.answer = answer
      assertProblem(await server.call('/login', { json: credentials, fault: true }), [500, 'internal_error'])
    }
    await assertNothingBegan(server)
    assert.ok(
      server.lines.some(({ fields }) => 'err' in fields && String(fields.err).includes('loadSubject must return')),
    )
  })
})

describe('while loadSubject is pending', () => {
  /** A loadSubject that returns for the subject `slow` only after `release`. */
  function slow() {
    const begun = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const loadSubject: LoadSubject = async (subject) => {
      if (subject !== 'slow') return {}
      begun.resolve()
      await release.promise
      return {}
    }
    return { loadSubject, begun: begun.promise, release: release.resolve }
  }

  it('others can log in and write, since a slow loadSubject does not block the store', async () => {
    const application = slow()
    await using server = await startAuth({ loadSubject: application.loadSubject })
    await server.auth.users.create({ id: 'slow', ...credentials })
    const waiting = server.call('/login', { json: credentials })
    await Promise.race([application.begun, waiting])
    const { access_token } = await server.auth.sessions.create({ subject: 'bob' })
    assert.equal(await standing(server.auth, access_token), 'accepted')
    application.release()
    assert.equal((await waiting).status, 200)
  })

  const meanwhile: [what: string, act: (server: Started) => Promise<unknown>, refusal: [number, string]][] = [
    ['is disabled', ({ auth }) => auth.users.disable('slow'), [403, 'user_disabled']],
    [
      'gets a new password',
      ({ auth }) => auth.users.update('slow', { password: `${PASSWORD}!` }),
      [401, 'invalid_credentials'],
    ],
    ['is deleted', ({ auth }) => auth.users.delete('slow'), [401, 'invalid_credentials']],
  ]
  for (const [what, act, refusal] of meanwhile) {
    it(`a user who ${what} gets no session from a log-in in progress`, async () => {
      const application = slow()
      await using server = await startAuth({ loadSubject: application.loadSubject })
      await server.auth.users.create({ id: 'slow', ...credentials })
      const waiting = server.call('/login', { json: credentials })
      await Promise.race([application.begun, waiting])
      await act(server)
      application.release()
      assertProblem(await waiting, refusal)
      assert.deepEqual(await server.auth.sessions.list('slow'), [])
    })
  }

  it('ending all sessions does not make a log-in fail: loadSubject is called again', async () => {
    const application = slow()
    let asked = 0
    const loadSubject: LoadSubject = async (subject) => {
      asked += 1
      return application.loadSubject(subject)
    }
    await using server = await startAuth({ loadSubject })
    await server.auth.users.create({ id: 'slow', ...credentials })
    const waiting = server.call('/login', { json: credentials })
    await Promise.race([application.begun, waiting])
    await server.auth.sessions.revokeAll('slow')
    application.release()
    const { status, body } = await waiting
    assert.deepEqual([status, asked, await standing(server.auth, body.access_token)], [200, 2, 'accepted'])
  })

  it('a result from before a ban starts no session if all sessions were ended meanwhile', async () => {
    const application = slow()
    let banned = false
    const loadSubject: LoadSubject = async (subject) => {
      const disabled = banned
      await application.loadSubject(subject)
      return { disabled }
    }
    await using server = await startAuth({ loadSubject })
    const waiting = server.auth.sessions.create({ subject: 'slow' })
    const settled = assert.rejects(waiting, { code: 'user_disabled' })
    await application.begun
    banned = true
    await server.auth.sessions.revokeAll('slow')
    application.release()
    await settled
    assert.deepEqual(await server.auth.sessions.list('slow'), [])
  })
})
