import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unsafeDecode } from '@sealwax/jwt'
import { assertProblem, MINUTE, PASSWORD, type Reply, SECRET, type Started, standing, startAuth } from '../server.ts'

const refusedToken = { status: 401, code: 'token_revoked' }

/** Creates three sessions of ann and one of bob. */
async function crowd({ auth, clock }: Started) {
  const make = (subject: string, userAgent: string) => {
    clock.advance(1000)
    return auth.sessions.create({ subject, client: { userAgent, ip: '192.0.2.7' } })
  }
  return {
    phone: await make('ann', 'phone'),
    laptop: await make('ann', 'laptop'),
    tablet: await make('ann', 'tablet'),
    bob: await make('bob', 'bob'),
  }
}

type Crowd = Awaited<ReturnType<typeof crowd>>

/** The sessions whose access token and refresh token still work. Both must agree. */
async function alive({ auth, call }: Started, sessions: Crowd): Promise<string[]> {
  const names: string[] = []
  for (const [name, { access_token, refresh_token }] of Object.entries(sessions)) {
    const access = await standing(auth, access_token)
    const { status, body } = await call('/refresh', { json: { refresh_token } })
    assert.deepEqual(
      [access, body.reason],
      status === 200 ? ['accepted', undefined] : ['token_revoked', 'session_revoked'],
    )
    if (status === 200) names.push(name)
  }
  return names
}

