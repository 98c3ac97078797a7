import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AuthError } from '../../src/index.ts'
import { assertProblem, HOUR, MINUTE, PASSWORD, type Reply, type Started, standing, startAuth } from '../server.ts'

const EMAIL = 'ann@example.com'
const NEW_PASSWORD = 'quite another passphrase'
const credentials = { email: EMAIL, password: PASSWORD }
const changed = { current_password: PASSWORD, new_password: NEW_PASSWORD }

/** The user of a reply, with the members that `Body` does not list. */
function userOf({ text }: Reply): Record<string, unknown> {
  return JSON.parse(text).user
}

async function registered(options: Parameters<typeof startAuth>[0] = {}, more: object = {}) {
  const server = await startAuth(options)
  const { body } = await server.call('/register', { json: { ...credentials, ...more } })
  return { server, ...body, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

function typesOf({ events }: Started): string[] {
  return events.map(({ type }) => type)
}

describe('POST /password', () => {
  it('replaces the password; this session continues, and all others end', async () => {
    await using start = await registered()
    const { server, access_token: token, refresh_token, user, session } = start
    const other = (await server.call('/login', { json: credentials })).body
    const headers = { 'User-Agent': 'curl/8' }
    assert.equal((await server.call('/password', { token, json: changed, headers })).status, 204)
    assert.equal(await standing(server.auth, token), 'accepted')
    assert.equal(await standing(server.auth, other.access_token), 'token_revoked')
    assert.equal((await server.call('/refresh', { json: { refresh_token } })).status, 200)
    assertProblem(await server.call('/refresh', { json: { refresh_token: other.refresh_token } }), [
      400,
      'invalid_grant',
    ])
    assertProblem(await server.call('/login', { json: credentials }), [401, 'invalid_credentials'])
    assert.equal((await server.call('/login', { json: { ...credentials, password: NEW_PASSWORD } })).status, 200)
    const [event] = (await server.auth.audit.list({ type: 'user.password_changed' })).data
    assert.deepEqual(
      [event?.subject, event?.sessionId, event?.ip, event?.userAgent],
      [user.id, session.id, '127.0.0.1', 'curl/8'],
    )
  })

  it('with end_other_sessions false, ends no session', async () => {
    await using start = await registered()
    const { server, access_token: token } = start
    const other = (await server.call('/login', { json: credentials })).body
    const reply = await server.call('/password', { token, json: { ...changed, end_other_sessions: false } })
    assert.equal(reply.status, 204)
    assert.equal(await standing(server.auth, other.access_token), 'accepted')
  })

  it('a wrong current password is not a 401, changes nothing and is audited', async () => {
    await using start = await registered()
    const { server, access_token: token } = start
    const json = { ...changed, current_password: `not ${PASSWORD}` }
    assertProblem(await server.call('/password', { token, json }), [422, 'password_incorrect'])
    assert.ok(typesOf(server).includes('user.password_rejected'))
    assert.equal((await server.call('/login', { json: credentials })).status, 200)
  })

  it('a new password that is too short is refused', async () => {
    await using start = await registered()
    const json = { ...changed, new_password: 'short' }
    const reply = await start.server.call('/password', { token: start.access_token, json })
    assertProblem(reply, [422, 'password_too_short'])
  })

  it('of two changes at the same time with the same current password, one wins', async () => {
    await using start = await registered()
    const { server, access_token: token } = start
    const replies = await Promise.all(
      ['the first new passphrase', 'the second new passphrase'].map((new_password) =>
        server.call('/password', { token, json: { ...changed, new_password } }),
      ),
    )
    assert.deepEqual(replies.map(({ status }) => status).sort(), [204, 422])
    assert.equal((await server.auth.audit.list({ type: 'user.password_changed' })).data.length, 1)
  })

  it('users of the application, and users without a password, are told so', async () => {
    await using server = await startAuth()
    const own = await server.auth.sessions.create({ subject: 'own-1' })
    assertProblem(await server.call('/password', { token: own.access_token, json: changed }), [409, 'user_external'])
    await server.auth.users.create({ id: 'root', ...credentials, roles: ['sealwax:admin'] })
    const { access_token: token } = await server.auth.sessions.create({ subject: 'root' })
    const made = await server.call('/admin/users', { token, json: { email: 'bob@example.com' } })
    const bob = await server.auth.sessions.create({ subject: JSON.parse(made.text).id })
    assertProblem(await server.call('/password', { token: bob.access_token, json: changed }), [409, 'password_not_set'])
  })
})

describe('PATCH /me', () => {
  it('changes the name and merges attributes; null removes', async () => {
    await using start = await registered({}, { name: ' Ann Lee ', attributes: { theme: 'dark', a: { b: 1, c: 2 } } })
    const { server, access_token: token } = start
    const patch = async (json: object) => userOf(await server.call('/me', { method: 'PATCH', token, json }))
    assert.equal(userOf(await server.call('/me', { token })).name, 'Ann Lee')
    const { name, attributes } = await patch({ name: 'Zoe\u0308', attributes: { theme: null, a: { c: 3 }, d: [null] } })
    assert.deepEqual([name, attributes], ['Zo\u00eb', { a: { b: 1, c: 3 }, d: [null] }])
    assert.deepEqual(userOf(await server.call('/me', { token })).attributes, attributes)
    const { length } = server.events
    assert.equal((await patch({})).name, 'Zo\u00eb')
    assert.equal(server.events.length, length, 'a change of nothing is no event')
    const cleared = await patch({ name: null, attributes: null })
    assert.deepEqual([cleared.name, cleared.attributes], [null, {}])
    assert.equal((await server.auth.audit.list({ type: 'user.updated' })).data[0]?.ip, '127.0.0.1')
  })

  const badNames = [
    '',
    '   ',
    'a\r\nBcc: x@example.com',
    'a\u0000',
    '\u202egnp.exe',
    'a\u2066b',
    '\u200b',
    'x'.repeat(101),
    'a\u2028b',
    '\ud800',
  ]
  it('a name with control characters, direction marks or nothing visible is refused', async () => {
    await using start = await registered()
    const { server, access_token: token } = start
    for (const name of badNames) {
      const reply = await server.call('/me', { method: 'PATCH', token, json: { name } })
      assert.deepEqual([name, reply.status, reply.body.code], [name, 422, 'validation_failed'])
      assert.equal(reply.body.errors[0]?.path, '/name')
    }
    assert.equal((await server.call('/me', { method: 'PATCH', token, json: { name: '𝒜'.repeat(100) } })).status, 200)
  })

  it('attack: mass assignment: members that a user must not set are refused, and nothing changes', async () => {
    await using start = await registered()
    const { server, access_token: token, user } = start
    const before = await server.auth.users.get(user.id)
    const members = [
      'roles',
      'email',
      'id',
      'disabled',
      'disabled_at',
      'email_verified',
      'email_verified_at',
      'emailVerified',
    ]
    const secrets = [
      'password',
      'password_hash',
      'passwordHash',
      'ver',
      'credential_version',
      'created_at',
      'constructor',
    ]
    for (const member of [...members, ...secrets]) {
      const patch = await server.call('/me', {
        method: 'PATCH',
        token,
        json: { name: 'x', [member]: ['sealwax:admin'] },
      })
      assertProblem(patch, [422, 'validation_failed'], member)
      if (['email', 'password'].includes(member)) continue
      const json = { email: 'eve@example.com', password: PASSWORD, [member]: ['sealwax:admin'] }
      assertProblem(await server.call('/register', { json }), [422, 'validation_failed'], member)
    }
    assert.deepEqual(await server.auth.users.get(user.id), before)
    assert.equal(await server.auth.users.find('eve@example.com'), undefined)
  })

  it('attack: __proto__ in a body changes no prototype and is not stored', async () => {
    await using start = await registered()
    const { server, access_token: token, user } = start
    const send = (body: string) =>
      server.call('/me', { method: 'PATCH', token, body, headers: { 'Content-Type': 'application/json' } })
    for (const attributes of ['{"__proto__":{"admin":true}}', '{"a":{"__proto__":1}}', '{"a":[{"__proto__":1}]}']) {
      assertProblem(await send(`{"attributes":${attributes}}`), [422, 'attributes_invalid'], attributes)
    }
    await send('{"__proto__":{"roles":["sealwax:admin"]},"name":"x"}')
    assert.equal(({} as { admin?: boolean }).admin, undefined)
    const stored = await server.auth.users.get(user.id)
    assert.deepEqual([stored?.attributes, stored?.roles], [{}, []])
  })

  it('attributes that are too large, too deep or not an object are refused', async () => {
    await using start = await registered()
    const { server, access_token: token } = start
    const patch = (attributes: unknown) => server.call('/me', { method: 'PATCH', token, json: { attributes } })
    let deep: unknown = 1
    for (let i = 0; i < 17; i += 1) deep = [deep]
    for (const attributes of [{ a: 'x'.repeat(4100) }, { a: deep }]) {
      assertProblem(await patch(attributes), [422, 'attributes_invalid'])
    }
    for (const attributes of [[], 'x', 7]) assertProblem(await patch(attributes), [422, 'validation_failed'])
    assert.equal((await patch({ a: 'x'.repeat(4088) })).status, 200)
    assertProblem(await patch({ b: 'x' }), [422, 'attributes_invalid'])
  })

  it('is refused for users of the application', async () => {
    await using server = await startAuth()
    const { access_token: token } = await server.auth.sessions.create({ subject: 'own-1' })
    const patch = { method: 'PATCH', token, json: { name: 'x' } }
    assertProblem(await server.call('/me', patch), [409, 'user_external'])
    assertProblem(await server.call('/me', { method: 'DELETE', token }), [409, 'user_external'])
  })
})

describe('checkAttributes', () => {
  it('gets the merged attributes and the user until now, and may refuse them with a sentence', async () => {
    const seen: unknown[] = []
    const checkAttributes = (attributes: Readonly<Record<string, unknown>>, user: { attributes: object }) => {
      seen.push([structuredClone(attributes), user.attributes])
      Object.assign(attributes, { smuggled: true })
      return attributes.plan === 'gold' ? 'Buy the gold plan first' : undefined
    }
    await using start = await registered({ checkAttributes })
    const { server, access_token: token } = start
    const patch = (attributes: object) => server.call('/me', { method: 'PATCH', token, json: { attributes } })
    assert.deepEqual(userOf(await patch({ theme: 'dark' })).attributes, { theme: 'dark' })
    const refused = await patch({ plan: 'gold' })
    assertProblem(refused, [422, 'attributes_invalid'])
    assert.equal(refused.body.detail, 'Buy the gold plan first')
    assert.deepEqual(seen, [
      [{ theme: 'dark' }, {}],
      [{ theme: 'dark', plan: 'gold' }, { theme: 'dark' }],
    ])
    const json = { email: 'eve@example.com', password: PASSWORD, attributes: { plan: 'gold' } }
    assertProblem(await server.call('/register', { json }), [422, 'attributes_invalid'])
    assert.equal(await server.auth.users.find('eve@example.com'), undefined)
  })

  it('does not miss a change that another request makes while it runs', async () => {
    const during: (() => Promise<unknown>)[] = []
    const checkAttributes = async (attributes: Readonly<Record<string, unknown>>) => {
      await during.pop()?.()
      return attributes.a === 1 && attributes.b === 1 ? 'Not both' : undefined
    }
    await using start = await registered({ checkAttributes })
    const { server, access_token: token, user } = start
    during.push(() => server.auth.users.update(user.id, { attributes: { a: 1 } }))
    const reply = await server.call('/me', { method: 'PATCH', token, json: { attributes: { b: 1 } } })
    assertProblem(reply, [422, 'attributes_invalid'])
    assert.deepEqual((await server.auth.users.get(user.id))?.attributes, { a: 1 })
  })
})

describe('beforeRegister', () => {
  it('gets the address and the name without the password, and may refuse with a sentence', async () => {
    const seen: unknown[] = []
    const beforeRegister = async (candidate: object, origin: object) => {
      seen.push([candidate, origin])
      return 'Only pupils of this school may sign up'
    }
    await using server = await startAuth({ beforeRegister })
    const headers = { 'User-Agent': 'curl/8' }
    const json = { email: 'ANN@example.com', password: PASSWORD, name: 'Ann' }
    const reply = await server.call('/register', { json, headers })
    assertProblem(reply, [403, 'registration_refused'])
    assert.equal(reply.body.detail, 'Only pupils of this school may sign up')
    assert.deepEqual(seen, [
      [
        { email: EMAIL, name: 'Ann' },
        { ip: '127.0.0.1', userAgent: 'curl/8' },
      ],
    ])
    assert.deepEqual(await server.auth.users.list(), [])
  })

  const cases: [name: string, hook: () => unknown, expected: [number, string]][] = [
    [
      'throws an AuthError registration_refused',
      () => {
        throw new AuthError('registration_refused', 'No')
      },
      [403, 'registration_refused'],
    ],
    [
      'throws something else',
      () => {
        throw new Error('database away')
      },
      [503, 'temporarily_unavailable'],
    ],
    ['returns something else than a sentence', () => false, [500, 'internal_error']],
  ]
  for (const [name, hook, expected] of cases) {
    it(`when it ${name}, the reply is ${expected[1]}`, async () => {
      await using server = await startAuth({ beforeRegister: hook as never })
      const reply = await server.call('/register', { json: credentials, fault: true })
      assertProblem(reply, expected)
      assert.doesNotMatch(reply.text, /database away/)
      assert.deepEqual(await server.auth.users.list(), [])
    })
  }
})

describe('DELETE /me', () => {
  it('deletes the account with the password, ends all sessions and is audited', async () => {
    await using start = await registered()
    const { server, access_token: token, user } = start
    server.clock.advance(14 * MINUTE)
    const other = (await server.call('/login', { json: credentials })).body
    const wrong = await server.call('/me', { method: 'DELETE', token, json: { password: `not ${PASSWORD}` } })
    assertProblem(wrong, [422, 'password_incorrect'])
    assert.equal((await server.call('/me', { method: 'DELETE', token, json: { password: PASSWORD } })).status, 204)
    for (const each of [token, other.access_token]) assert.equal(await standing(server.auth, each), 'token_revoked')
    assert.equal(await server.auth.users.get(user.id), undefined)
    const [event] = (await server.auth.audit.list({ type: 'user.deleted' })).data
    assert.deepEqual([event?.subject, event?.ip], [user.id, '127.0.0.1'])
    assert.equal((await server.call('/register', { json: credentials })).status, 201)
  })

  it('without the password, requires a recent log-in', async () => {
    await using start = await registered()
    const { server, refresh_token, user } = start
    server.clock.advance(HOUR)
    const { access_token: token } = (await server.call('/refresh', { json: { refresh_token } })).body
    assertProblem(await server.call('/me', { method: 'DELETE', token }), [401, 'reauthentication_required'])
    assert.ok(await server.auth.users.get(user.id))
    const fresh = (await server.call('/login', { json: credentials })).body
    assert.equal((await server.call('/me', { method: 'DELETE', token: fresh.access_token })).status, 204)
    assert.equal(await server.auth.users.get(user.id), undefined)
  })
})

describe('auth.login and auth.verifyPassword', () => {
  it('log in as POST /login does, with the origin of the request', async () => {
    await using server = await startAuth()
    const { id } = await server.auth.users.create(credentials)
    const { tokens, user } = await server.auth.login(credentials, { ip: '192.0.2.7', userAgent: 'app' })
    assert.equal(user.id, id)
    assert.equal(await standing(server.auth, tokens.access_token), 'accepted')
    const [session] = await server.auth.sessions.list(id)
    assert.deepEqual([session?.ip, session?.userAgent], ['192.0.2.7', 'app'])
    await assert.rejects(server.auth.login({ ...credentials, password: 'wrong' }), { code: 'invalid_credentials' })
    await assert.rejects(server.auth.login({ ...credentials, email: 'x' }), { code: 'invalid_credentials' })
  })

  it('verifyPassword returns the user without a session, or undefined; both kinds of failure are audited', async () => {
    await using server = await startAuth()
    const { id } = await server.auth.users.create(credentials)
    const { verifyPassword } = server.auth
    assert.equal((await verifyPassword(credentials))?.id, id)
    assert.deepEqual(await server.auth.sessions.list(id), [])
    assert.equal(await verifyPassword({ ...credentials, password: 'wrong' }), undefined)
    assert.equal(await verifyPassword({ ...credentials, email: 'nobody@example.com' }), undefined)
    assert.equal(typesOf(server).filter((type) => type === 'user.login_failed').length, 2)
    await server.auth.users.disable(id)
    assert.equal(await verifyPassword({ ...credentials, password: 'wrong' }), undefined)
    await assert.rejects(verifyPassword(credentials), { code: 'user_disabled' })
  })
})
