import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DAY, HOUR, MINUTE, SECOND, type Started, standing, startAuth } from '../server.ts'
import { assertRefused, BROWSER, refresh, rotatedSession } from './refreshing.ts'

const OWNER = { ip: '192.0.2.7', userAgent: BROWSER }
/** In another network, with the user agent of the owner. */
const THIEF = { ip: '203.0.113.66', userAgent: BROWSER }

/** A session of the owner, with the refresh token that is stolen. */
async function stolen({ auth }: Started) {
  const { refresh_token, session } = await auth.sessions.create({ subject: 'ann', client: OWNER })
  return { token: refresh_token, id: session.id }
}

async function refreshed({ auth }: Started, token: string, client: typeof OWNER): Promise<string | undefined> {
  return auth.sessions.refresh(token, client).then(
    (tokens) => tokens.refresh_token,
    (error) => {
      assert.equal(error.code, 'invalid_grant')
      return undefined
    },
  )
}

describe('a stolen refresh token', () => {
  for (const delay of [1 * SECOND, 10 * SECOND, 29 * SECOND, 31 * SECOND, 5 * MINUTE]) {
    it(`used ${delay / SECOND} s after each refresh of the owner ends the session within an hour`, async () => {
      await using server = await startAuth()
      const { token, id } = await stolen(server)
      const hold: { owner: string | undefined; thief: string | undefined } = { owner: token, thief: token }
      let ended: number | undefined
      for (let minutes = 0; minutes < 168 * 60 && ended === undefined; minutes += 14) {
        server.clock.advance(14 * MINUTE)
        for (const [who, client] of [
          ['owner', OWNER],
          ['thief', THIEF],
        ] as const) {
          if (who === 'thief') server.clock.advance(delay)
          hold[who] = await refreshed(server, hold[who] as string, client)
          if (hold[who] === undefined) ended ??= minutes
        }
      }
      assert.ok(ended !== undefined && ended <= 60, `ended after ${ended} minutes`)
      const told = await server.auth.audit.list({ subject: 'ann', type: 'session.replay_detected' })
      assert.deepEqual(
        told.data.map(({ sessionId }) => sessionId),
        [id],
      )
    })
  }

  it('presented within the window from several networks never returns the token of the owner', async () => {
    await using server = await startAuth()
    const { token } = await stolen(server)
    const current = await refreshed(server, token, OWNER)
    const got = new Set<string | undefined>()
    for (let network = 0; network < 8; network += 1) {
      got.add(await refreshed(server, token, { ...THIEF, ip: `203.0.${network}.1` }))
    }
    assert.equal(got.size, 8)
    assert.ok(!got.has(current) && !got.has(undefined))
  })

  it('presented with another user agent does not displace the owner, and is displaced by the owner', async () => {
    await using server = await startAuth()
    const { token, id } = await stolen(server)
    const current = (await refreshed(server, token, OWNER)) as string
    const leaf = await refreshed(server, token, { ...OWNER, userAgent: 'curl/8' })
    server.clock.advance(2 * MINUTE)
    assert.ok(await refreshed(server, current, OWNER))
    assert.equal(await refreshed(server, leaf as string, { ...OWNER, userAgent: 'curl/8' }), undefined)
    assert.deepEqual(
      (await server.auth.sessions.list('ann')).filter((session) => session.id === id),
      [],
    )
  })

  it('is refused once its successor was used, even with the same user agent', async () => {
    await using server = await startAuth()
    const { parent, successor } = await rotatedSession(server)
    server.clock.advance(20 * SECOND)
    assert.equal((await refresh(server, successor)).status, 200)
    server.clock.advance(12 * MINUTE)
    assertRefused(await refresh(server, parent), 'replayed')
  })

  it('is refused once its successor was confirmed', async () => {
    await using server = await startAuth()
    const { parent, successor } = await rotatedSession(server)
    assert.equal((await confirm(server, successor)).status, 204)
    server.clock.advance(12 * MINUTE)
    assertRefused(await refresh(server, parent), 'replayed')
    assertRefused(await confirm(server, successor), 'session_revoked')
  })

  it('without a user agent recovers no lost reply, even if the owner has none', async () => {
    await using server = await startAuth()
    const { auth, clock } = server
    const { refresh_token } = await auth.sessions.create({ subject: 'ann', client: { ip: OWNER.ip } })
    await auth.sessions.refresh(refresh_token, { ip: OWNER.ip })
    clock.advance(23 * HOUR)
    await assert.rejects(auth.sessions.refresh(refresh_token, { ip: THIEF.ip }), { reason: 'replayed' })
  })

  it('GET /sessions changes at most hourly, so a thief does not see when or from where the owner refreshes', async () => {
    await using server = await startAuth()
    const { token } = await stolen(server)
    const ears = await server.auth.sessions.create({ subject: 'ann', client: THIEF })
    let current = token
    let shown = ''
    for (let minute = 0; minute < 3 * 60; minute += 1) {
      const wanders = { ...OWNER, ip: `198.51.100.${minute % 250}` }
      if (minute % 7 === 0) current = (await refreshed(server, current, wanders)) as string
      const { access_token } = await server.auth.sessions.refresh(ears.refresh_token, THIEF).catch(() => ears)
      const { body } = await server.call('/sessions', { token: access_token })
      const own = body.data.find((session) => !session.current)
      const now = `${own?.last_seen_at} ${own?.ip} ${own?.user_agent}`
      const isFullHour = server.clock.time % HOUR < MINUTE
      assert.ok(shown === '' || now === shown || isFullHour, `${shown} became ${now} within the hour`)
      shown = now
      server.clock.advance(MINUTE)
    }
    assert.match(shown, /198\.51\.100/)
  })
})

