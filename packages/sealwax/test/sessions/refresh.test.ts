import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { DAY, HOUR, MINUTE, type Reply, SECOND, type Started, standing, startAuth } from '../server.ts'
import { assertAlive, assertRefused, BROWSER, refresh, rotatedSession } from './refreshing.ts'

describe('refresh inside the grace window', () => {
  it('a first refresh rotates even in the same second as the log-in', async () => {
    await using server = await startAuth()
    const first = await server.auth.sessions.create({ subject: 'ann' })
    const { body } = await refresh(server, first.refresh_token)
    assert.notEqual(body.refresh_token, first.refresh_token)
    assert.notEqual(body.access_token, first.access_token)
    assert.equal(await standing(server.auth, body.access_token), 'accepted')
    assert.equal(await standing(server.auth, first.access_token), 'accepted')
  })

  it('keeps the current token for two windows and returns a new access token each time', async () => {
    await using server = await startAuth()
    const { successor, access } = await rotatedSession(server)
    server.clock.advance(59 * SECOND)
    const again = await refresh(server, successor)
    assert.equal(again.body.refresh_token, successor)
    assert.notEqual(again.body.access_token, access)
    server.clock.advance(SECOND)
    assert.notEqual((await refresh(server, successor)).body.refresh_token, successor)
  })

  it('returns the same leaf for the parent until one window after the leaf was first presented', async () => {
    await using server = await startAuth()
    const { parent, successor } = await rotatedSession(server)
    server.clock.advance(20 * SECOND)
    for (let i = 0; i < 6; i += 1) {
      assert.equal((await refresh(server, parent)).body.refresh_token, successor)
      assert.equal((await refresh(server, successor)).body.refresh_token, successor)
      server.clock.advance(5 * SECOND)
    }
    assertRefused(await refresh(server, parent), 'replayed')
  })

  it('treats a clock that stepped back as inside the window', async () => {
    await using server = await startAuth()
    const { parent, successor } = await rotatedSession(server)
    server.clock.advance(-HOUR)
    assert.equal((await refresh(server, parent)).body.refresh_token, successor)
    assert.equal((await refresh(server, successor)).body.refresh_token, successor)
  })

  it('50 concurrent refreshes of one token produce one successor', async () => {
    await using server = await startAuth()
    const { refresh_token } = await server.auth.sessions.create({ subject: 'ann', client: { userAgent: BROWSER } })
    const replies = await Promise.all(Array.from({ length: 50 }, () => refresh(server, refresh_token)))
    assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]))
    assert.equal(new Set(replies.map(({ body }) => body.refresh_token)).size, 1)
    assert.equal(new Set(replies.map(({ body }) => body.access_token)).size, 50)
    await assertAlive(server, replies[0]?.body.refresh_token ?? '')
  })

  it('audits a fork, and a current token from another network, but not a retry', async () => {
    await using server = await startAuth()
    const { auth, events } = server
    const home = { ip: '192.0.2.7', userAgent: BROWSER }
    const { refresh_token } = await auth.sessions.create({ subject: 'ann', client: home })
    const { refresh_token: current } = await auth.sessions.refresh(refresh_token, home)
    await auth.sessions.refresh(refresh_token, { ...home, ip: '192.0.2.99' })
    await auth.sessions.refresh(current, { ...home, ip: '192.0.2.99' })
    assert.deepEqual(
      events.map(({ type }) => type),
      ['key.created', 'key.created', 'key.activated', 'session.created'],
    )
    await auth.sessions.refresh(refresh_token, { ...home, ip: '198.51.100.1' })
    await auth.sessions.refresh(refresh_token, { ...home, userAgent: 'curl/8' })
    await auth.sessions.refresh(current, { ...home, ip: '203.0.113.1' })
    assert.deepEqual(
      events.slice(4).map(({ type }) => type),
      ['session.forked', 'session.forked', 'session.replayed'],
    )
  })
})

