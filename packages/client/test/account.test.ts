import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { codeOf, MINUTE, type Place, startPlace, until } from './place.ts'

const PASSWORD = 'gravel tulip orchestra nine'

describe('the account of a user', () => {
  let place: Place
  before(async () => {
    place = await startPlace({ registration: 'open' })
  })
  after(() => place[Symbol.asyncDispose]())

  /** The mail that was sent last to an address. */
  async function mailTo(address: string) {
    await until(() => place.mails.some(({ to }) => to.includes(address)))
    const mail = place.mails.splice(0).findLast(({ to }) => to.includes(address))
    return {
      token: /token=([\w-]+)/.exec(mail?.text ?? '')?.[1] as string,
      code: /\b\d{6}\b/.exec(mail?.text ?? '')?.[0] as string,
    }
  }

  async function newUser(email: string) {
    const client = place.client()
    await client.register({ email, password: PASSWORD })
    return client
  }

  it('me and updateMe: the profile', async () => {
    const client = await newUser('profile@example.com')
    assert.equal((await client.me()).name, null)
    const changed = await client.updateMe({ name: 'Ada', attributes: { theme: 'dark' } })
    assert.deepEqual([changed.name, changed.attributes], ['Ada', { theme: 'dark' }])
    assert.deepEqual((await client.updateMe({ name: null })).name, null)
    assert.equal(await codeOf(client.updateMe({ name: '' })), 'validation_failed')
  })

  it('changePassword: this session goes on and the others end, unless they should not', async () => {
    const [client, other] = [await newUser('password@example.com'), place.client()]
    await other.login({ email: 'password@example.com', password: PASSWORD })
    const next = 'a violet submarine in spring'
    assert.equal(
      await codeOf(client.changePassword({ current_password: 'not this one at all', new_password: next })),
      'password_incorrect',
    )
    await client.changePassword({ current_password: PASSWORD, new_password: next, end_other_sessions: false })
    assert.equal((await other.me()).email, 'password@example.com')
    await client.changePassword({ current_password: next, new_password: PASSWORD })
    assert.equal((await client.me()).email, 'password@example.com')
    assert.equal(await codeOf(other.me()), 'token_revoked')
    await until(async () => (await other.session()) === undefined)
  })

  it('changeEmail, verifyEmail and undoEmailChange: another address, and back', async () => {
    const client = await newUser('old@example.com')
    await client.changeEmail({ email: 'young@example.com', password: PASSWORD })
    const { code } = await mailTo('young@example.com')
    await client.verifyEmail({ email: 'young@example.com', code })
    assert.equal((await client.me()).email, 'young@example.com')
    const { token } = await mailTo('old@example.com')
    await client.undoEmailChange(token)
    assert.equal(await codeOf(client.me()), 'token_revoked')
  })

  it('requestVerification: a mail for an address that is not verified', async () => {
    const client = await newUser('unverified@example.com')
    await until(() => place.mails.length > 0)
    place.mails.splice(0)
    await client.requestVerification('unverified@example.com')
    const { token } = await mailTo('unverified@example.com')
    await client.verifyEmail({ token })
    assert.equal((await client.me()).email_verified, true)
    assert.equal(await codeOf(client.verifyEmail({ token })), 'one_time_token_invalid')
  })

  it('forgotPassword and resetPassword: all sessions end, and nobody is logged in', async () => {
    const client = await newUser('forgetful@example.com')
    await client.forgotPassword('forgetful@example.com')
    await until(() => place.mails.some(({ subject }) => /password/i.test(subject)))
    const { token } = await mailTo('forgetful@example.com')
    const password = 'lantern over quiet harbour'
    assert.equal(await codeOf(client.resetPassword({ token, password: 'short' })), 'password_too_short')
    await client.resetPassword({ token, password })
    assert.equal(await codeOf(client.me()), 'token_revoked')
    assert.equal((await client.login({ email: 'forgetful@example.com', password })).user.email, 'forgetful@example.com')
  })

  it('sessions, endSession and endOtherSessions: where the user is logged in', async () => {
    const client = await newUser('many@example.com')
    const others = [place.client(), place.client(), place.client()]
    for (const other of others) await other.login({ email: 'many@example.com', password: PASSWORD })
    const all = await client.sessions()
    assert.deepEqual(
      all.map(({ current }) => current),
      [false, false, false, true],
    )
    const [newest] = await client.sessions({ limit: 1 })
    assert.equal(newest?.id, all[0]?.id)
    assert.equal((await client.sessions({ limit: 2, after: newest?.id as string })).length, 2)
    await client.endSession(newest?.id as string)
    assert.equal(await codeOf(client.endSession('no-such-session')), 'not_found')
    assert.equal((await client.sessions()).length, 3)
    await client.endOtherSessions()
    assert.deepEqual(await Promise.all(others.map((other) => codeOf(other.me()))), Array(3).fill('token_revoked'))
    assert.equal((await client.sessions()).length, 1)
  })

  it('deleteMe: with the password, or shortly after the log-in; the client forgets the session', async () => {
    const client = await newUser('gone@example.com')
    const heard: unknown[] = []
    client.onChange((session) => void heard.push(session))
    place.clock.ahead += 20 * MINUTE
    assert.equal(await codeOf(client.deleteMe()), 'reauthentication_required')
    assert.equal(await codeOf(client.deleteMe({ password: 'not this one at all' })), 'password_incorrect')
    await client.deleteMe({ password: PASSWORD })
    assert.equal(await client.session(), undefined)
    assert.deepEqual(heard, [undefined])
    const another = await newUser('gone@example.com')
    await another.deleteMe()
    assert.equal(await another.session(), undefined)
  })

  it('an expired token is refreshed, and the call sent once more', async () => {
    const client = await newUser('expired@example.com')
    place.clock.ahead += 20 * MINUTE
    assert.equal((await client.me()).email, 'expired@example.com')
    place.clock.ahead += 20 * MINUTE
    assert.equal((await client.updateMe({ name: 'Later' })).name, 'Later')
  })
})