describe('/sessions', () => {
  it("lists the caller's sessions, newest first, and marks the current one", async () => {
    await using server = await startAuth()
    const { phone, laptop, tablet } = await crowd(server)
    const { status, headers, body } = await server.call('/sessions', { token: laptop.access_token })
    assert.deepEqual([status, headers.get('Cache-Control')], [200, 'no-store'])
    assert.deepEqual(
      body.data.map(({ id, current, user_agent, ip }) => [id, current, user_agent, ip]),
      [
        [tablet.session.id, false, 'tablet', '192.0.2.7'],
        [laptop.session.id, true, 'laptop', '192.0.2.7'],
        [phone.session.id, false, 'phone', '192.0.2.7'],
      ],
    )
  })

  it('lists sessions in pages of 50 by default, newest first', async () => {
    await using server = await startAuth({ maxSessions: Infinity })
    const first = await server.auth.sessions.create({ subject: 'ann' })
    for (let i = 0; i < 120; i += 1) await server.auth.sessions.create({ subject: 'ann' })
    const whole = (await server.auth.sessions.list('ann')).map(({ id }) => id)
    const token = first.access_token
    const sizes: number[] = []
    const seen: { id: string; current: boolean }[] = []
    for (let query = ''; ; query = `?after=${seen.at(-1)?.id}`) {
      const { data } = (await server.call(`/sessions${query}`, { token })).body
      if (data.length === 0) break
      sizes.push(data.length)
      seen.push(...data)
    }
    assert.deepEqual(sizes, [50, 50, 21])
    assert.deepEqual(
      seen.map(({ id }) => id),
      whole,
    )
    assert.deepEqual(
      seen.filter(({ current }) => current).map(({ id }) => id),
      [first.session.id],
    )
    assert.equal((await server.call('/sessions?limit=500', { token })).body.data.length, 121)
    assert.deepEqual(
      (await server.auth.sessions.list('ann', { after: whole[1] as string, limit: 2 })).map(({ id }) => id),
      whole.slice(2, 4),
    )
    for (const query of ['limit=0', 'limit=501', 'limit=x', 'after=', `after=${'x'.repeat(65)}`, 'after=nobody']) {
      assertProblem(await server.call(`/sessions?${query}`, { token }), [422, 'validation_failed'], query)
    }
  })

  it('a session of another user gets the same refusal as an unknown id, in after and in the path', async () => {
    await using server = await startAuth()
    const { laptop, phone, bob } = await crowd(server)
    const token = laptop.access_token
    const [theirs, none] = [bob.session.id, 'AAAAAAAAAAAAAAAAAAAAAA'].map((id) => ({
      page: server.call(`/sessions?after=${id}`, { token }),
      one: server.call(`/sessions/${id}`, { token }),
    }))
    assertProblem((await theirs?.page) as Reply, [422, 'validation_failed'])
    assertProblem((await theirs?.one) as Reply, [404, 'not_found'])
    assert.equal((await theirs?.page)?.body.detail, (await none?.page)?.body.detail)
    assert.equal((await theirs?.one)?.body.detail, (await none?.one)?.body.detail)
    await server.auth.sessions.revoke(phone.session.id)
    assertProblem(await server.call(`/sessions/${phone.session.id}`, { token }), [404, 'not_found'])
  })

  it('the session of a token is found by its sid', async () => {
    await using server = await startAuth()
    const { laptop } = await crowd(server)
    const { sid } = unsafeDecode(laptop.access_token).payload
    const { status, body } = await server.call(`/sessions/${sid}`, { token: laptop.access_token })
    const { data } = (await server.call('/sessions', { token: laptop.access_token })).body
    assert.deepEqual([status, body], [200, data.find(({ current }) => current)])
  })

  it('does not list ended or expired sessions', async () => {
    await using server = await startAuth({ refreshIdle: '1h' })
    const { laptop, tablet } = await crowd(server)
    await server.auth.sessions.revoke(tablet.session.id)
    server.clock.advance(30 * MINUTE)
    await server.auth.sessions.refresh(laptop.refresh_token)
    server.clock.advance(40 * MINUTE)
    assert.deepEqual(
      (await server.auth.sessions.list('ann')).map(({ id }) => id),
      [laptop.session.id],
    )
  })

  it("ends one of the caller's sessions", async () => {
    await using server = await startAuth()
    const sessions = await crowd(server)
    const path = `/sessions/${sessions.phone.session.id}`
    const { status, text } = await server.call(path, { method: 'DELETE', token: sessions.laptop.access_token })
    assert.deepEqual([status, text], [204, ''])
    assert.equal((await server.call(path, { method: 'DELETE', token: sessions.laptop.access_token })).status, 404)
    assert.deepEqual(await alive(server, sessions), ['laptop', 'tablet', 'bob'])
    assert.equal(server.events.at(-1)?.type, 'session.ended')
  })

  it('returns 404 for a session of another user, as for an unknown one, and does not end it', async () => {
    await using server = await startAuth()
    const sessions = await crowd(server)
    const token = sessions.bob.access_token
    const notMine = await server.call(`/sessions/${sessions.phone.session.id}`, { method: 'DELETE', token })
    const notThere = await server.call('/sessions/AAAAAAAAAAAAAAAAAAAAAA', { method: 'DELETE', token })
    assert.deepEqual([notMine.status, notMine.body.code], [404, 'not_found'])
    assert.deepEqual({ ...notMine.body, request_id: '' }, { ...notThere.body, request_id: '' })
    assert.deepEqual(await alive(server, sessions), ['phone', 'laptop', 'tablet', 'bob'])
  })

  it('DELETE ends all other sessions', async () => {
    await using server = await startAuth()
    const sessions = await crowd(server)
    const { status } = await server.call('/sessions', { method: 'DELETE', token: sessions.laptop.access_token })
    assert.equal(status, 204)
    assert.deepEqual(await alive(server, sessions), ['laptop', 'bob'])
  })

  it('refuses every request without a token', async () => {
    await using server = await startAuth()
    for (const [method, path] of [
      ['GET', '/sessions'],
      ['DELETE', '/sessions'],
      ['DELETE', '/sessions/x'],
      ['GET', '/me'],
    ] as const) {
      const { status, headers, body } = await server.call(path, { method })
      assert.deepEqual(
        [path, status, body.code, headers.get('WWW-Authenticate')],
        [path, 401, 'token_missing', 'Bearer realm="api"'],
      )
    }
  })
})

