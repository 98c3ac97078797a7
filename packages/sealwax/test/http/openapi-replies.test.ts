import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { importKey } from '@sealwax/jwt'
import { createInbox } from '../accounts/inbox.ts'
import { type Call, DAY, MINUTE, PASSWORD, type Reply, type Started, startAuth } from '../server.ts'
import { operationsOf, readDocument } from './conformance.ts'

const operations = operationsOf(await readDocument())
const ORIGIN = { Origin: 'http://127.0.0.1:5000' }
const credentials = { email: 'alex@example.com', password: PASSWORD }

/**
 * The statuses that each operation has returned. The `call` of `startAuth` already checks each
 * response against the document.
 */
const seen = new Map<string, Set<number>>()

async function ask(
  server: Started,
  id: string,
  status: number,
  options: Call = {},
  change = (path: string) => path,
): Promise<Reply> {
  const found = operations.find(({ operation }) => operation.operationId === id)
  assert.ok(found, `${id} is in the document`)
  const reply = await server.call(change(found.path).replace(/\{\w+\}/, 'x'), {
    method: found.method.toUpperCase(),
    ...options,
  })
  assert.equal(reply.status, status, `${id}: ${reply.text}`)
  seen.set(id, (seen.get(id) ?? new Set()).add(status))
  return reply
}

