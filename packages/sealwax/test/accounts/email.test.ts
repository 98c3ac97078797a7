import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { assertProblem, HOUR, MINUTE, PASSWORD, standing } from '../server.ts'
import { startWithInbox } from './inbox.ts'

const EMAIL = 'ann@example.com'
const NEW_EMAIL = 'ann.lee@example.org'

type Server = Awaited<ReturnType<typeof startWithInbox>>

const register = (server: Server, email = EMAIL, password = PASSWORD) =>
  server.call('/register', { json: { email, password } })
const verify = (server: Server, json: object) => server.call('/email/verify', { json })
const login = (server: Server, email = EMAIL, password = PASSWORD) =>
  server.call('/login', { json: { email, password } })

describe('registration: verified', () => {
  const start = () => startWithInbox({ registration: 'verified' })

  it('the link of the mail completes a sign-up, and then the user can log in', async () => {
    await using server = await start()
    const { status, text } = await register(server)
    assert.deepEqual([status, text], [202, ''])
    assertProblem(await login(server), [401, 'invalid_credentials'])
    const { token, link } = await server.inbox.next(EMAIL)
    assert.match(link, /\/account\/verify-email\?token=/)
    assert.equal((await verify(server, { token })).status, 204)
    assert.equal((await login(server)).status, 200)
    assert.equal((await server.auth.users.find(EMAIL))?.emailVerified, true)
    assertProblem(await verify(server, { token }), [400, 'one_time_token_invalid'])
  })

  it('the code completes it as well', async () => {
    await using server = await start()
    await register(server)
    const { code } = await server.inbox.next(EMAIL)
    assert.equal((await verify(server, { email: EMAIL, code })).status, 204)
    assert.equal((await login(server)).status, 200)
  })

  it('the reply is the same for a taken address, whose owner gets a mail that says so', async () => {
    await using server = await start()
    await server.auth.users.create({ email: EMAIL, password: PASSWORD })
    const taken = await register(server, EMAIL, 'another long password')
    const free = await register(server, 'bob@example.com', 'another long password')
    assert.deepEqual([taken.status, taken.text], [free.status, free.text])
    const { subject, token } = await server.inbox.next(EMAIL)
    assert.match(subject, /already have an account/)
    assert.equal(token, '')
    assert.equal((await login(server)).status, 200)
    assertProblem(await login(server, EMAIL, 'another long password'), [401, 'invalid_credentials'])
  })

  it('a sign-up by a stranger neither occupies an address nor changes the sign-up of its owner', async () => {
    await using server = await start()
    await register(server, EMAIL, 'the password of a stranger')
    await server.inbox.next(EMAIL)
    await register(server)
    const { token } = await server.inbox.next(EMAIL)
    assert.equal((await verify(server, { token })).status, 204)
    assert.equal((await login(server)).status, 200)
    assertProblem(await login(server, EMAIL, 'the password of a stranger'), [401, 'invalid_credentials'])
  })

  it('a second mail replaces the link of the first', async () => {
    await using server = await start()
    await register(server)
    const first = await server.inbox.next(EMAIL)
    const again = await server.call('/email/verification', { json: { email: EMAIL } })
    assert.deepEqual([again.status, again.text], [202, ''])
    const second = await server.inbox.next(EMAIL)
    assertProblem(await verify(server, { token: first.token }), [400, 'one_time_token_invalid'])
    assert.equal((await verify(server, { token: second.token })).status, 204)
  })

  it('nothing is kept of a sign-up that nobody confirms', async () => {
    await using server = await start()
    await register(server)
    const { token } = await server.inbox.next(EMAIL)
    server.clock.advance(30 * MINUTE)
    assertProblem(await verify(server, { token }), [400, 'one_time_token_invalid'])
    assert.equal(await server.auth.users.find(EMAIL), undefined)
  })

  it('users from the time of open registration verify their address before they log in', async () => {
    await using server = await startWithInbox()
    assert.equal((await register(server)).status, 201)
    await server.restart({ registration: 'verified' })
    assertProblem(await login(server), [401, 'invalid_credentials'])
    await server.call('/email/verification', { json: { email: EMAIL } })
    const { token } = await server.inbox.next(EMAIL)
    assert.equal((await verify(server, { token })).status, 204)
    assert.equal((await login(server)).status, 200)
  })
})

