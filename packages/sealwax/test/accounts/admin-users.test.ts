import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertProblem, type Call, HOUR, PASSWORD, type Started, standing, startAuth } from '../server.ts'

const credentials = { email: 'root@example.com', password: PASSWORD }

/** A server with an administrator and a user. */
async function prepared() {
  const server = await startAuth()
  await server.auth.users.create({ id: 'root', ...credentials, roles: ['sealwax:admin'] })
  const ann = await server.auth.users.create({ id: 'ann', email: 'ann@example.com', password: PASSWORD, name: 'Ann' })
  const { access_token: token, refresh_token } = (await server.call('/login', { json: credentials })).body
  const ask = async (method: string, path: string, more: Call = {}) => {
    const reply = await server.call(`/admin/users${path}`, { method, token, ...more })
    return { ...reply, json: reply.text === '' ? undefined : JSON.parse(reply.text) }
  }
  return { server, ann, token, refresh_token, ask, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

async function byOf({ auth }: Started, type: string): Promise<unknown> {
  return (await auth.audit.list({ type })).data[0]?.data?.by
}

describe('/admin/users', () => {
  it('creates a user without a password, who cannot log in with one', async () => {
    await using prepare = await prepared()
    const { server, ask } = prepare
    const json = { email: 'Bob@example.com', name: 'Bob', roles: ['teacher'] }
    const { status, json: bob, text } = await ask('POST', '', { json })
    assert.deepEqual([status, bob.email, bob.name, bob.roles], [201, 'bob@example.com', 'Bob', ['teacher']])
    assert.deepEqual([bob.email_verified, bob.disabled, bob.attributes], [true, false, {}])
    assert.doesNotMatch(text, /hash|password/)
    assertProblem(await server.call('/login', { json: { email: bob.email, password: PASSWORD } }), [
      401,
      'invalid_credentials',
    ])
    assert.equal(await byOf(server, 'user.created'), 'root')
    assertProblem(await ask('POST', '', { json }), [409, 'email_taken'])
    assertProblem(await ask('POST', '', { json: { email: 'x' } }), [422, 'email_invalid'])
  })

  it('attack: an administrator cannot choose a password, a hash or an id', async () => {
    await using prepare = await prepared()
    for (const member of ['password', 'password_hash', 'passwordHash', 'id', 'disabled', 'attributes']) {
      const json = { email: 'bob@example.com', [member]: PASSWORD }
      assertProblem(await prepare.ask('POST', '', { json }), [422, 'validation_failed'], member)
      const change = { roles: [], [member]: PASSWORD }
      assertProblem(await prepare.ask('PATCH', '/ann', { json: change }), [422, 'validation_failed'], member)
    }
  })

  it('shows a user with live sessions and the last 20 audit events, without hashes', async () => {
    await using prepare = await prepared()
    const { server, ask } = prepare
    for (let i = 0; i < 25; i += 1) await server.auth.users.update('ann', { name: `Ann ${i}` })
    await server.auth.login({ email: 'ann@example.com', password: PASSWORD }, { ip: '192.0.2.7' })
    const { json, text } = await ask('GET', '/ann')
    assert.equal(json.user.name, 'Ann 24')
    assert.deepEqual(
      json.sessions.map(({ ip }: { ip: string }) => ip),
      ['192.0.2.7'],
    )
    assert.deepEqual([json.events.length, json.events[0].type], [20, 'session.created'])
    assert.doesNotMatch(text, /argon2|password_hash/)
    assertProblem(await ask('GET', '/nobody'), [404, 'not_found'])
  })

  it('changes roles, disables, enables, ends sessions and deletes; each is audited with the administrator', async () => {
    await using prepare = await prepared()
    const { server, ask } = prepare
    const login = async () => (await server.auth.login({ email: 'ann@example.com', password: PASSWORD })).tokens
    const first = await login()
    assert.deepEqual((await ask('PATCH', '/ann', { json: { roles: ['teacher'] } })).json.roles, ['teacher'])
    assert.equal(await standing(server.auth, first.access_token), 'token_stale')
    assert.equal((await ask('POST', '/ann/disable')).json.disabled, true)
    assertProblem(await server.call('/refresh', { json: { refresh_token: first.refresh_token } }), [
      400,
      'invalid_grant',
    ])
    assert.equal((await ask('POST', '/ann/enable')).json.disabled, false)
    const second = await login()
    assert.equal((await ask('DELETE', '/ann/sessions')).status, 204)
    assert.equal(await standing(server.auth, second.access_token), 'token_revoked')
    assert.equal((await ask('DELETE', '/ann')).status, 204)
    assertProblem(await ask('DELETE', '/ann'), [404, 'not_found'])
    for (const type of [
      'user.roles_changed',
      'user.disabled',
      'user.enabled',
      'sessions.ended',
      'user.deleted',
    ] as const) {
      assert.equal(await byOf(server, type), 'root', type)
    }
  })

  it('an administrator cannot disable, delete or demote themselves', async () => {
    await using prepare = await prepared()
    const { server, ask } = prepare
    assertProblem(await ask('POST', '/root/disable'), [409, 'own_account'])
    assertProblem(await ask('DELETE', '/root'), [409, 'own_account'])
    assertProblem(await ask('PATCH', '/root', { json: { roles: ['teacher'] } }), [409, 'own_account'])
    assert.equal((await ask('PATCH', '/root', { json: { roles: ['sealwax:admin', 'teacher'] } })).status, 200)
    assert.deepEqual((await server.auth.users.get('root'))?.disabled, false)
  })

  it('users without the role are refused; with an old log-in, an administrator may only disable and end sessions', async () => {
    await using prepare = await prepared()
    const { server, refresh_token, ask } = prepare
    const { access_token: plain } = (await server.auth.login({ email: 'ann@example.com', password: PASSWORD })).tokens
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/ann'],
      ['DELETE', '/ann'],
      ['POST', '/ann/enable'],
    ] as const) {
      assertProblem(await ask(method, path, { token: plain }), [403, 'insufficient_role'])
    }
    assertProblem(await server.call('/admin/audit', { token: plain }), [403, 'insufficient_role'])
    server.clock.advance(HOUR)
    const { access_token: token } = (await server.call('/refresh', { json: { refresh_token } })).body
    const late = [401, 'reauthentication_required'] as [number, string]
    assertProblem(await ask('DELETE', '/ann', { token }), late)
    assertProblem(await ask('PATCH', '/ann', { token, json: { roles: ['sealwax:admin'] } }), late)
    assertProblem(await ask('POST', '', { token, json: { email: 'eve@example.com', roles: ['sealwax:admin'] } }), late)
    assert.equal((await ask('DELETE', '/ann/sessions', { token })).status, 204)
    assert.equal((await ask('POST', '/ann/disable', { token })).status, 200)
  })

  it('lists with a query, filters and pages', async () => {
    await using prepare = await prepared()
    const { server, ask } = prepare
    await server.auth.users.create({ id: 'joe', email: 'joe@example.com', password: PASSWORD, emailVerified: false })
    await server.auth.users.disable('joe')
    const ids = async (query: string) => (await ask('GET', query)).json.data.map(({ id }: { id: string }) => id)
    assert.deepEqual(await ids(''), ['ann', 'joe', 'root'])
    assert.deepEqual(await ids('?limit=1&after=ann'), ['joe'])
    assert.deepEqual(await ids('?query=ANN'), ['ann'])
    assert.deepEqual(await ids('?disabled=true'), ['joe'])
    assert.deepEqual(await ids('?disabled=false&email_verified=true'), ['ann', 'root'])
    assert.deepEqual(await ids('?role=sealwax:admin'), ['root'])
    for (const query of ['?query=', '?limit=0', '?disabled=yes', '?after=a%20b', '?query=ann&after=nobody']) {
      assertProblem(await ask('GET', query), [422, 'validation_failed'], query)
    }
  })
})

describe('/admin/audit', () => {
  it('returns the rows that auth.audit.list returns, in pages, by type and subject', async () => {
    await using prepare = await prepared()
    const { server, token } = prepare
    for (let i = 0; i < 3; i += 1) {
      await server.call('/login', { json: { email: 'ann@example.com', password: 'not the password' } })
    }
    const read = async (query: string) => JSON.parse((await server.call(`/admin/audit${query}`, { token })).text)
    const all = await server.auth.audit.list()
    const { data, next } = await read('?limit=2')
    assert.deepEqual(
      data.map(({ id }: { id: number }) => id),
      all.data.slice(0, 2).map(({ id }) => id),
    )
    assert.equal(next, data[1].id)
    assert.equal((await read(`?before=${next}&limit=1`)).data[0].id, all.data[2]?.id)
    const failed = await read('?type=user.login_failed&subject=ann')
    assert.deepEqual([failed.data.length, failed.data[0].count, failed.next], [1, 3, undefined])
    assert.deepEqual(failed.data[0].repeats.subjects, { ann: 3 })
    assert.equal(failed.data[0].time, new Date(server.clock.time).toISOString())
    assertProblem(await server.call('/admin/audit?before=x', { token }), [422, 'validation_failed'])
  })
})
