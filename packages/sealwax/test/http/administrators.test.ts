import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertProblem, HOUR, MINUTE, PASSWORD, SECOND, type Started, startAuth } from '../server.ts'

const credentials = { email: 'root@example.com', password: PASSWORD }

/** Operations that do not require a recent log-in. ID is the id of a client, KID that of a key. */
const LASTING: readonly [method: string, path: string, json?: object][] = [
  ['GET', '/admin/clients'],
  ['POST', '/admin/clients', { name: 'x' }],
  ['GET', '/admin/clients/ID'],
  ['PATCH', '/admin/clients/ID', { name: 'y' }],
  ['POST', '/admin/clients/ID/disable'],
  ['POST', '/admin/clients/ID/enable'],
  ['GET', '/admin/keys'],
  ['GET', '/admin/users'],
  ['GET', '/admin/users/other'],
  ['POST', '/admin/users/other/disable'],
  ['POST', '/admin/users/other/enable'],
  ['DELETE', '/admin/users/other/sessions'],
  ['GET', '/admin/audit'],
  ['POST', '/admin/users/other/password-reset'],
  ['GET', '/invitations'],
]

/** Irreversible operations, which require a recent log-in. */
const FINAL: readonly [method: string, path: string, json?: object][] = [
  ['POST', '/admin/clients/ID/rotate', { overlap: 0 }],
  ['POST', '/admin/keys/rotate'],
  ['POST', '/admin/keys/KID/revoke', { dry_run: true }],
  ['POST', '/admin/keys/KID/revoke', { all: true, end_sessions: true }],
  ['DELETE', '/admin/clients/ID'],
  ['POST', '/admin/users', { email: 'new@example.com' }],
  ['PATCH', '/admin/users/other', { roles: ['x'] }],
  ['DELETE', '/admin/users/other'],
  ['POST', '/invitations', { email: 'guest@example.com' }],
]