describe('change of the e-mail address', () => {
  async function start() {
    const server = await startWithInbox()
    const user = await server.auth.users.create({ email: EMAIL, password: PASSWORD })
    const { body } = await login(server)
    return Object.assign(server, { user, token: body.access_token })
  }
  type Changing = Awaited<ReturnType<typeof start>>
  const change = (server: Changing, json: object, token = server.token) => server.call('/email', { json, token })

  it('is applied once the new address answers, and the old one is told', async () => {
    await using server = await start()
    const { status, text } = await change(server, { email: NEW_EMAIL, password: PASSWORD })
    assert.deepEqual([status, text], [202, ''])
    assert.equal((await server.auth.users.get(server.user.id))?.email, EMAIL)
    const { token } = await server.inbox.next(NEW_EMAIL)
    assert.equal((await verify(server, { token })).status, 204)
    assert.equal((await server.auth.users.get(server.user.id))?.email, NEW_EMAIL)
    assert.equal((await login(server, NEW_EMAIL)).status, 200)
    const told = await server.inbox.next(EMAIL)
    assert.match(told.link, /\/account\/undo-email-change\?token=/)
  })

  it('can be undone for 72 hours, which ends all sessions and begins a reset', async () => {
    await using server = await start()
    await change(server, { email: NEW_EMAIL, password: PASSWORD })
    await verify(server, { token: (await server.inbox.next(NEW_EMAIL)).token })
    const { token } = await server.inbox.next(EMAIL)
    server.clock.advance(71 * HOUR)
    const { body } = await login(server, NEW_EMAIL)
    assert.equal((await server.call('/email/undo', { json: { token } })).status, 204)
    assert.equal(await standing(server.auth, body.access_token), 'token_revoked')
    assert.equal((await server.auth.users.get(server.user.id))?.email, EMAIL)
    assert.match((await server.inbox.next(EMAIL)).link, /reset-password/)
    assertProblem(await server.call('/email/undo', { json: { token } }), [400, 'one_time_token_invalid'])
  })

  it('a second change does not void the way back from the first', async () => {
    await using server = await start()
    await change(server, { email: NEW_EMAIL, password: PASSWORD })
    await verify(server, { token: (await server.inbox.next(NEW_EMAIL)).token })
    const { token } = await server.inbox.next(EMAIL)
    await change(server, { email: 'thief@example.net', password: PASSWORD })
    await verify(server, { token: (await server.inbox.next('thief@example.net')).token })
    assert.equal((await server.call('/email/undo', { json: { token } })).status, 204)
    assert.equal((await server.auth.users.get(server.user.id))?.email, EMAIL)
  })

  it('nobody else can register the old address while the change can be undone', async () => {
    await using server = await start()
    await change(server, { email: NEW_EMAIL, password: PASSWORD })
    await verify(server, { token: (await server.inbox.next(NEW_EMAIL)).token })
    assertProblem(await register(server), [409, 'email_taken'])
    server.clock.advance(72 * HOUR)
    assert.equal((await register(server)).status, 201)
  })

  it('the caller is not told that the new address belongs to somebody else', async () => {
    await using server = await start()
    await server.auth.users.create({ email: NEW_EMAIL, password: PASSWORD })
    const { status, text } = await change(server, { email: NEW_EMAIL, password: PASSWORD })
    assert.deepEqual([status, text], [202, ''])
    assert.equal((await server.inbox.next(NEW_EMAIL)).token, '')
  })

  it('needs the password or a recent log-in', async () => {
    await using server = await start()
    assertProblem(await change(server, { email: NEW_EMAIL, password: 'not the right password' }), [
      422,
      'password_incorrect',
    ])
    assert.equal((await change(server, { email: NEW_EMAIL })).status, 202)
    server.clock.advance(16 * MINUTE)
    const later = await server.auth.sessions.create({ subject: server.user.id })
    server.clock.advance(14 * MINUTE)
    assert.equal((await change(server, { email: NEW_EMAIL }, later.access_token)).status, 202)
    server.clock.advance(MINUTE - 10_000)
    assertProblem(await change(server, { email: EMAIL, password: PASSWORD }, later.access_token), [
      422,
      'validation_failed',
    ])
  })

  it('a pending request is void after a new password', async () => {
    await using server = await start()
    await change(server, { email: NEW_EMAIL, password: PASSWORD })
    const { token } = await server.inbox.next(NEW_EMAIL)
    const json = { current_password: PASSWORD, new_password: 'a new and longer passphrase' }
    assert.equal((await server.call('/password', { json, token: server.token })).status, 204)
    assertProblem(await verify(server, { token }), [400, 'one_time_token_invalid'])
    await change(server, { email: 'thief@example.net' })
    const { token: thiefs } = await server.inbox.next('thief@example.net')
    await server.auth.users.setPassword(server.user.id, PASSWORD)
    assertProblem(await verify(server, { token: thiefs }), [400, 'one_time_token_invalid'])
  })

  it('an older request does not apply after a later change', async () => {
    await using server = await start()
    await change(server, { email: NEW_EMAIL, password: PASSWORD })
    const { token } = await server.inbox.next(NEW_EMAIL)
    await server.auth.users.update(server.user.id, { email: 'other@example.com' })
    assertProblem(await verify(server, { token }), [400, 'one_time_token_invalid'])
  })
})

