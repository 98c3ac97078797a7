import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unsafeDecode } from '@sealwax/jwt'
import type { AuthOptions, TokenResponse } from '../../src/index.ts'
import { DAY, HOUR, MINUTE, SECOND, standing, startAuth } from '../server.ts'

/** The time between `iat` and `exp`, which must equal `expires_in`. */
function lifetime({ access_token, expires_in }: Pick<TokenResponse, 'access_token' | 'expires_in'>): number {
  const { iat, exp } = unsafeDecode(access_token).payload
  assert.equal(Number(exp) - Number(iat), expires_in)
  return expires_in
}

describe('an access token', () => {
  it('attack: accessTtl 24h does not keep it valid for a day when the session ends in a minute', async () => {
    await using server = await startAuth({ refreshAbsolute: '60s', accessTtl: '24h' })
    const tokens = await server.auth.sessions.create({ subject: 'ann' })
    assert.equal(lifetime(tokens), 60)
    server.clock.advance(55 * SECOND)
    assert.equal(await standing(server.auth, tokens.access_token), 'accepted')
    const refreshed = await server.auth.sessions.refresh(tokens.refresh_token)
    assert.equal(lifetime(refreshed), 5)
    // The guard tolerates a clock difference of five seconds.
    server.clock.advance(10 * SECOND)
    for (const { access_token } of [tokens, refreshed])
      assert.equal(await standing(server.auth, access_token), 'token_expired')
    assert.equal((await server.call('/me', { token: refreshed.access_token })).status, 401)
  })

  it('ends no later than its session, in whole seconds, and lives at least one second', async () => {
    await using server = await startAuth({ refreshAbsolute: '20s' })
    server.clock.advance(750)
    const { refresh_token, session } = await server.auth.sessions.create({ subject: 'ann' })
    for (const [advance, seconds] of [
      [0, 20],
      [260, 19],
      [18_000, 1],
      [1739, 1],
    ] as const) {
      server.clock.advance(advance)
      const tokens = await server.auth.sessions.refresh(refresh_token)
      assert.equal(lifetime(tokens), seconds, `after another ${advance} ms`)
      const end = Number(unsafeDecode(tokens.access_token).payload.exp) * 1000
      assert.ok(end <= Math.max(Date.parse(session.expires_at), server.clock.time + 1000))
    }
  })

  const idle: [name: string, options: Partial<AuthOptions>, remember: boolean, seconds: number][] = [
    ['never outlives the idle timeout of its session', { refreshIdle: '5m', accessTtl: '1h' }, true, 300],
    [
      'of a session with remember: false does not outlive the day of that session',
      { accessTtl: '24h' },
      false,
      DAY / SECOND,
    ],
    ['gets its full lifetime if the session lives longer', { accessTtl: '24h' }, true, DAY / SECOND],
  ]
  for (const [name, options, remember, seconds] of idle) {
    it(name, async () => {
      await using server = await startAuth(options)
      const tokens = await server.auth.sessions.create({ subject: 'ann', remember })
      assert.equal(lifetime(tokens), seconds)
      server.clock.advance(MINUTE)
      assert.equal(lifetime(await server.auth.sessions.refresh(tokens.refresh_token)), seconds)
    })
  }

  it('of a session with an accessTtl of its own is valid for that long, also after a refresh', async () => {
    await using server = await startAuth({ accessTtl: '15m' })
    const brief = await server.auth.sessions.create({ subject: 'ann', accessTtl: '2m' })
    const usual = await server.auth.sessions.create({ subject: 'ann' })
    assert.deepEqual([lifetime(brief), lifetime(usual)], [120, 900])
    server.clock.advance(90 * SECOND)
    const refreshed = await server.auth.sessions.refresh(brief.refresh_token)
    assert.equal(lifetime(refreshed), 120)
    server.clock.advance(100 * SECOND)
    assert.equal(await standing(server.auth, refreshed.access_token), 'accepted')
    server.clock.advance(30 * SECOND)
    assert.equal(await standing(server.auth, refreshed.access_token), 'token_expired')
    assert.equal(await standing(server.auth, usual.access_token), 'accepted')
  })

  it('refuses an accessTtl of a session that is no duration, or longer than that of the server', async () => {
    await using server = await startAuth({ accessTtl: '15m' })
    const message =
      "sessions.create: accessTtl must be a number of seconds or a duration such as '2m', at most 15 minutes"
    for (const accessTtl of ['16m', 0, -1, 'soon', null]) {
      const call = server.auth.sessions.create({ subject: 'ann', accessTtl: accessTtl as never })
      await assert.rejects(call, { code: 'validation_failed', message })
    }
    assert.deepEqual(await server.auth.sessions.list('ann'), [])
  })

  it('of an API client, which has no session, gets its full lifetime', async () => {
    await using server = await startAuth({ refreshAbsolute: '60s', accessTtl: '1h' })
    const { client, secret } = await server.auth.clients.create({ name: 'export', scopes: ['x'] })
    const headers = { Authorization: `Basic ${Buffer.from(`${client.id}:${secret}`).toString('base64')}` }
    const body = new URLSearchParams({ grant_type: 'client_credentials' })
    assert.equal(lifetime((await server.call('/oauth/token', { body, headers })).body), HOUR / SECOND)
  })
})