/** A server with an API client and a user; `send` sends a request from one of the lists above. */
async function prepared(roles: string[], options: Parameters<typeof startAuth>[0] = {}) {
  const server = await startAuth(options)
  const { client } = await server.auth.clients.create({ name: 'export', scopes: ['a'] })
  const [key] = await server.auth.keys.list()
  await server.auth.users.create({ id: 'root', ...credentials, roles })
  await server.auth.users.create({ id: 'other', email: 'other@example.com', password: PASSWORD })
  const login = async () => (await server.call('/login', { json: credentials })).body
  const send = ([method, path, json]: (typeof FINAL)[number], token: string) =>
    server.call(path.replace('KID', key?.kid ?? '').replace('ID', client.id), { method, token, ...(json && { json }) })
  return { server, login, send, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

function refusals({ lines }: Started): object[] {
  return lines
    .filter(({ level, message }) => level === 'warn' && message === 'administrator refused')
    .map((line) => line.fields)
}

/** Everything that an operation could have changed. */
async function state({ auth }: Started): Promise<unknown> {
  return [
    await auth.clients.list(),
    await auth.keys.list(),
    await auth.users.list(),
    (await auth.audit.list({ limit: 500 })).data.length,
  ]
}

describe('administrators', () => {
  it('an application role named "admin" has no privileges in Sealwax', async () => {
    await using prepare = await prepared(['admin', 'administrator', 'SEALWAX:ADMIN', 'sealwax', 'sealwax:admin2'])
    const { server, login, send } = prepare
    const { access_token: builtIn } = await login()
    const { access_token: own } = await server.auth.sessions.create({ subject: 'emp-1', roles: ['admin'] })
    const before = await state(server)
    for (const token of [builtIn, own]) {
      for (const act of [...LASTING, ...FINAL])
        assertProblem(await send(act, token), [403, 'insufficient_role'], act[1])
    }
    assert.deepEqual(await state(server), before)
  })

  it('adminRole replaces the default role', async () => {
    await using prepare = await prepared(['ops:superuser'], { adminRole: 'ops:superuser' })
    const { server, login, send } = prepare
    assert.equal((await send(['GET', '/admin/keys'], (await login()).access_token)).status, 200)
    const { access_token } = await server.auth.sessions.create({ subject: 'bob', roles: ['sealwax:admin'] })
    assertProblem(await send(['GET', '/admin/keys'], access_token), [403, 'insufficient_role'])
    const document = JSON.parse((await server.call('/openapi.json')).text)
    assert.deepEqual(document.paths['/admin/keys'].get.security, [{ bearer: ['ops:superuser'] }])
  })

  it('users of the application are administrators while loadSubject returns the role', async () => {
    let roles = ['sealwax:admin']
    await using server = await startAuth({ loadSubject: async () => ({ roles }) })
    const tokens = await server.auth.sessions.create({ subject: 'emp-1' })
    assert.equal((await server.call('/admin/keys', { token: tokens.access_token })).status, 200)
    roles = ['staff']
    const { access_token: token } = await server.auth.sessions.refresh(tokens.refresh_token)
    assertProblem(await server.call('/admin/keys', { token }), [403, 'insufficient_role'])
  })

  it('a stolen session of an administrator with an old log-in cannot run irreversible operations', async () => {
    await using prepare = await prepared(['sealwax:admin'])
    const { server, login, send } = prepare
    let tokens = await login()
    server.clock.advance(14 * MINUTE)
    for (const act of FINAL.slice(0, 3)) assert.equal((await send(act, tokens.access_token)).status, 200, act[1])
    // A refresh returns a new token, but it is not a new log-in.
    server.clock.advance(MINUTE + SECOND)
    tokens = (await server.call('/refresh', { json: { refresh_token: tokens.refresh_token } })).body
    const before = await state(server)
    for (const act of FINAL) {
      const reply = await send(act, tokens.access_token)
      assertProblem(reply, [401, 'reauthentication_required'], act[1])
      assert.match(
        reply.headers.get('WWW-Authenticate') ?? '',
        /error="insufficient_user_authentication".*max_age="900"/,
      )
    }
    assert.deepEqual(await state(server), before)
    for (const act of LASTING) assert.ok((await send(act, tokens.access_token)).status < 300, act[1])
    for (const act of FINAL) assert.ok((await send(act, (await login()).access_token)).status < 300, act[1])
  })

  it('an administrator can end sessions without a recent log-in, for emergencies', async () => {
    await using prepare = await prepared(['sealwax:admin'])
    const { server, login } = prepare
    const thief = await login()
    let own = await login()
    server.clock.advance(24 * HOUR)
    own = (await server.call('/refresh', { json: { refresh_token: own.refresh_token } })).body
    assert.equal((await server.call('/sessions', { method: 'DELETE', token: own.access_token })).status, 204)
    const ended = await server.call('/refresh', { json: { refresh_token: thief.refresh_token } })
    assert.equal(ended.body.reason, 'session_revoked')
  })

  it('a refused administrator is logged as a warning with subject and amr, without a token', async () => {
    await using prepare = await prepared(['sealwax:admin'])
    const { server, login, send } = prepare
    const { access_token: stale, refresh_token } = await login()
    const { access_token: own } = await server.auth.sessions.create({
      subject: 'emp-1',
      roles: ['admin'],
      amr: ['sso'],
    })
    await send(['GET', '/admin/keys'], stale)
    assertProblem(await send(['GET', '/admin/keys'], 'eyJ.eyJ.x'), [401, 'token_malformed'])
    assert.deepEqual(refusals(server), [])
    const { headers } = await send(['GET', '/admin/keys'], own)
    server.clock.advance(HOUR)
    const { access_token } = (await server.call('/refresh', { json: { refresh_token } })).body
    const again = await send(['POST', '/admin/keys/rotate'], access_token)
    const ids = [headers, again.headers].map((one) => one.get('X-Request-Id'))
    assert.deepEqual(refusals(server), [
      { subject: 'emp-1', amr: ['sso'], code: 'insufficient_role', request_id: ids[0] },
      { subject: 'root', amr: ['pwd'], code: 'reauthentication_required', request_id: ids[1] },
    ])
    for (const token of [stale, own, access_token]) assert.ok(!JSON.stringify(server.lines).includes(token))
  })

  it('the OpenAPI document shows which operations require a recent log-in', async () => {
    await using server = await startAuth()
    const { paths } = JSON.parse((await server.call('/openapi.json')).text)
    const wanting = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item as Record<string, { responses: object }>)
        .filter(([, { responses }]) => JSON.stringify(responses).includes('reauthentication_required'))
        .map(([method]) => `${method} ${path}`),
    )
    assert.deepEqual(wanting.sort(), [
      'delete /admin/clients/{id}',
      'delete /admin/users/{id}',
      'delete /me',
      'patch /admin/users/{id}',
      'post /admin/clients/{id}/rotate',
      'post /admin/keys/rotate',
      'post /admin/keys/{kid}/revoke',
      'post /admin/users',
      'post /email',
      'post /invitations',
    ])
  })
})
