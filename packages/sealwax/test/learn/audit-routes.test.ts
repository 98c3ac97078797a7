import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ADA, GRACE } from '../../src/learn/demo.ts'
import { type LessonServer, startLesson } from '../../src/learn/server.ts'

interface Row {
  type: string
  time: string
  user: string
  session: string
  data: { presented_by?: { user_agent: string }; rotated_by?: { user_agent: string } }
}

describe('lesson, refresh: what the server tells about a replay', () => {
  let lesson: LessonServer
  before(async () => {
    lesson = await startLesson(0)
  })
  after(() => lesson.close())

  const post = async (path: string, body: object, userAgent = 'ada') => {
    const headers = { 'Content-Type': 'application/json', 'User-Agent': userAgent }
    const reply = await fetch(new URL(path, lesson.url), { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: reply.status, body: (await reply.json()) as Record<string, string> & { session: { id: string } } }
  }
  const logIn = async (base: string, { email, password } = ADA) =>
    (await post(`${base}/login`, { email, password })).body
  const readLog = async (query = '') => {
    const text = await (await fetch(new URL(`/learn/api/events${query}`, lesson.url))).text()
    return { text, rows: (JSON.parse(text) as { data: Row[] }).data }
  }

  test('the second issuer takes a refresh token once; the log names both who used it', async () => {
    const { refresh_token: stolen, session } = await logIn('/brief')
    const used = await post('/brief/refresh', { refresh_token: stolen })
    assert.equal(used.status, 200)
    const replay = await post('/brief/refresh', { refresh_token: stolen }, 'thief')
    assert.deepEqual([replay.status, replay.body.code, replay.body.reason], [400, 'invalid_grant', 'replayed'])
    const owner = await post('/brief/refresh', { refresh_token: used.body.refresh_token })
    assert.deepEqual([owner.body.code, owner.body.reason], ['invalid_grant', 'session_revoked'])
    const { rows } = await readLog(`?session=${session.id}`)
    assert.deepEqual(
      rows.map(({ type, user }) => [type, user]),
      [
        ['session.replay_detected', 'ada'],
        ['session.created', 'ada'],
      ],
    )
    assert.equal(rows[0]?.data.presented_by?.user_agent, 'thief')
    assert.equal(rows[0]?.data.rotated_by?.user_agent, 'ada')
  })

  test('the main issuer gives the same successor again', async () => {
    const { refresh_token } = await logIn('')
    const lost = await post('/refresh', { refresh_token })
    const again = await post('/refresh', { refresh_token })
    assert.equal(again.body.refresh_token, lost.body.refresh_token)
    assert.notEqual(again.body.refresh_token, refresh_token)
  })

  test('the log has the sessions of both issuers and users, newest first, and nothing else', async () => {
    const replies = [await logIn(''), await logIn('/brief', GRACE), await logIn('', GRACE)]
    await post('/login', { email: ADA.email, password: 'not the password of Ada' })
    const { text, rows } = await readLog()
    const newest = replies.map(({ session }) => session.id).reverse()
    assert.deepEqual(
      rows.slice(0, 3).map(({ session }) => session),
      newest,
    )
    assert.ok(rows.every(({ type, session }) => type.startsWith('session.') && session !== undefined))
    const times = rows.map(({ time }) => time)
    assert.deepEqual(times, times.toSorted().reverse())
    const secrets = replies.flatMap((reply) => [reply.access_token, reply.refresh_token, reply.device_token])
    for (const secret of [...secrets, ADA.password]) assert.ok(secret && !text.includes(secret))
  })

  test('the log of an unknown session is empty', async () => {
    assert.deepEqual((await readLog('?session=none')).rows, [])
  })
})