describe('/logout', () => {
  const scopes: [scope: string | undefined, left: string[]][] = [
    [undefined, ['phone', 'tablet', 'bob']],
    ['current', ['phone', 'tablet', 'bob']],
    ['others', ['laptop', 'bob']],
    ['all', ['bob']],
  ]
  for (const [scope, left] of scopes) {
    const body = scope === undefined ? {} : { scope }
    it(`scope ${scope ?? 'left out'}, with an access token`, async () => {
      await using server = await startAuth()
      const sessions = await crowd(server)
      const { status, text } = await server.call('/logout', { json: body, token: sessions.laptop.access_token })
      assert.deepEqual([status, text], [204, ''])
      assert.deepEqual(await alive(server, sessions), left)
    })

    it(`scope ${scope ?? 'left out'}, with a refresh token, twice`, async () => {
      await using server = await startAuth()
      const sessions = await crowd(server)
      const json = { ...body, refresh_token: sessions.laptop.refresh_token }
      assert.equal((await server.call('/logout', { json })).status, 204)
      assert.equal((await server.call('/logout', { json })).status, 204)
      assert.deepEqual(await alive(server, sessions), left)
    })
  }

  it('does not need a body', async () => {
    await using server = await startAuth()
    const { phone, laptop } = await crowd(server)
    assert.equal((await server.call('/logout', { method: 'POST', token: phone.access_token })).status, 204)
    const headers = { 'Content-Type': 'application/json' }
    assert.equal((await server.call('/logout', { method: 'POST', token: laptop.access_token, headers })).status, 204)
    assert.equal((await server.auth.sessions.list('ann')).length, 1)
  })

  it('the access token of an ended session is refused', async () => {
    await using server = await startAuth()
    const { phone } = await crowd(server)
    await server.call('/logout', { method: 'POST', token: phone.access_token })
    const { status, body } = await server.call('/logout', { method: 'POST', token: phone.access_token })
    assert.deepEqual({ status, code: body.code }, refusedToken)
  })

  it('a refresh token of an ended or expired session does not end others', async () => {
    await using server = await startAuth({ refreshIdle: '1h' })
    const { phone, tablet } = await crowd(server)
    await server.auth.sessions.revoke(phone.session.id)
    server.clock.advance(50 * MINUTE)
    const laptop = await server.auth.sessions.create({ subject: 'ann' })
    const by = (refresh_token: string) => server.call('/logout', { json: { scope: 'all', refresh_token } })
    assert.equal((await by(phone.refresh_token)).status, 204)
    server.clock.advance(20 * MINUTE)
    assert.equal((await by(tablet.refresh_token)).status, 204)
    assert.deepEqual(
      (await server.auth.sessions.list('ann')).map(({ id }) => id),
      [laptop.session.id],
    )
  })

  it('refuses an invalid refresh token and ends no session', async () => {
    await using server = await startAuth()
    const sessions = await crowd(server)
    for (const refresh_token of [
      '',
      'swr_x',
      sessions.phone.access_token,
      `${sessions.phone.refresh_token.slice(0, -2)}AA`,
    ]) {
      const { status, body } = await server.call('/logout', { json: { scope: 'all', refresh_token } })
      assert.deepEqual([status, body.code, body.reason], [400, 'invalid_grant', 'malformed'])
    }
    assert.equal((await alive(server, sessions)).length, 4)
  })
})

describe('a restart', () => {
  it('keeps revocations, sessions and keys', async () => {
    await using server = await startAuth()
    const sessions = await crowd(server)
    const { id } = await server.auth.users.create({ email: 'ann@example.com', password: PASSWORD })
    const stale = await server.auth.sessions.create({ subject: id })
    await server.call('/logout', { method: 'POST', token: sessions.phone.access_token })
    await server.auth.users.setRoles(id, ['teacher'])
    const { body: before } = await server.call('/.well-known/jwks.json')
    const again = await server.call('/refresh', { json: { refresh_token: sessions.laptop.refresh_token } })
    await server.restart()
    assert.deepEqual(await alive(server, sessions), ['laptop', 'tablet', 'bob'])
    assert.equal(await standing(server.auth, stale.access_token), 'token_stale')
    const { body: after } = await server.call('/.well-known/jwks.json')
    assert.deepEqual(after, before)
    assert.equal(unsafeDecode(sessions.bob.access_token).header.kid, after.keys[0]?.kid)
    const replayed = await server.call('/refresh', { json: { refresh_token: sessions.laptop.refresh_token } })
    assert.equal(replayed.body.refresh_token, again.body.refresh_token)
    assert.equal(server.events.filter(({ type }) => type === 'key.created').length, 2)
  })

  it('a secret is replaced by old,new and then new,old; with only the new one too early, the error names the missing fingerprint', async () => {
    await using server = await startAuth()
    const next = 'pL8x-another-test-secret-Wq3Zt7Hd5Kc9Mv'
    const { refresh_token } = await server.auth.sessions.create({ subject: 'ann' })
    await server.restart({ secret: [SECRET, next] })
    await assert.rejects(server.restart({ secret: next }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'keys_unavailable')
      assert.match(error.message, /fingerprint [0-9a-f]{16}/)
      return true
    })
    await server.restart({ secret: [next, SECRET] })
    const { status, body } = await server.call('/refresh', { json: { refresh_token } })
    assert.equal(status, 200)
    assert.equal(await standing(server.auth, body.access_token), 'accepted')
  })
})
