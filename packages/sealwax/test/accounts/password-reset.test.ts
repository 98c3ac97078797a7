import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertProblem, MINUTE, PASSWORD, standing } from '../server.ts'
import { startWithInbox } from './inbox.ts'

const EMAIL = 'ann@example.com'
const NEW = 'a new and longer passphrase'

type Server = Awaited<ReturnType<typeof startWithInbox>>

const forgot = (server: Server, email = EMAIL) => server.call('/password/forgot', { json: { email } })
const reset = (server: Server, json: object) => server.call('/password/reset', { json })
const login = (server: Server, password: string, email = EMAIL) => server.call('/login', { json: { email, password } })

async function withUser(options: Parameters<typeof startWithInbox>[0] = {}) {
  const server = await startWithInbox(options)
  const user = await server.auth.users.create({ email: EMAIL, password: PASSWORD })
  return Object.assign(server, { user })
}

describe('password reset', () => {
  it('the link of the mail sets a new password, ends all sessions and starts none', async () => {
    await using server = await withUser()
    const { body: old } = await login(server, PASSWORD)
    const { status, text } = await forgot(server, 'ANN@example.com')
    assert.deepEqual([status, text], [202, ''])
    const { token, link } = await server.inbox.next(EMAIL)
    assert.equal(link, `http://127.0.0.1:5000/account/reset-password?token=${token}`)
    const done = await reset(server, { token, password: NEW })
    assert.deepEqual([done.status, done.text, done.headers.get('Set-Cookie')], [204, '', null])
    assert.equal(await standing(server.auth, old.access_token), 'token_revoked')
    assertProblem(await login(server, PASSWORD), [401, 'invalid_credentials'])
    assert.equal((await login(server, NEW)).status, 200)
    assert.match((await server.inbox.next(EMAIL)).subject, /password .* has changed/)
  })

  it('the code of the mail works as well', async () => {
    await using server = await withUser()
    await forgot(server)
    const { code } = await server.inbox.next(EMAIL)
    assert.match(code, /^\d{6}$/)
    assert.equal((await reset(server, { email: ' Ann@example.com', code, password: NEW })).status, 204)
    assert.equal((await login(server, NEW)).status, 200)
  })

  it('a token works once, also when two requests present it at the same time', async () => {
    await using server = await withUser()
    await forgot(server)
    const { token } = await server.inbox.next(EMAIL)
    const replies = await Promise.all([
      reset(server, { token, password: NEW }),
      reset(server, { token, password: `${NEW} 2` }),
    ])
    assert.deepEqual(replies.map(({ status }) => status).sort(), [204, 400])
    assertProblem(await reset(server, { token, password: NEW }), [400, 'one_time_token_invalid'])
  })

  it('a newer mail voids the link and the code of the older one', async () => {
    await using server = await withUser()
    await forgot(server)
    const first = await server.inbox.next(EMAIL)
    await forgot(server)
    const second = await server.inbox.next(EMAIL)
    assertProblem(await reset(server, { token: first.token, password: NEW }), [400, 'one_time_token_invalid'])
    if (first.code !== second.code) {
      const { code } = first
      assertProblem(await reset(server, { email: EMAIL, code, password: NEW }), [400, 'one_time_token_invalid'])
    }
    assert.equal((await reset(server, { token: second.token, password: NEW })).status, 204)
  })

  it('link and code expire after 30 minutes', async () => {
    await using server = await withUser()
    await forgot(server)
    const { token, code } = await server.inbox.next(EMAIL)
    server.clock.advance(30 * MINUTE)
    assertProblem(await reset(server, { token, password: NEW }), [400, 'one_time_token_invalid'])
    assertProblem(await reset(server, { email: EMAIL, code, password: NEW }), [400, 'one_time_token_invalid'])
  })

  it('a code can be tried five times, also in parallel; the link still works', async () => {
    await using server = await withUser()
    await forgot(server)
    const { token, code } = await server.inbox.next(EMAIL)
    const wrong = code === '000000' ? '000001' : '000000'
    const tries = Array.from({ length: 5 }, () => reset(server, { email: EMAIL, code: wrong, password: NEW }))
    for (const reply of await Promise.all(tries)) assertProblem(reply, [400, 'one_time_token_invalid'])
    const right = { email: EMAIL, code, password: NEW }
    assertProblem(await reset(server, right), [429, 'too_many_attempts'])
    server.clock.advance(MINUTE)
    assertProblem(await reset(server, right), [400, 'one_time_token_invalid'])
    assert.equal((await reset(server, { token, password: NEW })).status, 204)
  })

  it('a refused password does not use up the link', async () => {
    await using server = await withUser()
    await forgot(server)
    const { token } = await server.inbox.next(EMAIL)
    assertProblem(await reset(server, { token, password: 'too short' }), [422, 'password_too_short'])
    assert.equal((await reset(server, { token, password: NEW })).status, 204)
  })

  it('the reply is the same for an unknown address, which gets no mail', async () => {
    await using server = await withUser()
    const known = await forgot(server)
    const unknown = await forgot(server, 'nobody@example.com')
    const shown = ({ status, text, headers }: typeof known) => {
      const names = [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name))
      return { status, text, names }
    }
    assert.deepEqual(shown(unknown), shown(known))
    assert.equal((await forgot(server, 'not an address')).status, 202)
    await server.inbox.next(EMAIL)
    assert.deepEqual(await server.inbox.left(), [])
    assertProblem(await reset(server, { email: 'nobody@example.com', code: '123456', password: NEW }), [
      400,
      'one_time_token_invalid',
    ])
  })

  it('a disabled user gets no mail, and a link from before does not enable the user', async () => {
    await using server = await withUser()
    await forgot(server)
    const { token } = await server.inbox.next(EMAIL)
    await server.auth.users.disable(server.user.id)
    assert.equal((await reset(server, { token, password: NEW })).status, 204)
    assertProblem(await login(server, NEW), [403, 'user_disabled'])
    await server.inbox.next(EMAIL)
    await forgot(server)
    assert.deepEqual(await server.inbox.left(), [])
  })

  it('a link does not work once the address has changed', async () => {
    await using server = await withUser()
    await forgot(server)
    const { token } = await server.inbox.next(EMAIL)
    await server.auth.users.update(server.user.id, { email: 'ann.new@example.com' })
    assertProblem(await reset(server, { token, password: NEW }), [400, 'one_time_token_invalid'])
  })

  it('a log-in with the old password that runs at the same time starts no session', async () => {
    await using server = await withUser()
    await forgot(server)
    const { token } = await server.inbox.next(EMAIL)
    const [done, ...logins] = await Promise.all([
      reset(server, { token, password: NEW }),
      ...Array.from({ length: 6 }, () => login(server, PASSWORD)),
    ])
    assert.equal(done.status, 204)
    for (const { status, body } of logins) {
      if (status === 200) assert.equal(await standing(server.auth, body.access_token), 'token_revoked')
      else assert.match(body.code, /^(invalid_credentials|too_many_attempts)$/)
    }
    assert.deepEqual(await server.auth.sessions.list(server.user.id), [])
  })

  it('the link has the address of the configuration, whatever the Host header says', async () => {
    await using server = await withUser({ publicUrl: 'https://app.example.com/account' })
    await server.call('/password/forgot', { json: { email: EMAIL }, headers: { 'X-Forwarded-Host': 'evil.example' } })
    const { link, token, html } = await server.inbox.next(EMAIL)
    assert.equal(link, `https://app.example.com/account/account/reset-password?token=${token}`)
    assert.doesNotMatch(html, /evil\.example/)
  })
})