describe('refresh after the grace window', () => {
  it('a lost reply is recovered after the window; the displaced leaf then ends the session', async () => {
    await using server = await startAuth()
    const { id, parent, successor, access } = await rotatedSession(server)
    server.clock.advance(10 * MINUTE)
    const recovered = await refresh(server, parent)
    assert.equal(recovered.status, 200)
    assert.ok(![parent, successor].includes(recovered.body.refresh_token))
    assert.equal(server.events.at(-1)?.type, 'session.forked')
    assert.equal(
      (await refresh(server, successor)).body.refresh_token,
      successor,
      'both leaves are valid for two windows',
    )
    server.clock.advance(MINUTE)
    assert.equal((await refresh(server, recovered.body.refresh_token)).status, 200)
    assertRefused(await refresh(server, successor), 'replayed')
    for (const token of [access, recovered.body.access_token])
      assert.equal(await standing(server.auth, token), 'token_revoked')
    assertRefused(await refresh(server, recovered.body.refresh_token), 'session_revoked')
    assert.equal(
      server.events.filter(({ sessionId, type }) => sessionId === id && type === 'session.replay_detected').length,
      1,
    )
  })

  it('a recovery whose reply is also lost is recovered again', async () => {
    await using server = await startAuth()
    const { parent } = await rotatedSession(server)
    for (let i = 0; i < 3; i += 1) {
      server.clock.advance(23 * HOUR)
      assert.equal((await refresh(server, parent)).status, 200)
    }
  })

  const replays: [behaviour: string, act: (server: Started, parent: string, successor: string) => Promise<Reply>][] = [
    ['the parent from another user agent', async (server, parent) => refresh(server, parent, 'thief/1.0')],
    [
      'the parent after its successor was presented',
      async (server, parent, successor) => {
        assert.equal((await refresh(server, successor)).status, 200)
        server.clock.advance(HOUR)
        return refresh(server, parent)
      },
    ],
    [
      'the parent after more than a day',
      async (server, parent) => {
        server.clock.advance(DAY)
        return refresh(server, parent)
      },
    ],
  ]
  for (const [behaviour, act] of replays) {
    it(`ends the session, and no other, on ${behaviour}`, async () => {
      await using server = await startAuth()
      const { id, parent, successor } = await rotatedSession(server)
      server.clock.advance(HOUR)
      const current = await server.auth.sessions.create({ subject: 'ann' })
      assertRefused(await act(server, parent, successor), 'replayed')
      assertRefused(await refresh(server, successor), 'session_revoked')
      assert.deepEqual(
        (await server.auth.sessions.list('ann')).map((session) => session.id),
        [current.session.id],
      )
      assert.equal(
        server.events.filter(({ type, sessionId }) => type === 'session.replay_detected' && sessionId === id).length,
        1,
      )
    })
  }

  it('an old generation ends the session, and one audit event names both clients', async () => {
    await using server = await startAuth()
    const { auth, clock, events } = server
    const owner = { ip: '192.0.2.7', userAgent: BROWSER }
    const old = await auth.sessions.create({ subject: 'ann', client: owner })
    let current = old
    for (let i = 0; i < 3; i += 1) {
      current = await auth.sessions.refresh(current.refresh_token, owner)
      clock.advance(31 * SECOND)
    }
    const { access_token } = await auth.sessions.refresh(current.refresh_token, owner)
    assert.equal(await standing(auth, access_token), 'accepted')
    await assert.rejects(auth.sessions.refresh(old.refresh_token, { ip: '198.51.100.1', userAgent: 'thief' }), {
      code: 'invalid_grant',
      reason: 'replayed',
    })
    assert.equal(await standing(auth, access_token), 'token_revoked')
    const told = events.filter(({ type }) => type !== 'session.created' && !type.startsWith('key.'))
    assert.deepEqual([told.length, told[0]?.type, told[0]?.subject], [1, 'session.replay_detected', 'ann'])
    const story = JSON.stringify(told)
    for (const part of ['192.0.2.7', BROWSER, '198.51.100.1', 'thief']) assert.ok(story.includes(part), part)
    const kept = await auth.audit.list({ subject: 'ann', type: 'session.replay_detected' })
    assert.deepEqual(
      kept.data.map(({ data }) => data),
      [told[0]?.data],
    )
  })

  it('a token ahead of a restored backup is fast-forwarded and audited', async () => {
    await using server = await startAuth()
    const { id, parent, successor } = await rotatedSession(server)
    server.clock.advance(MINUTE)
    const ahead = (await refresh(server, successor)).body.refresh_token
    const backup = new DatabaseSync(server.file)
    backup
      .prepare('update sessions set generation = 0, parent_generation = null, rotated_at = null where id = ?')
      .run(id)
    backup.close()
    const { status, body } = await refresh(server, ahead)
    assert.equal(status, 200)
    assert.ok(![parent, successor, ahead].includes(body.refresh_token))
    assert.equal(server.events.at(-1)?.type, 'session.fast_forwarded')
    await assertAlive(server, body.refresh_token)
  })
})