describe('responses of a real server match the document', () => {
  test('on success', async () => {
    await using server = await startAuth()
    const { access_token: token, refresh_token } = (await ask(server, 'register', 201, { json: credentials })).body
    const other = (await ask(server, 'login', 200, { json: credentials })).body
    const inCookie = await ask(server, 'login', 200, { json: { ...credentials, mode: 'cookie', remember: false } })
    const cookie = (inCookie.headers.get('Set-Cookie') as string).split(';')[0] as string
    const renewed = await ask(server, 'refresh', 200, { headers: { ...ORIGIN, Cookie: cookie } })
    assert.ok(renewed.headers.has('Set-Cookie') && !('refresh_token' in renewed.body))
    const { refresh_token: next } = (await ask(server, 'refresh', 200, { json: { refresh_token } })).body
    await ask(server, 'confirmRefresh', 204, { json: { refresh_token: next } })
    await ask(server, 'getMe', 200, { token })
    await ask(server, 'updateMe', 200, { token, json: { name: 'Alex', attributes: { theme: 'dark' } } })
    const change = { current_password: PASSWORD, new_password: PASSWORD, end_other_sessions: false }
    await ask(server, 'changePassword', 204, { token, json: change })
    const leaving = (await server.call('/register', { json: { ...credentials, email: 'leaving@example.com' } })).body
    await ask(server, 'deleteMe', 204, { token: leaving.access_token, json: { password: PASSWORD } })
    assert.equal((await ask(server, 'listSessions', 200, { token })).body.data.length, 3)
    await ask(server, 'getSession', 200, { token }, (path) => path.replace('{id}', other.session.id))
    await ask(server, 'endSession', 204, { token }, (path) => path.replace('{id}', other.session.id))
    await ask(server, 'endOtherSessions', 204, { token })
    await ask(server, 'logout', 204, { token, json: { scope: 'all' } })
    for (const id of ['health', 'readiness', 'getJwks', 'getMetadata', 'readRevocations']) await ask(server, id, 200)
    const revoked = JSON.parse((await ask(server, 'readRevocations', 200)).text)
    assert.ok(revoked.entries.length > 0)
    for (const id of ['getOpenApi', 'getOpenApiPage']) {
      const { headers } = await ask(server, id, 200)
      await ask(server, id, 304, { headers: { 'If-None-Match': headers.get('ETag') as string } })
    }
  })

  test('for users of the application without an e-mail address, and tokens with scopes', async () => {
    const loadSubject = async (subject: string) => ({ subject, roles: ['teacher'] })
    await using server = await startAuth({ loadSubject })
    const { access_token: token, refresh_token } = await server.auth.sessions.create({
      subject: 'own-1',
      scope: 'orders:read',
    })
    await ask(server, 'getMe', 200, { token })
    assert.equal((await ask(server, 'refresh', 200, { json: { refresh_token } })).body.scope, 'orders:read')
  })

  test('for invalid requests', async () => {
    await using server = await startAuth()
    const { access_token: token, refresh_token } = (await server.call('/register', { json: credentials })).body
    const bodies: [number, Call][] = [
      [400, { body: '{', headers: { 'Content-Type': 'application/json' } }],
      [413, { json: { email: 'x'.repeat(20_000) } }],
      [415, { body: 'a=b', headers: { 'Content-Type': 'text/plain' } }],
      [422, { json: { unknown: true } }],
    ]
    for (const id of ['login', 'register', 'exchangeSession', 'refresh', 'confirmRefresh', 'logout']) {
      for (const [status, call] of bodies) await ask(server, id, status, call)
    }
    for (const id of ['updateMe', 'changePassword', 'deleteMe']) {
      for (const [status, call] of bodies) await ask(server, id, status, { ...call, token })
    }
    for (const id of ['endSession', 'endOtherSessions']) await ask(server, id, 413, { token, body: 'x'.repeat(20_000) })
    await ask(server, 'endOtherSessions', 400, { token, body: new Uint8Array([0xff]) })
    for (const id of ['getSession', 'endSession']) {
      await ask(server, id, 400, { headers: { Authorization: 'Bearer' } })
      await ask(server, id, 404, { token })
      await ask(server, id, 422, { token }, (path) => path.replace('{id}', 'x'.repeat(65)))
    }
    await ask(server, 'listSessions', 422, { token }, (path) => `${path}?limit=501`)
    await ask(server, 'readRevocations', 422, {}, (path) => `${path}?after=${'x'.repeat(129)}`)
    for (const id of ['getMe', 'listSessions', 'getSession', 'endSession', 'endOtherSessions', 'logout']) {
      await ask(server, id, 401)
      for (const bad of ['x', `${token}x`, refresh_token]) await ask(server, id, 401, { token: bad })
    }
    await ask(server, 'updateMe', 401, { json: { name: 'x' } })
    await ask(server, 'changePassword', 401, { json: { current_password: 'x', new_password: 'x' } })
    await ask(server, 'deleteMe', 401)
    for (const id of ['getMe', 'listSessions']) await ask(server, id, 400, { headers: { Authorization: 'Bearer' } })
    for (const id of ['refresh', 'confirmRefresh', 'logout']) {
      await ask(server, id, 400, { json: { refresh_token: 'swr_no' } })
    }
    server.clock.advance(DAY)
    assert.equal((await ask(server, 'getMe', 401, { token })).body.code, 'token_expired')
  })

  test('for refused requests', async () => {
    await using server = await startAuth()
    const { id } = await server.auth.users.create({ ...credentials, email: 'sam@example.com' })
    await ask(server, 'login', 401, { json: credentials })
    await ask(server, 'register', 409, { json: { ...credentials, email: 'sam@example.com' } })
    await ask(server, 'register', 422, { json: { ...credentials, password: 'short' } })
    await server.auth.users.disable(id)
    await ask(server, 'login', 403, { json: { ...credentials, email: 'sam@example.com' } })
    for (let guesses = 1; guesses < 5; guesses += 1) await ask(server, 'login', 401, { json: credentials })
    await ask(server, 'login', 429, { json: credentials })
    await server.restart({ registration: 'closed' })
    await ask(server, 'register', 403, { json: credentials })
    const foreign = { headers: { Cookie: 'sealwax=x', Origin: 'https://elsewhere.example' } }
    for (const operation of ['refresh', 'confirmRefresh', 'logout']) await ask(server, operation, 403, foreign)
    const { access_token: token } = await server.auth.sessions.create({ subject: 'own-1' })
    await ask(server, 'updateMe', 409, { token, json: { name: 'x' } })
    await ask(server, 'changePassword', 409, { token, json: { current_password: 'x', new_password: 'x' } })
    await ask(server, 'deleteMe', 409, { token })
  })

  test('with a broken or unavailable store', async () => {
    await using server = await startAuth()
    const { access_token: token, refresh_token } = (await server.call('/register', { json: credentials })).body
    const reading: [string, Call][] = [
      ['login', { json: credentials }],
      ['register', { json: { ...credentials, email: 'sam@example.com' } }],
      ['refresh', { json: { refresh_token } }],
      ['confirmRefresh', { json: { refresh_token } }],
      ['logout', { json: { refresh_token } }],
      ['getMe', { token }],
      ['updateMe', { token, json: { name: 'x' } }],
      ['changePassword', { token, json: { current_password: PASSWORD, new_password: PASSWORD } }],
      ['deleteMe', { token }],
      ['listSessions', { token }],
      ['getSession', { token }],
      ['endSession', { token }],
      ['endOtherSessions', { token }],
      ['readRevocations', {}],
    ]
    const file = new DatabaseSync(server.file)
    for (const table of ['users', 'sessions', 'revocations']) file.exec(`ALTER TABLE ${table} RENAME TO ${table}_away`)
    for (const [id, call] of reading) await ask(server, id, 500, { ...call, fault: true })
    for (const table of ['users', 'sessions', 'revocations']) file.exec(`ALTER TABLE ${table}_away RENAME TO ${table}`)
    file.close()
    await server.auth.close()
    for (const [id, call] of [...reading, ['readiness', {}] as [string, Call]]) await ask(server, id, 503, call)
  })

  test('for the exchange of sessions of an older system', async () => {
    let answer: unknown
    const read = async () => {
      if (answer === 'away') throw new Error('away')
      return answer as undefined
    }
    const keys = importKey(Buffer.from('an older secret of more than thirty-two octets'), { alg: 'HS256' })
    await using server = await startAuth({
      issuers: [{ issuer: null, keys, audience: null, until: '2026-03-31' }],
      exchange: { until: '2026-03-31', read },
    })
    const id = 'exchangeSession'
    await ask(server, id, 401)
    await ask(server, id, 403, { headers: { Cookie: 'old=x', Origin: 'https://elsewhere.example' } })
    answer = 'away'
    await ask(server, id, 503)
    answer = { id: 'old-1' }
    await ask(server, id, 500, { fault: true })
    answer = { id: 'old-1', subject: 'own-1', issuedAt: new Date(server.clock.time) }
    await ask(server, id, 200, { json: { mode: 'cookie' } })
    await ask(server, id, 200, {})
    await ask(server, id, 403, { headers: { 'User-Agent': 'another' } })
  })

  test('for what needs mail', async () => {
    const inbox = createInbox()
    await using server = await startAuth({ mail: inbox.mail, registration: 'verified' })
    const { email } = credentials
    await ask(server, 'register', 202, { json: credentials })
    await ask(server, 'requestVerification', 202, { json: { email } })
    await inbox.next(email)
    await ask(server, 'verifyEmail', 204, { json: { token: (await inbox.next(email)).token } })
    await ask(server, 'forgotPassword', 202, { json: { email } })
    const { token: reset } = await inbox.next(email)
    await ask(server, 'resetPassword', 422, { json: { token: reset, password: 'short' } })
    await ask(server, 'resetPassword', 204, { json: { token: reset, password: PASSWORD } })
    const { link } = await inbox.next(email)
    assert.match(link, /not-me/)
    server.clock.advance(16 * MINUTE)
    const { access_token: token } = (await server.call('/login', { json: credentials })).body
    await ask(server, 'changeEmail', 202, { token, json: { email: 'new@example.com', password: PASSWORD } })
    await ask(server, 'changeEmail', 422, { token, json: { email: 'no address', password: PASSWORD } })
    await ask(server, 'verifyEmail', 204, { json: { token: (await inbox.next('new@example.com')).token } })
    await ask(server, 'undoEmailChange', 204, { json: { token: (await inbox.next(email)).token } })
    const used = { token: reset, password: PASSWORD }
    await ask(server, 'resetPassword', 400, { json: used })
    for (const id of ['verifyEmail', 'undoEmailChange']) await ask(server, id, 400, { json: { token: reset } })
    for (const page of ['verifyEmail', 'resetPassword', 'undoEmailChange', 'notMe', 'invitation']) {
      await ask(server, `${page}Page`, 200, {}, (path) => `${path}?token=${reset}`)
      await ask(server, `${page}Submit`, 400, { body: new URLSearchParams({ token: reset }) })
    }
    const press = (id: string, fields: Record<string, string>) =>
      ask(server, id, 200, { body: new URLSearchParams(fields) })
    await press('notMeSubmit', { token: link.split('=')[1] as string })
    // The mail of the undone change; that of the report is newer.
    await inbox.next(email)
    await press('resetPasswordSubmit', { token: (await inbox.next(email)).token, password: PASSWORD })
    await server.call('/register', { json: { ...credentials, email: 'sam@example.com' } })
    await press('verifyEmailSubmit', { token: (await inbox.next('sam@example.com')).token })
    const { access_token: own } = (await server.call('/login', { json: { ...credentials, email: 'sam@example.com' } }))
      .body
    await ask(server, 'changeEmail', 202, { token: own, json: { email: 'sam.new@example.com', password: PASSWORD } })
    await press('verifyEmailSubmit', { token: (await inbox.next('sam.new@example.com')).token })
    await press('undoEmailChangeSubmit', { token: (await inbox.next('sam@example.com')).token })
    await server.auth.users.invite({ email: 'bob@example.com' })
    await press('invitationSubmit', { token: (await inbox.next('bob@example.com')).token, password: PASSWORD })
    for (const id of ['forgotPassword', 'resetPassword']) {
      await ask(server, id, 400, { body: '{', headers: { 'Content-Type': 'application/json' } })
      await ask(server, id, 413, { json: { email: 'x'.repeat(20_000) } })
      await ask(server, id, 415, { body: 'a=b', headers: { 'Content-Type': 'text/plain' } })
      await ask(server, id, 422, { json: { unknown: true } })
    }
  })

  test('for what is tried too often', async () => {
    await using server = await startAuth({ mail: async () => {} })
    await server.auth.users.create({ ...credentials, id: 'root' })
    const { access_token: token } = await server.auth.sessions.create({ subject: 'root' })
    const often = async (id: string, status: number, call: Call, times: number) => {
      for (let tries = 0; tries < times; tries += 1) await ask(server, id, status, call)
      await ask(server, id, 429, call)
    }
    const code = { email: 'nobody@example.com', code: '123456' }
    await often('requestVerification', 202, { json: { email: 'sam@example.com' } }, 5)
    await often('forgotPassword', 202, { json: { email: 'nobody@example.com' } }, 5)
    await often('resetPassword', 400, { json: { ...code, password: PASSWORD } }, 5)
    await often('register', 409, { json: credentials }, 5)
    await often('deleteMe', 422, { token, json: { password: 'wrong' } }, 10)
    const { access_token: other } = await server.auth.sessions.create({ subject: 'root' })
    await often(
      'changePassword',
      422,
      { token: other, json: { current_password: 'wrong', new_password: PASSWORD } },
      10,
    )
  })

  test('for what needs mail, without mail or a store', async () => {
    await using server = await startAuth({ issuer: 'https://auth.example.com' })
    const { email } = credentials
    await ask(server, 'forgotPassword', 501, { json: { email } })
    await server.restart({ mail: async () => {} })
    const file = new DatabaseSync(server.file)
    const calls: [string, Call][] = [
      ['forgotPassword', { json: { email } }],
      ['resetPassword', { json: { token: 'swo_x', password: PASSWORD } }],
    ]
    for (const table of ['outbox', 'one_time_tokens']) file.exec(`ALTER TABLE ${table} RENAME TO ${table}_away`)
    for (const [id, call] of calls) await ask(server, id, 500, { ...call, fault: true })
    for (const table of ['outbox', 'one_time_tokens']) file.exec(`ALTER TABLE ${table}_away RENAME TO ${table}`)
    file.close()
    await server.auth.close()
    for (const [id, call] of calls) await ask(server, id, 503, call)
  })

  test('for invitations', async () => {
    const inbox = createInbox()
    await using server = await startAuth({ mail: inbox.mail })
    await server.auth.users.create({ ...credentials, id: 'root', roles: ['sealwax:admin'] })
    const { access_token: token } = await server.auth.sessions.create({ subject: 'root' })
    await ask(server, 'inviteUser', 201, { token, json: { email: 'bob@example.com', roles: ['a'] } })
    await ask(server, 'inviteUser', 409, { token, json: { email: credentials.email } })
    await ask(server, 'listInvitations', 200, { token })
    await ask(server, 'listInvitations', 401)
    await ask(server, 'withdrawInvitation', 204, { token, json: { email: 'bob@example.com' } })
    await ask(server, 'withdrawInvitation', 404, { token, json: { email: 'bob@example.com' } })
    await ask(server, 'startPasswordReset', 202, { token }, (path) => path.replace('{id}', 'root'))
    await ask(server, 'startPasswordReset', 404, { token })
  })

  test('for administration of keys and API clients', async () => {
    await using server = await startAuth()
    await server.auth.users.create({ ...credentials, id: 'root', roles: ['sealwax:admin'] })
    const { access_token: token } = await server.auth.sessions.create({ subject: 'root' })
    const made = JSON.parse(
      (await ask(server, 'createClient', 201, { token, json: { name: 'export', scopes: ['introspect'] } })).text,
    )
    const { id } = made.client
    const at = (path: string) => path.replace('{id}', id)
    await ask(server, 'listClients', 200, { token })
    await ask(server, 'getClient', 200, { token }, at)
    await ask(server, 'updateClient', 200, { token, json: { name: 'nightly export' } }, at)
    const { secret } = JSON.parse((await ask(server, 'rotateClientSecret', 200, { token, method: 'POST' }, at)).text)
    for (const operation of ['disableClient', 'enableClient']) await ask(server, operation, 200, { token }, at)
    const client = { client_id: id, client_secret: secret }
    const form = (parameters: Record<string, string>): Call => ({ body: new URLSearchParams(parameters) })
    const { body } = await ask(server, 'getToken', 200, form({ ...client, grant_type: 'client_credentials' }))
    const asking = form({ ...client, token: body.access_token })
    assert.equal(JSON.parse((await ask(server, 'introspectToken', 200, asking)).text).active, true)
    const session = await server.auth.sessions.create({ subject: 'root', scope: 'orders:read' })
    const { refresh_token } = session
    await ask(server, 'introspectToken', 200, form({ ...client, token: refresh_token }))
    await ask(server, 'introspectToken', 200, form({ ...client, token: session.access_token }))
    await ask(server, 'getToken', 200, form({ grant_type: 'refresh_token', refresh_token }))
    await ask(server, 'revokeToken', 200, asking)
    for (const operation of ['getToken', 'revokeToken', 'introspectToken']) {
      await ask(server, operation, 400, form(client))
      const wrong = { ...client, client_secret: 'wrong', token: 'x', grant_type: 'client_credentials' }
      await ask(server, operation, 401, form(wrong))
    }
    await ask(server, 'deleteClient', 204, { token }, at)
    for (const operation of [
      'getClient',
      'updateClient',
      'deleteClient',
      'rotateClientSecret',
      'disableClient',
      'enableClient',
    ]) {
      const json = operation === 'updateClient' ? { json: { name: 'x' } } : {}
      await ask(server, operation, 404, { token, ...json }, at)
    }
    const person = JSON.parse(
      (await ask(server, 'createUser', 201, { token, json: { email: 'new@example.com' } })).text,
    )
    const of = (path: string) => path.replace('{id}', person.id)
    await ask(server, 'listUsers', 200, { token }, (path) => `${path}?query=new`)
    await server.auth.sessions.create({ subject: person.id, client: { ip: '192.0.2.1', userAgent: 'app' } })
    await ask(server, 'getUser', 200, { token }, of)
    await ask(server, 'setUserRoles', 200, { token, json: { roles: ['teacher'] } }, of)
    for (const operation of ['disableUser', 'enableUser']) await ask(server, operation, 200, { token }, of)
    await ask(server, 'endUserSessions', 204, { token }, of)
    await ask(server, 'deleteUser', 204, { token }, of)
    await ask(server, 'listAuditEvents', 200, { token })
    for (const operation of ['getUser', 'setUserRoles', 'disableUser', 'enableUser', 'deleteUser']) {
      await ask(server, operation, 404, { token, ...(operation === 'setUserRoles' && { json: { roles: [] } }) })
    }
    for (const operation of ['listUsers', 'createUser', 'endUserSessions', 'listAuditEvents']) {
      await ask(server, operation, 401, operation === 'createUser' ? { json: { email: 'x' } } : {})
    }
    for (const operation of ['listClients', 'createClient', 'listKeys', 'rotateKeys', 'revokeKey']) {
      await ask(server, operation, 401, operation === 'createClient' ? { json: { name: 'x' } } : {})
    }
    const keys = JSON.parse((await ask(server, 'listKeys', 200, { token })).text)
    const last = await ask(server, 'listKeys', 200, { token }, (path) => `${path}?after=${keys.data[0].kid}&limit=1`)
    assert.deepEqual(JSON.parse(last.text).data, keys.data.slice(1, 2))
    await ask(server, 'listKeys', 422, { token }, (path) => `${path}?after=nobody`)
    await ask(server, 'rotateKeys', 200, { token })
    await ask(server, 'revokeKey', 200, { token, json: { dry_run: true } }, (path) =>
      path.replace('{kid}', keys.data[0].kid),
    )
    await ask(server, 'revokeKey', 404, { token })
    const jwks = await ask(server, 'getJwks', 200)
    await ask(server, 'getJwks', 304, { headers: { 'If-None-Match': jwks.headers.get('ETag') as string } })
  })

  test('for the success and an error of each operation, and for every status of the operations for users', () => {
    const unseen = operations.flatMap(({ operation: { operationId: id, tags, responses } }) => {
      const refusals = Object.keys(responses).filter((status) => status >= '4')
      const missing = Object.keys(responses).filter((status) => seen.get(id)?.has(Number(status)) !== true)
      const isWhole = tags.some((tag) => ['Log-in', 'Sessions', 'User'].includes(tag))
      const never = refusals.length > 0 && refusals.every((status) => missing.includes(status))
      const owed = missing.filter((status) => status < '4' || isWhole)
      return [...owed.map((status) => `${id} ${status}`), ...(never ? [`${id} refuses`] : [])]
    })
    assert.deepEqual(unseen, [])
  })
})
