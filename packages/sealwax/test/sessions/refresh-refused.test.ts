import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { unsafeDecode } from '@sealwax/jwt'
import { DAY, HOUR, MINUTE, PASSWORD, SECOND, startAuth } from '../server.ts'
import { assertAlive, assertRefused, refresh, rotatedSession } from './refreshing.ts'

describe('an invalid refresh token', () => {
  it('is refused as malformed and never touches a session', async () => {
    await using server = await startAuth()
    const { parent, successor, access } = await rotatedSession(server)
    const other = (await server.auth.sessions.create({ subject: 'bob' })).refresh_token
    const bytes = Buffer.from(successor.slice(4), 'base64url')
    const changed = (change: (copy: Buffer) => void) => {
      const copy = Buffer.from(bytes)
      change(copy)
      return `swr_${copy.toString('base64url')}`
    }
    const forgeries: Record<string, string> = {
      'forged MAC': changed((copy) => copy.writeUInt8((copy.at(-1) ?? 0) ^ 1, copy.length - 1)),
      'MAC of zeros': changed((copy) => copy.fill(0, 21)),
      'MAC of another session': changed((copy) => Buffer.from(other.slice(4), 'base64url').copy(copy, 21, 21)),
      'generation raised': changed((copy) => copy.writeUInt32BE(copy.readUInt32BE(17) + 1, 17)),
      'MAC of the parent': changed((copy) => Buffer.from(parent.slice(4), 'base64url').copy(copy, 21, 21)),
      'another format': changed((copy) => copy.writeUInt8(2, 0)),
      'one byte short': `swr_${bytes.subarray(0, -1).toString('base64url')}`,
      'one byte long': `swr_${Buffer.concat([bytes, Buffer.of(0)]).toString('base64url')}`,
      'base64 padding': `${successor}=`,
      'no prefix': successor.slice(4),
      'white space': ` ${successor}`,
      'only the prefix': 'swr_',
      empty: '',
      garbage: randomBytes(40).toString('base64'),
      'access token': access,
      long: `swr_${'A'.repeat(4000)}`,
    }
    for (const [name, token] of Object.entries(forgeries)) {
      const reply = await refresh(server, token)
      assert.deepEqual([name, reply.body.code, reply.body.reason], [name, 'invalid_grant', 'malformed'])
      assertRefused(reply, 'malformed')
      if (token.length > 4) assert.ok(!reply.text.includes(token), name)
    }
    assert.deepEqual(
      server.events.map(({ type }) => type),
      ['key.created', 'key.created', 'key.activated', 'session.created', 'session.created'],
    )
    await assertAlive(server, successor)
  })
})

describe('the end of a session', () => {
  it('expires after 14 days without use', async () => {
    await using server = await startAuth()
    const { successor } = await rotatedSession(server)
    server.clock.advance(14 * DAY - SECOND)
    const last = await refresh(server, successor)
    assert.equal(last.body.refresh_expires_in, (14 * DAY) / SECOND)
    server.clock.advance(14 * DAY)
    assertRefused(await refresh(server, last.body.refresh_token), 'expired')
  })

  it('expires after 90 days even if it is used, and each reply has the date', async () => {
    await using server = await startAuth()
    const { refresh_token, session } = await server.auth.sessions.create({ subject: 'ann' })
    const end = new Date(server.clock.time + 90 * DAY)
    assert.equal(session.expires_at, end.toISOString())
    let token = refresh_token
    for (let day = 0; day < 80; day += 10) {
      server.clock.advance(10 * DAY)
      token = (await refresh(server, token)).body.refresh_token
    }
    server.clock.advance(10 * DAY - SECOND)
    const { body } = await refresh(server, token)
    assert.deepEqual([body.refresh_expires_in, body.session.expires_at], [1, end.toISOString()])
    server.clock.advance(SECOND)
    assertRefused(await refresh(server, body.refresh_token), 'expired')
  })

  it('ends with its user: the reason is user_disabled after disabling, session_revoked after deleting', async () => {
    await using server = await startAuth()
    const { id } = await server.auth.users.create({ email: 'ann@example.com', password: PASSWORD })
    const { body } = await server.call('/login', { json: { email: 'ann@example.com', password: PASSWORD } })
    await server.auth.users.disable(id)
    assertRefused(await refresh(server, body.refresh_token), 'user_disabled')
    await server.auth.users.enable(id)
    const again = await server.call('/login', { json: { email: 'ann@example.com', password: PASSWORD } })
    await server.auth.users.delete(id)
    assertRefused(await refresh(server, again.body.refresh_token), 'session_revoked')
  })
})

describe('replies', () => {
  it('contain no generation, and no time of use finer than an hour', async () => {
    await using server = await startAuth()
    const { successor } = await rotatedSession(server)
    server.clock.advance(17 * MINUTE + 13 * SECOND)
    const { body, text } = await refresh(server, successor)
    const sessions = await server.call('/sessions', { token: body.access_token })
    const me = await server.call('/me', { token: body.access_token })
    const refusal = await refresh(server, 'swr_')
    for (const reply of [text, sessions.text, me.text, refusal.text]) assert.doesNotMatch(reply, /generation|rotat/)
    assert.equal(
      sessions.body.data[0]?.last_seen_at,
      new Date(server.clock.time - (server.clock.time % HOUR)).toISOString(),
    )
    const { payload } = unsafeDecode(body.access_token)
    assert.deepEqual(Object.keys(payload).sort(), [
      'amr',
      'aud',
      'auth_time',
      'client_id',
      'exp',
      'iat',
      'iss',
      'jti',
      'sid',
      'sub',
      'ver',
    ])
    const loggedIn = Math.floor(Date.UTC(2026, 0, 15, 12, 20, 0) / 1000)
    assert.deepEqual([payload.auth_time, payload.ver], [loggedIn, loggedIn])
  })
})
