import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY, HOUR, MINUTE, PASSWORD, type Started, standing, startAuth } from '../server.ts'

const CREDENTIALS = { email: 'alex@example.com', password: PASSWORD }

async function begin({ auth, clock }: Started, subject = 'u') {
  clock.advance(MINUTE)
  return auth.sessions.create({ subject })
}

async function idsOf({ auth }: Started, subject = 'u'): Promise<string[]> {
  return (await auth.sessions.list(subject)).map(({ id }) => id).sort()
}

test('maxSessions: a log-in beyond the limit immediately ends the least recently used session, and no other', async () => {
  await using started = await startAuth({ maxSessions: 2 })
  await started.auth.users.create({ id: 'user-123', ...CREDENTIALS })
  const logIn = async () => {
    started.clock.advance(MINUTE)
    return (await started.call('/login', { json: CREDENTIALS })).body
  }
  const other = await begin(started, 'somebody else')
  const [oldest, unused] = [await logIn(), await logIn()]
  started.clock.advance(2 * HOUR)
  const used = (await started.call('/refresh', { json: { refresh_token: oldest.refresh_token } })).body
  const newest = await logIn()
  const fresh = (await started.call('/refresh', { json: { refresh_token: used.refresh_token } })).body
  assert.equal(await standing(started.auth, fresh.access_token), 'accepted')
  assert.equal(await standing(started.auth, newest.access_token), 'accepted')
  const refused = await started.call('/refresh', { json: { refresh_token: unused.refresh_token } })
  assert.equal(refused.body.reason, 'session_revoked')
  assert.deepEqual(await idsOf(started, 'user-123'), [oldest.session.id, newest.session.id].sort())
  assert.deepEqual(await idsOf(started, 'somebody else'), [other.session.id])
  const { data } = await started.auth.audit.list({ type: 'session.ended', limit: 9 })
  assert.deepEqual(
    data.map(({ sessionId, data: told }) => [sessionId, told]),
    [[unused.session.id, { reason: 'too_many' }]],
  )
})

test('maxSessions: the access token of a session ended by the limit is refused immediately', async () => {
  await using started = await startAuth({ maxSessions: 1 })
  const first = await begin(started)
  const second = await begin(started)
  assert.deepEqual(
    [await standing(started.auth, first.access_token), await standing(started.auth, second.access_token)],
    ['token_revoked', 'accepted'],
  )
})

test('maxSessions: of sessions that begin in the same millisecond, the last ones stay', async () => {
  await using started = await startAuth({ maxSessions: 2 })
  const begun = []
  for (let i = 0; i < 8; i += 1) begun.push(await started.auth.sessions.create({ subject: 'u' }))
  const last = begun.slice(-2).map(({ session }) => session.id)
  assert.deepEqual(await idsOf(started), last.sort())
})

test('maxSessions: the default is 100, and Infinity means no limit', async () => {
  for (const [options, left] of [
    [{}, 100],
    [{ maxSessions: Number.POSITIVE_INFINITY }, 103],
  ] as const) {
    await using started = await startAuth(options)
    for (let i = 0; i < 103; i += 1) await begin(started)
    assert.equal((await idsOf(started)).length, left)
  }
})

test('maxSessions: an expired session is ended before a live one, even if it was used more recently', async () => {
  await using started = await startAuth({ maxSessions: 2 })
  const live = await begin(started)
  const forgetful = await started.auth.sessions.create({ subject: 'u', remember: false })
  started.clock.advance(DAY)
  const newest = await begin(started)
  assert.deepEqual(await idsOf(started), [live.session.id, newest.session.id].sort())
  await assert.rejects(started.auth.sessions.refresh(forgetful.refresh_token), { reason: 'session_revoked' })
})

test('maxSessions: after the clock steps back, the session that begins is not the one that ends', async () => {
  await using started = await startAuth({ maxSessions: 2 })
  await begin(started)
  await begin(started)
  started.clock.advance(-HOUR)
  const { session, access_token } = await begin(started)
  assert.ok((await idsOf(started)).includes(session.id))
  assert.equal(await standing(started.auth, access_token), 'accepted')
})

test('maxSessions: after the limit is lowered, each log-in ends at most 100 sessions', async () => {
  await using started = await startAuth({ maxSessions: Number.POSITIVE_INFINITY })
  for (let i = 0; i < 150; i += 1) await begin(started)
  await started.restart({ maxSessions: 10 })
  const left: number[] = []
  for (let i = 0; i < 3; i += 1) {
    await begin(started)
    left.push((await idsOf(started)).length)
  }
  assert.deepEqual(left, [51, 10, 10])
})