describe('codes', () => {
  it('of several sign-ups for one address do not work: an owner must not complete that of a stranger', async () => {
    await using server = await startWithInbox({ registration: 'verified' })
    await register(server, EMAIL, 'the password of a stranger')
    const strangers = await server.inbox.next(EMAIL)
    await register(server)
    const own = await server.inbox.next(EMAIL)
    for (const { code } of [strangers, own]) {
      assertProblem(await verify(server, { email: EMAIL, code }), [400, 'one_time_token_invalid'])
    }
    assert.equal((await verify(server, { token: own.token })).status, 204)
    assert.equal((await login(server)).status, 200)
  })

  it('a sign-up with the address of an unverified user sends a reset, which replaces the password', async () => {
    await using server = await startWithInbox()
    await register(server, EMAIL, 'the password of a stranger')
    await server.restart({ registration: 'verified' })
    assert.equal((await register(server)).status, 202)
    const { link, token } = await server.inbox.next(EMAIL)
    assert.match(link, /reset-password/)
    assert.equal((await server.call('/password/reset', { json: { token, password: PASSWORD } })).status, 204)
    assert.equal((await login(server)).status, 200)
    assertProblem(await login(server, EMAIL, 'the password of a stranger'), [401, 'invalid_credentials'])
  })

  it('exist only for mails that were sent, so that sign-ups beyond the limits add nothing to guess', async () => {
    await using server = await startWithInbox({ registration: 'verified' })
    for (let count = 0; count < 8; count += 1) await register(server)
    const mails = [await server.inbox.next(EMAIL), await server.inbox.next(EMAIL), await server.inbox.next(EMAIL)]
    assert.deepEqual(await server.inbox.left(), [])
    using file = new DatabaseSync(server.file)
    const rows = file.prepare('select code from one_time_tokens').all()
    // Of eight sign-ups, three are refused at once: they are throttled, too.
    assert.deepEqual([rows.length, rows.filter(({ code }) => code !== null).length], [5, mails.length])
  })
})
