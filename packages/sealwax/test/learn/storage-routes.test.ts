import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { ADA } from '../../src/learn/demo.ts'
import { type LessonServer, startLesson } from '../../src/learn/server.ts'

interface Demo {
  readonly origin: string
  readonly foreign: string
  readonly neighbour: string
}

interface Seen {
  readonly id: number
  readonly path: string
  readonly origin: string | null
  readonly site: string | null
  readonly cookie: boolean
  readonly status: number
  readonly code: string | null
}

const OWN = { 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/json' }

describe('lesson, storage', () => {
  let lesson: LessonServer
  let demo: Demo
  before(async () => {
    lesson = await startLesson(0)
    demo = (await (await fetch(new URL('/learn/api/demo', lesson.url))).json()) as Demo
  })
  after(() => lesson.close())

  const call = (path: string, init: RequestInit = {}) => fetch(demo.origin + path, init)
  const post = (text: unknown, headers: Record<string, string> = OWN) =>
    call('/learn/comments', { method: 'POST', headers, body: JSON.stringify({ text }) })
  const comments = async (headers = {}) => (await call('/learn/comments', { headers })).text()
  const lastSeen = async () => {
    const { data } = (await (await call('/learn/api/seen')).json()) as { data: Seen[] }
    return data.at(-1) as Seen
  }
  const cookieOf = async () => {
    const { email, password } = ADA
    const body = JSON.stringify({ email, password, mode: 'cookie' })
    const reply = await call('/login', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
    assert.equal(reply.status, 200)
    const cookies = reply.headers.getSetCookie()
    return cookies.find((cookie) => cookie.startsWith('lesson='))?.split(';')[0] as string
  }

  test('the comments page shows the newest comment unescaped, and runs its scripts only in the lesson', async () => {
    assert.equal((await post('first')).status, 204)
    assert.equal((await post('<script>1</script>')).status, 204)
    const reply = await call('/learn/comments')
    const policy = reply.headers.get('Content-Security-Policy') ?? ''
    assert.match(policy, /script-src 'unsafe-inline'/)
    assert.match(policy, /connect-src 'self'/)
    assert.match(policy, /frame-ancestors 'self'/)
    const page = await reply.text()
    assert.ok(page.includes('<script>1</script>'))
    assert.ok(!page.includes('first'))
  })

  test('no other page may post or delete a comment', async () => {
    await post('ours')
    for (const site of ['cross-site', 'same-site', 'none'])
      assert.equal((await post('theirs', { ...OWN, 'Sec-Fetch-Site': site })).status, 403)
    assert.equal((await post('theirs', { 'Content-Type': 'text/plain' })).status, 403)
    const foreign = { method: 'DELETE', headers: { 'Sec-Fetch-Site': 'cross-site' } }
    assert.equal((await call('/learn/comments', foreign)).status, 403)
    assert.ok((await comments()).includes('ours'))
  })

  test('a comment is a text of limited length', async () => {
    for (const text of [undefined, 1, null, 'x'.repeat(4001)]) assert.equal((await post(text)).status, 422)
    assert.equal((await call('/learn/comments', { method: 'POST', headers: OWN, body: '{' })).status, 422)
    assert.equal((await post('x'.repeat(4000))).status, 204)
  })

  test('the comments page says whether the refresh cookie came with the request', async () => {
    assert.ok((await comments({ Cookie: await cookieOf() })).includes('came with the refresh cookie'))
    assert.ok((await comments({ Cookie: 'other=1' })).includes('came with no refresh cookie'))
  })

  test('deleting the comment also deletes the cookies of the lesson', async () => {
    await post('<b>still here</b>')
    const reply = await call('/learn/comments', { method: 'DELETE', headers: OWN })
    assert.equal(reply.status, 204)
    assert.ok(!(await comments()).includes('still here'))
    const deleted = reply.headers.getSetCookie()
    assert.equal(deleted.length, 2)
    for (const [index, name] of ['lesson', 'lesson-device'].entries())
      assert.match(deleted[index] ?? '', new RegExp(`^${name}=; Max-Age=0; Path=/`))
  })

  test('the lesson shows frames of the two foreign origins and no others', async () => {
    const policy = (await call('/learn')).headers.get('Content-Security-Policy') ?? ''
    assert.ok(policy.includes(`; frame-src 'self' ${demo.foreign} ${demo.neighbour};`))
    const text = (await call('/learn/text')).headers.get('Content-Security-Policy') ?? ''
    assert.ok(text.includes("; frame-src 'self';"))
    assert.equal(new URL(demo.foreign).hostname, 'localhost')
    assert.equal(new URL(demo.neighbour).hostname, '127.0.0.1')
    assert.notEqual(demo.neighbour, demo.origin)
  })

  test('the lesson at the foreign origin leads to its own', async () => {
    const { port } = new URL(demo.origin)
    const at = async (host: string) => {
      // `fetch` does not send another Host.
      const sent = request({ host: '127.0.0.1', port, path: '/learn', headers: { Host: host } })
      const [reply] = (await once(sent.end(), 'response')) as [IncomingMessage]
      reply.resume()
      return [reply.statusCode, reply.headers.location]
    }
    assert.deepEqual(await at(`localhost:${port}`), [302, lesson.url])
    assert.deepEqual(await at(`127.0.0.1:${port}`), [200, undefined])
  })

  test('the foreign page may only be shown by the lesson, and only sends to it', async () => {
    for (const from of [demo.origin, demo.neighbour]) {
      const reply = await fetch(`${from}/learn/attack`)
      const policy = reply.headers.get('Content-Security-Policy') ?? ''
      for (const directive of ['connect-src', 'form-action', 'frame-ancestors'])
        assert.ok(policy.split('; ').includes(`${directive} ${demo.origin}`), directive)
      assert.ok((await reply.text()).includes(`action="${demo.origin}/logout"`))
    }
    assert.equal((await fetch(`${demo.neighbour}/learn`)).status, 404)
  })

  test('the server tells what it saw: a request of the same site has the cookie and is refused', async () => {
    const cookie = await cookieOf()
    const headers = { Cookie: cookie, Origin: demo.neighbour, 'Sec-Fetch-Site': 'same-site' }
    assert.equal((await call('/logout', { method: 'POST', headers })).status, 403)
    const { id, ...seen } = await lastSeen()
    assert.deepEqual(seen, {
      ...{ method: 'POST', path: '/logout', origin: demo.neighbour, site: 'same-site' },
      ...{ cookie: true, status: 403, code: 'csrf_failed' },
    })
    // The session is still there.
    const own = { Cookie: cookie, Origin: demo.origin, 'Sec-Fetch-Site': 'same-origin' }
    assert.equal((await call('/refresh', { method: 'POST', headers: own })).status, 200)
    const next = await lastSeen()
    assert.deepEqual([next.id, next.path, next.status, next.code], [id + 1, '/refresh', 200, null])
  })

  test('the server tells what it saw: a request of another site without the cookie', async () => {
    const headers = { Origin: demo.foreign, 'Sec-Fetch-Site': 'cross-site' }
    assert.equal((await call('/logout', { method: 'POST', headers })).status, 401)
    const seen = await lastSeen()
    assert.deepEqual([seen.cookie, seen.status, seen.code], [false, 401, 'token_missing'])
    const form = { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' }
    assert.equal((await call('/logout', { method: 'POST', headers: form })).status, 415)
    assert.equal((await lastSeen()).code, 'unsupported_media_type')
  })

  test('what the server saw has no token in it, and has an end', async () => {
    const cookie = await cookieOf()
    for (let i = 0; i < 25; i += 1) await call('/refresh', { method: 'POST', headers: { Cookie: cookie } })
    const text = await (await call('/learn/api/seen')).text()
    assert.ok(!text.includes('swr_'))
    assert.equal((JSON.parse(text) as { data: Seen[] }).data.length, 20)
  })
})
