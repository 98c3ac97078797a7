import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '../src/index.ts'
import { ADA, codeOf, MINUTE, type Place, startPlace, until } from './place.ts'

/** A refusal of an API that is no guard of ours. */
const refusal = (status: number, code: string) => ({
  ...{ status, headers: { 'Content-Type': 'application/problem+json' } },
  body: JSON.stringify({ code, title: code }),
})

describe('fetch of a client', () => {
  let place: Place
  let client: Client
  before(async () => {
    place = await startPlace()
    client = place.client({ apiOrigins: [place.otherOrigin] })
    await client.login(ADA)
  })
  beforeEach(() => void place.proxy.seen.splice(0))
  after(() => place[Symbol.asyncDispose]())

  /** Lets the access token expire on the server, and the windows of a refresh pass. */
  const expire = () => {
    place.clock.ahead += 20 * MINUTE
  }

  it('strings, URLs and Requests are sent with their method, headers and body', async () => {
    const init = { method: 'PUT', headers: { 'Content-Type': 'text/plain' }, body: 'words' }
    const url = `${place.url}/api`
    for (const reply of [
      await client.fetch(url, init),
      await client.fetch(new URL(url), init),
      await client.fetch(new Request(url, init)),
      await client.fetch(new Request(url), init),
      await client.fetch(url, { ...init, headers: new Headers(init.headers) }),
    ]) {
      const { method, type, body } = await reply.json()
      assert.deepEqual([method, type, body], ['PUT', 'text/plain', 'words'])
    }
  })

  it('a relative URL is below baseUrl where there is no page', async () => {
    await client.fetch('/api')
    await client.fetch('api')
    const below = place.client({ baseUrl: `${place.url}/api/` })
    await codeOf(below.login(ADA))
    assert.deepEqual(place.paths(), ['/api', '/api', '/api/login'])
  })

  it('an Authorization header of the caller is replaced', async () => {
    const reply = await client.fetch('/api', { headers: { Authorization: 'Bearer other' } })
    assert.equal(reply.status, 200)
  })

  it('the token is sent to baseUrl and apiOrigins only', async () => {
    assert.equal((await client.fetch(`${place.otherOrigin}/api`)).status, 200)
    const strict = place.client()
    await strict.login(ADA)
    for (const url of [
      ...[
        `${place.otherOrigin}/api`,
        place.url.replace('http:', 'https:'),
        place.url.replace('127.0.0.1', 'localhost'),
      ],
      ...['//evil.example/api', 'data:text/plain,words', `http://${new URL(place.url).host}@evil.example/`],
    ]) {
      assert.equal(await codeOf(strict.fetch(url)), 'origin_not_allowed', url)
    }
    assert.equal(await codeOf(strict.fetch(new Request(`${place.otherOrigin}/api`))), 'origin_not_allowed')
  })

  it('a redirect to another origin loses the token', async () => {
    const strict = place.client()
    await strict.login(ADA)
    const reply = await strict.fetch(`/api/redirect?to=${encodeURIComponent(`${place.otherOrigin}/api`)}`)
    assert.equal((await reply.json()).code, 'token_missing')
  })

  it('a body that is not a stream is sent once more after a refresh', async () => {
    const form = new FormData()
    form.set('file', new Blob(['content of the file']), 'notes.txt')
    for (const body of [
      ...['words', new Blob(['words']), new TextEncoder().encode('words'), new URLSearchParams({ words: '1' })],
      form,
    ]) {
      expire()
      const reply = await client.fetch('/api', { method: 'POST', body })
      assert.equal(reply.status, 200)
      assert.match((await reply.json()).body, /words|content of the file/)
    }
    assert.equal(place.paths().filter((path) => path === '/refresh').length, 5)
  })

  it('a body that is a stream is sent once, and the next request has a new token', async () => {
    const stream = () => new Blob(['words']).stream()
    async function* parts() {
      yield new TextEncoder().encode('words')
    }
    for (const send of [
      () => client.fetch('/api', { method: 'POST', body: stream(), duplex: 'half' } as RequestInit),
      () => client.fetch('/api', { method: 'POST', body: parts(), duplex: 'half' } as unknown as RequestInit),
      () => client.fetch(new Request(`${place.url}/api`, { method: 'POST', body: 'words' })),
    ]) {
      expire()
      assert.equal((await (await send()).json()).code, 'token_expired')
      const reply = await send()
      assert.equal((await reply.json()).body, 'words')
    }
  })

  it('a reply that is a stream is passed on part by part', async () => {
    const reply = await client.fetch('/api/slow')
    const parts: string[] = []
    for await (const part of reply.body as unknown as AsyncIterable<Uint8Array>)
      parts.push(Buffer.from(part).toString())
    assert.ok(parts.length > 1)
    assert.equal(parts.join(''), 'one two three')
  })

  it('a request can be aborted before, while it waits for a token, and while it runs', async () => {
    const reason = new Error('not needed any more')
    const aborted = (signal: AbortSignal, input: string | Request = '/api/slow') =>
      client.fetch(input, { signal }).then(
        (reply) => reply.text(),
        (error) => Promise.reject(error),
      )
    await assert.rejects(aborted(AbortSignal.abort(reason)), reason)
    const running = new AbortController()
    const reply = client.fetch('/api/slow', { signal: running.signal }).then((got) => got.text())
    setTimeout(() => running.abort(reason), 30)
    await assert.rejects(reply, (error: Error) => error === reason || error.name === 'AbortError')
    expire()
    place.proxy.next('/refresh', { hold: 1500 })
    const waiting = new AbortController()
    const started = performance.now()
    setTimeout(() => waiting.abort(reason), 50)
    await assert.rejects(
      client.fetch(new Request(`${place.url}/api`, { signal: waiting.signal })),
      (error: Error) => error === reason || error.name === 'AbortError',
    )
    assert.ok(performance.now() - started < 1000, 'it did not wait for the refresh')
    assert.equal((await client.fetch('/api')).status, 200)
  })

  it('token_expired and token_stale: the request is sent once more, and not again', async () => {
    for (const code of ['token_expired', 'token_stale']) {
      place.proxy.seen.splice(0)
      place.proxy.next('/api/x', refusal(401, code))
      assert.equal((await client.fetch('/api/x')).status, 200)
      assert.deepEqual(
        place.paths().filter((path) => path !== '/refresh/confirm'),
        ['/api/x', '/refresh', '/api/x'],
      )
      const [first, , second] = place.proxy.seen.filter(({ path }) => path !== '/refresh/confirm')
      assert.notEqual(second?.authorization, first?.authorization)
      place.proxy.seen.splice(0)
      place.proxy.next('/api/x', refusal(401, code), refusal(401, code))
      assert.equal((await (await client.fetch('/api/x')).json()).code, code)
      assert.equal(place.paths().filter((path) => path === '/api/x').length, 2)
    }
  })

  it('all other refusals are passed on, with their body', async () => {
    const codes = ['token_missing', 'token_malformed', 'token_signature_invalid', 'reauthentication_required']
    for (const [status, code] of [...codes.map((one) => [401, one] as const), [403, 'token_expired'] as const]) {
      place.proxy.next('/api/x', refusal(status, code))
      const reply = await client.fetch('/api/x')
      assert.deepEqual([reply.status, (await reply.json()).code], [status, code])
    }
    place.proxy.next('/api/x', { status: 401, headers: { 'Content-Type': 'text/html' }, body: '<p>no</p>' })
    assert.equal(await (await client.fetch('/api/x')).text(), '<p>no</p>')
    assert.deepEqual(
      place.paths().filter((path) => path !== '/api/x'),
      [],
    )
  })

  it('token_key_unknown is passed on, and the next request has a new token', async () => {
    place.proxy.next('/api/x', refusal(401, 'token_key_unknown'))
    assert.equal((await client.fetch('/api/x')).status, 401)
    assert.equal((await client.fetch('/api/x')).status, 200)
    const [first, second] = place.proxy.seen.filter(({ path }) => path === '/api/x')
    assert.notEqual(second?.authorization, first?.authorization)
  })

  it('token_revoked is passed on, and the client learns that the session has ended', async () => {
    const other = place.client()
    const { session } = await other.login(ADA)
    const heard: unknown[] = []
    other.onChange((now) => void heard.push(now))
    await place.auth.sessions.revoke(session.id)
    assert.equal((await (await other.fetch('/api')).json()).code, 'token_revoked')
    await until(() => heard.length > 0)
    assert.deepEqual(heard, [undefined])
    assert.equal(await codeOf(other.fetch('/api')), 'logged_out')
  })

  it('100 requests with an expired token cause one refresh, and all succeed', async () => {
    expire()
    const replies = await Promise.all(Array.from({ length: 100 }, (_, i) => client.fetch(`/api/${i}`)))
    assert.ok(replies.every(({ status }) => status === 200))
    assert.equal(place.paths().filter((path) => path === '/refresh').length, 1)
  })

  it('a successor is confirmed before it is used', async () => {
    expire()
    await client.fetch('/api')
    assert.deepEqual(place.paths(), ['/api', '/refresh', '/refresh/confirm', '/api'])
  })

  it('a confirmation that hangs does not hold up a request for long', async () => {
    expire()
    place.proxy.next('/refresh/confirm', { hold: delay(6000) })
    const started = performance.now()
    assert.equal((await client.fetch('/api')).status, 200)
    assert.ok(performance.now() - started < 5000)
  })
})