describe('POST /refresh/confirm', () => {
  it('returns 204 each time and does not change the token', async () => {
    await using server = await startAuth()
    const { successor } = await rotatedSession(server)
    for (let i = 0; i < 3; i += 1) assert.equal((await confirm(server, successor)).status, 204)
    assert.equal((await refresh(server, successor)).body.refresh_token, successor)
  })

  it('does nothing for the parent, since that confirmation may be late', async () => {
    await using server = await startAuth()
    const { parent } = await rotatedSession(server)
    assert.equal((await confirm(server, parent)).status, 204)
    server.clock.advance(HOUR)
    assert.equal((await refresh(server, parent)).status, 200, 'the lost reply is still recovered')
  })

  it('does nothing for a displaced token: a frozen page may send it when it wakes up', async () => {
    await using server = await startAuth()
    const { parent, successor } = await rotatedSession(server)
    server.clock.advance(HOUR)
    const recovered = await refresh(server, parent)
    server.clock.advance(MINUTE)
    const { body } = await refresh(server, recovered.body.refresh_token)
    assert.equal((await confirm(server, successor)).status, 204)
    assert.equal(await standing(server.auth, body.access_token), 'accepted')
    assertRefused(await refresh(server, successor), 'replayed')
    assert.equal(await standing(server.auth, body.access_token), 'token_revoked')
  })

  it('refuses an invalid refresh token, and a body without one', async () => {
    await using server = await startAuth()
    assertRefused(await confirm(server, 'swr_AAAA'), 'malformed')
    assert.equal((await server.call('/refresh/confirm', { json: {} })).status, 422)
    await assert.rejects(server.auth.sessions.confirm('garbage'), { code: 'invalid_grant', reason: 'malformed' })
  })
})

describe('a device id', () => {
  it('sent at log-in and with a refresh recovers a lost reply', async () => {
    await using server = await startAuth()
    const { auth, clock } = server
    const create = () => auth.sessions.create({ subject: 'ann', client: { ip: OWNER.ip }, device: 'tv-1' })
    const lost = async (device?: string) => {
      const { refresh_token } = await create()
      await auth.sessions.refresh(refresh_token, { ip: OWNER.ip })
      clock.advance(DAY - SECOND)
      return server.call('/refresh', { json: { refresh_token, ...(device !== undefined && { device }) } })
    }
    assert.equal((await lost('tv-1')).status, 200)
    assertRefused(await lost('tv-2'), 'replayed')
  })

  it('must be 1 to 128 visible ASCII characters', async () => {
    await using server = await startAuth()
    for (const device of ['', 'x'.repeat(129), 'a\u0000b']) {
      await assert.rejects(server.auth.sessions.create({ subject: 'ann', device }), { code: 'validation_failed' })
      assert.equal((await server.call('/refresh', { json: { refresh_token: 'swr_', device } })).status, 422)
    }
  })
})

function confirm({ call }: Started, refresh_token: string) {
  return call('/refresh/confirm', { json: { refresh_token } })
}
