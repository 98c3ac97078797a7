import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertProblem, DAY, PASSWORD } from '../server.ts'
import { startWithInbox } from './inbox.ts'

const EMAIL = 'bob@example.com'

async function start(options: Parameters<typeof startWithInbox>[0] = { registration: 'invited' }) {
  const server = await startWithInbox(options)
  const admin = await server.auth.users.create({
    email: 'admin@example.com',
    password: PASSWORD,
    roles: ['sealwax:admin'],
  })
  const { access_token: token } = await server.auth.sessions.create({ subject: admin.id })
  const invite = (json: object) => server.call('/invitations', { json, token })
  return Object.assign(server, { admin, token, invite })
}

describe('invitations', () => {
  it('an invited user chooses a password, gets the roles, and is logged in', async () => {
    await using server = await start()
    const { status, text } = await server.invite({ email: 'Bob@example.com', roles: ['teacher'] })
    assert.equal(status, 201)
    const { email, roles } = JSON.parse(text)
    assert.deepEqual([email, roles], [EMAIL, ['teacher']])
    const { token: invitation, link } = await server.inbox.next(EMAIL)
    assert.match(link, /\/account\/invitation\?token=/)
    const accepted = await server.call('/register', { json: { invitation, password: PASSWORD } })
    assert.equal(accepted.status, 201)
    assert.deepEqual([accepted.body.user.email, accepted.body.user.roles], [EMAIL, ['teacher']])
    assert.equal((await server.auth.users.find(EMAIL))?.emailVerified, true)
    assertProblem(await server.call('/register', { json: { invitation, password: PASSWORD } }), [
      400,
      'one_time_token_invalid',
    ])
  })

  it('without an invitation nobody can sign up', async () => {
    await using server = await start()
    assertProblem(await server.call('/register', { json: { email: EMAIL, password: PASSWORD } }), [
      403,
      'registration_disabled',
    ])
  })

  it('are listed, replaced by a newer one, withdrawn, and expire after seven days', async () => {
    await using server = await start()
    await server.invite({ email: EMAIL })
    const first = await server.inbox.next(EMAIL)
    await server.invite({ email: EMAIL, roles: ['a'] })
    const second = await server.inbox.next(EMAIL)
    const use = (invitation: string) => server.call('/register', { json: { invitation, password: PASSWORD } })
    assertProblem(await use(first.token), [400, 'one_time_token_invalid'])
    const { body } = await server.call('/invitations', { token: server.token })
    assert.deepEqual(
      body.data.map((one) => (one as unknown as { email: string }).email),
      [EMAIL],
    )
    const withdraw = () => server.call('/invitations/withdraw', { json: { email: EMAIL }, token: server.token })
    assert.equal((await withdraw()).status, 204)
    assertProblem(await withdraw(), [404, 'not_found'])
    assertProblem(await use(second.token), [400, 'one_time_token_invalid'])
    await server.invite({ email: EMAIL })
    const third = await server.inbox.next(EMAIL)
    server.clock.advance(7 * DAY)
    assertProblem(await use(third.token), [400, 'one_time_token_invalid'])
  })

  it('attack: an invitation is refused when its administrator has been disabled, demoted or deleted', async () => {
    for (const change of ['disable', 'demote', 'delete'] as const) {
      await using server = await start()
      await server.invite({ email: EMAIL, roles: ['sealwax:admin'] })
      const { token: invitation } = await server.inbox.next(EMAIL)
      const { users } = server.auth
      if (change === 'disable') await users.disable(server.admin.id)
      else if (change === 'demote') await users.setRoles(server.admin.id, [])
      else await users.delete(server.admin.id)
      const reply = await server.call('/register', { json: { invitation, password: PASSWORD } })
      assertProblem(reply, [400, 'one_time_token_invalid'])
      assert.equal(await users.find(EMAIL), undefined)
    }
  })

  it('an invitation by the application needs no administrator', async () => {
    await using server = await start()
    await server.auth.users.invite({ email: EMAIL })
    const { token: invitation } = await server.inbox.next(EMAIL)
    assert.equal((await server.call('/register', { json: { invitation, password: PASSWORD } })).status, 201)
  })

  it('only administrators invite, and not to the address of a user', async () => {
    await using server = await start()
    const { access_token: token } = await server.auth.sessions.create({ subject: 'somebody' })
    assertProblem(await server.call('/invitations', { json: { email: EMAIL }, token }), [403, 'insufficient_role'])
    assertProblem(await server.invite({ email: 'admin@example.com' }), [409, 'email_taken'])
    assertProblem(await server.invite({ email: EMAIL, roles: ['no spaces allowed'] }), [422, 'validation_failed'])
  })
})
