import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect, promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { createGuard, type FeedReport, type GuardError, type GuardOptions, subjectKey } from '@sealwax/guard'
import { generateKey, sign } from '@sealwax/jwt'

const issuer = 'https://auth.example.com'
const key = await generateKey('ES256')
const seconds = () => Math.floor(Date.now() / 1000)
const until = () => seconds() + 900

/**
 * A feed on a real socket. Pages are sent in order; when there are none left, a request is held
 * back until one is added.
 */
async function startFeed(t: TestContext) {
  const asked: { after: string | null; prefer: string | undefined }[] = []
  const pages: (object | number)[] = []
  const held: ServerResponse[] = []
  const answer = (response: ServerResponse, page: object | number) => {
    if (typeof page === 'number') response.writeHead(page).end()
    else response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(page))
  }
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x')
    asked.push({ after: url.searchParams.get('after'), prefer: request.headers.prefer as string | undefined })
    const page = pages.shift()
    if (page === undefined) held.push(response)
    else answer(response, page)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const give = (page: object | number) => {
    const response = held.shift()
    if (response === undefined) pages.push(page)
    else answer(response, page)
  }
  return { url: `http://127.0.0.1:${port}/feed`, asked, held, give }
}

const page = (position: number, entries: object[] = [], asOf = seconds()) => ({
  cursor: `epoch.${position}`,
  as_of: asOf,
  snapshot: position === 0,
  entries,
})

function start(t: TestContext, url: string, revocation: object = {}) {
  const reports: FeedReport[] = []
  const options: GuardOptions = {
    issuer,
    audience: 'api',
    keys: key,
    revocation: { url, onFeed: (report: FeedReport) => reports.push(report), ...revocation },
  }
  const guard = createGuard(options)
  t.after(() => guard.close())
  return { guard, reports }
}

const token = (claims: object = {}) =>
  sign({ sub: 'u', sid: 's-1', ver: 1, ...claims }, key, { issuer, audience: 'api', expiresIn: '15m', typ: 'at+jwt' })

async function standing(guard: ReturnType<typeof start>['guard'], text: string): Promise<string> {
  try {
    await guard.authenticate({ headers: { authorization: `Bearer ${text}` } })
    return 'accepted'
  } catch (error) {
    return (error as GuardError).code
  }
}

async function eventually(expected: string, ask: () => Promise<string>): Promise<void> {
  for (let i = 0; i < 300 && (await ask()) !== expected; i += 1) await delay(10)
  assert.equal(await ask(), expected)
}

test('feed: nothing is fetched before the first request, which awaits the snapshot; later ones do not get a promise', async (t) => {
  const feed = await startFeed(t)
  const { guard } = start(t, feed.url)
  await delay(50)
  assert.equal(feed.asked.length, 0)
  feed.give(page(0, [{ kind: 'sid', sid: 's-1', until: until() }]))
  assert.equal(await standing(guard, token()), 'token_revoked')
  assert.deepEqual(feed.asked[0], { after: null, prefer: undefined })
  const other = guard.authenticate({ headers: { authorization: `Bearer ${token({ sid: 's-2' })}` } })
  assert.ok(!(other instanceof Promise), 'synchronous once the snapshot is complete')
})

test('feed: each revocation applies when the held-back response arrives, and the cursor is sent with the next request', async (t) => {
  const feed = await startFeed(t)
  feed.give(page(0))
  const { guard } = start(t, feed.url)
  assert.equal(await standing(guard, token()), 'accepted')
  await eventually('1', async () => String(feed.held.length))
  assert.deepEqual(feed.asked[1], { after: 'epoch.0', prefer: 'wait=25' })
  feed.give(page(1, [{ kind: 'ver', subject: subjectKey(issuer, 'u'), ver: 2, until: until() }]))
  await eventually('token_stale', () => standing(guard, token()))
  assert.equal(await standing(guard, token({ ver: 2 })), 'accepted')
  feed.give(page(2, [{ kind: 'kid', kid: key.kid, until: until() }]))
  await eventually('token_stale', () => standing(guard, token({ ver: 2 })))
  await eventually('epoch.2', async () => String(feed.asked.at(-1)?.after))
})

test('feed: a failed request is repeated with a growing pause, and the known revocations are kept', async (t) => {
  const feed = await startFeed(t)
  feed.give(page(0, [{ kind: 'sid', sid: 'gone', until: until() }]))
  for (const status of [500, 503]) feed.give(status)
  feed.give(page(1, [{ kind: 'sid', sid: 's-1', until: until() }]))
  const { guard, reports } = start(t, feed.url)
  assert.equal(await standing(guard, token({ sid: 'gone' })), 'token_revoked')
  await eventually('token_revoked', () => standing(guard, token()))
  assert.deepEqual(
    reports.map(({ entries, failures }) => [entries, failures]),
    [
      [1, 0],
      [undefined, 1],
      [undefined, 2],
      [1, 0],
    ],
  )
})

test('feed: without a first snapshot the response is 503 with Retry-After, never 401; whenStale: allow accepts tokens', async (t) => {
  const feed = await startFeed(t)
  for (let i = 0; i < 20; i += 1) feed.give(503)
  const strict = start(t, feed.url)
  const refused = async () => strict.guard.authenticate({ headers: { authorization: `Bearer ${token()}` } })
  const error = await refused().then(
    () => assert.fail('was let in'),
    (thrown: GuardError) => thrown,
  )
  assert.deepEqual([error.status, error.code], [503, 'revocation_unavailable'])
  assert.ok(Number(error.headers['Retry-After']) > 0)
  const lenient = start(t, feed.url, { whenStale: 'allow' })
  assert.equal(await standing(lenient.guard, token()), 'accepted')
})

test('feed: a page is not used if the issuer has not read its store for longer than staleAfter', async (t) => {
  const feed = await startFeed(t)
  feed.give(page(0, [], seconds() - 120))
  feed.give(page(1, [], seconds() - 10))
  const { guard } = start(t, feed.url)
  await eventually('accepted', () => standing(guard, token()))
  const old = await startFeed(t)
  old.give(page(0, [], seconds() - 120))
  assert.equal(await standing(start(t, old.url).guard, token()), 'revocation_unavailable')
})

test('feed: a response that is not a page is a failure and changes nothing', async (t) => {
  for (const wrong of [{}, { cursor: 1, as_of: 0, entries: [] }, { cursor: 'a', as_of: 0, entries: [{ kind: 'x' }] }]) {
    const feed = await startFeed(t)
    feed.give(wrong)
    const { guard, reports } = start(t, feed.url)
    assert.equal(await standing(guard, token()), 'revocation_unavailable')
    assert.ok(reports[0]?.error instanceof Error)
  }
})

test('feed: an entry of an unknown kind makes the request fail: the cursor stays, and known entries apply', async (t) => {
  const feed = await startFeed(t)
  feed.give(page(0))
  const { guard, reports } = start(t, feed.url)
  assert.equal(await standing(guard, token()), 'accepted')
  const entries = [
    { kind: 'sid', sid: 's-1', until: until() },
    { kind: 'newer', name: 'x', until: until() },
    { kind: 'sid', sid: 's-2', until: until() },
  ]
  feed.give(page(1, entries))
  await eventually('token_revoked', () => standing(guard, token()))
  assert.equal(await standing(guard, token({ sid: 's-2' })), 'accepted', 'the entries after it are not read')
  await eventually('3', async () => String(feed.asked.length))
  assert.equal(feed.asked[2]?.after, 'epoch.0', 'the same page is requested again')
  assert.deepEqual([reports.at(-1)?.failures, reports.at(-1)?.entries], [1, undefined])
  assert.match(String(reports.at(-1)?.error), /a newer issuer may send others/)
  feed.give(
    page(
      1,
      entries.filter(({ kind }) => kind === 'sid'),
    ),
  )
  await eventually('token_revoked', () => standing(guard, token({ sid: 's-2' })))
  assert.equal(reports.at(-1)?.failures, 0)
})

test('feed: one entry ends all sessions of a subject except one, and a later log-in is accepted', async (t) => {
  const feed = await startFeed(t)
  feed.give(page(0))
  const { guard } = start(t, feed.url)
  assert.equal(await standing(guard, token()), 'accepted')
  const entry = { kind: 'sub', subject: subjectKey(issuer, 'u'), below: 2, except: 's-2', until: until() }
  feed.give(page(1, [entry]))
  await eventually('token_revoked', () => standing(guard, token()))
  assert.equal(await standing(guard, token({ ver: undefined })), 'token_revoked')
  assert.equal(await standing(guard, token({ sid: 's-2' })), 'accepted')
  assert.equal(await standing(guard, token({ sid: 's-3', ver: 2 })), 'accepted')
})

test('feed: no request is accepted before the last page of the first snapshot, and a failure resumes at the same page', async (t) => {
  const feed = await startFeed(t)
  feed.give({ ...page(0, [{ kind: 'sid', sid: 'a', until: until() }]), more: true })
  feed.give(503)
  feed.give({ ...page(1, [{ kind: 'sid', sid: 'b', until: until() }]), more: true })
  const { guard } = start(t, feed.url)
  assert.equal(await standing(guard, token({ sid: 'z' })), 'revocation_unavailable')
  await eventually('1', async () => String(feed.held.length))
  assert.equal(await standing(guard, token({ sid: 'z' })), 'revocation_unavailable')
  assert.deepEqual(
    feed.asked.map(({ after, prefer }) => [after, prefer]),
    [
      [null, undefined],
      ['epoch.0', undefined],
      ['epoch.0', undefined],
      ['epoch.1', undefined],
    ],
  )
  feed.give(page(2, [{ kind: 'sid', sid: 'c', until: until() }]))
  await eventually('accepted', () => standing(guard, token({ sid: 'z' })))
  for (const sid of ['a', 'b', 'c']) assert.equal(await standing(guard, token({ sid })), 'token_revoked')
})

test('feed: the first requests wait for all pages of the first snapshot', async (t) => {
  const feed = await startFeed(t)
  feed.give({ ...page(0), more: true })
  feed.give({ ...page(1), more: true })
  feed.give(page(2, [{ kind: 'sid', sid: 's-1', until: until() }]))
  const { guard } = start(t, feed.url)
  assert.equal(await standing(guard, token()), 'token_revoked')
})

test('feed: an empty page with more does not cause requests without a pause', async (t) => {
  const feed = await startFeed(t)
  for (let i = 0; i < 100; i += 1) feed.give({ ...page(0), more: true })
  const { guard } = start(t, feed.url)
  void standing(guard, token())
  await delay(500)
  assert.ok(feed.asked.length < 10, String(feed.asked.length))
})

test('feed: an issuer that is too busy for a snapshot does not cause 503 before the known state is stale', async (t) => {
  const feed = await startFeed(t)
  feed.give(page(0, [{ kind: 'sid', sid: 'gone', until: until() }]))
  for (let i = 0; i < 20; i += 1) feed.give(503)
  const { guard, reports } = start(t, feed.url)
  assert.equal(await standing(guard, token()), 'accepted')
  await eventually('true', async () => String((reports.at(-1)?.failures ?? 0) >= 2))
  assert.equal(await standing(guard, token()), 'accepted')
  assert.equal(await standing(guard, token({ sid: 'gone' })), 'token_revoked')
})

test('feed: a compressed page is decompressed, and one that exceeds the limit is a failure', async (t) => {
  const bodies = [gzipSync(JSON.stringify(page(0, [{ kind: 'sid', sid: 's-1', until: until() }])))]
  bodies.push(gzipSync(Buffer.alloc(32 * 1024 * 1024, ' ')))
  const server = createServer((request, response) => {
    assert.equal(request.headers['accept-encoding'], 'gzip')
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(bodies.shift())
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  const { guard, reports } = start(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  assert.equal(await standing(guard, token()), 'token_revoked')
  await eventually('true', async () => String(reports.length > 1))
  assert.match(String(reports[1]?.error), /ERR_BUFFER_TOO_LARGE|larger|Cannot create/)
})

test('feed: a redirect is not followed', async (t) => {
  const feed = await startFeed(t)
  feed.give(302)
  const { guard } = start(t, feed.url)
  assert.equal(await standing(guard, token()), 'revocation_unavailable')
  assert.equal(feed.asked.length, 1)
})

test('feed: the report says that the metadata of the issuer names no feed', async (t) => {
  const server = createServer((_request, response) => {
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    response.end(JSON.stringify({ issuer: base, jwks_uri: `${base}/jwks` }))
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  t.after(() => server.close())
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const reports: FeedReport[] = []
  const revocation = { onFeed: (report: FeedReport) => reports.push(report) }
  const guard = createGuard({ issuer: base, audience: 'api', keys: key, revocation })
  t.after(() => guard.close())
  const text = sign({ sub: 'u' }, key, { issuer: base, audience: 'api', expiresIn: '15m', typ: 'at+jwt' })
  assert.equal(await standing(guard, text), 'revocation_unavailable')
  assert.match(String(reports[0]?.error), /write revocation: null/)
})

test('feed: while the metadata is not available, the feed is read at its last URL', async (t) => {
  let metadata = 0
  let down = false
  const asked: (string | null)[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x')
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    if (url.pathname !== '/feed') {
      metadata += 1
      return down
        ? response.writeHead(500).end()
        : response.end(JSON.stringify({ issuer: base, jwks_uri: `${base}/jwks`, revocation_uri: `${base}/feed` }))
    }
    asked.push(url.searchParams.get('after'))
    if (asked.length === 1) down = true
    // The second one fails, and with it the metadata.
    if (asked.length === 2) return response.writeHead(500).end()
    if (asked.length > 3) return undefined
    return response.end(
      JSON.stringify(page(asked.length, asked.length === 3 ? [{ kind: 'sid', sid: 's-1', until: until() }] : [])),
    )
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const guard = createGuard({ issuer: base, audience: 'api', keys: key, revocation: {} })
  t.after(() => guard.close())
  const text = sign({ sub: 'u', sid: 's-1' }, key, { issuer: base, audience: 'api', expiresIn: '15m', typ: 'at+jwt' })
  assert.equal(await standing(guard, text), 'accepted')
  await eventually('token_revoked', () => standing(guard, text))
  assert.deepEqual(asked.slice(0, 3), [null, 'epoch.1', 'epoch.1'])
  assert.ok(metadata >= 1)
})

test('feed: a client is an id and a secret, and the issuer must have a token endpoint', async () => {
  const secret = 'sws_not-to-be-repeated'
  const made = (client: unknown, options: object = {}) =>
    createGuard({
      issuer,
      audience: 'api',
      keys: key,
      revocation: { url: 'https://x.example/feed', client } as object,
      ...options,
    })
  await made({ id: 'cli_1', secret }).close()
  for (const wrong of [
    null,
    'x',
    {},
    { id: 'cli_1' },
    { id: '', secret },
    { id: 'cli_1', secret: 7 },
    { id: 'cli_1', secret, x: 'y' },
  ]) {
    assert.throws(
      () => made(wrong),
      (error: Error) =>
        error instanceof TypeError &&
        /revocation.client must be/.test(error.message) &&
        !error.message.includes(secret),
    )
  }
  assert.throws(() => made({ id: 'cli_1', secret }, { issuer: 'not a URL' }), /token endpoint/)
})

test('feed: a guard pauses if the issuer returns empty pages immediately', async (t) => {
  let asked = 0
  const server = createServer((_request, response) => {
    asked += 1
    response.end(JSON.stringify({ cursor: `e.${asked}`, as_of: Math.floor(Date.now() / 1000), entries: [] }))
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/feed`
  const guard = createGuard({ issuer: 'https://auth.example.com', audience: 'api', keys: key, revocation: { url } })
  const text = sign({ sub: 'u' }, key, {
    issuer: 'https://auth.example.com',
    audience: 'api',
    expiresIn: '15m',
    typ: 'at+jwt',
  })
  assert.equal(await standing(guard, text), 'accepted')
  await new Promise((later) => setTimeout(later, 600))
  await guard.close()
  assert.ok(asked > 1 && asked < 10, `${asked} requests`)
})

test('feed: the error of a token endpoint is reported without the secret', async (t) => {
  const secret = 'sws_not-to-be-repeated'
  const answers: [status: number, body: string, told: RegExp][] = [
    [
      401,
      '{"error":"invalid_client","error_description":"sws_not-to-be-repeated"}',
      /responded with 401 invalid_client$/,
    ],
    [400, `{"error":"<${secret}>"}`, /responded with 400$/],
    [200, secret, /returned no token$/],
    [200, '{"access_token":"a b","expires_in":900}', /returned no token$/],
    [200, 'x'.repeat(100_000), /larger than/],
  ]
  for (const [status, body, told] of answers) {
    const server = createServer((request, response) => {
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      if (request.url === '/token') response.writeHead(status).end(body)
      else response.end(JSON.stringify({ issuer: base, jwks_uri: `${base}/jwks`, token_endpoint: `${base}/token` }))
    })
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const reports: FeedReport[] = []
    const onFeed = (report: FeedReport) => reports.push(report)
    const revocation = { url: `${base}/feed`, client: { id: 'cli_1', secret }, onFeed }
    const guard = createGuard({ issuer: base, audience: 'api', keys: key, revocation })
    const text = sign({ sub: 'u' }, key, { issuer: base, audience: 'api', expiresIn: '15m', typ: 'at+jwt' })
    assert.equal(await standing(guard, text), 'revocation_unavailable')
    await guard.close()
    assert.match(String(reports[0]?.error), told)
    assert.ok(!inspect(reports).includes(secret))
  }
})

test('feed: close stops the requests', async (t) => {
  const feed = await startFeed(t)
  feed.give(page(0))
  const { guard } = start(t, feed.url)
  assert.equal(await standing(guard, token()), 'accepted')
  await eventually('1', async () => String(feed.held.length))
  const gone = new Promise((resolve) => feed.held[0]?.on('close', resolve))
  await guard.close()
  await gone
  assert.equal(feed.asked.length, 2)
})

test('feed: a process that has nothing else to do ends although a request is held back', async (t) => {
  const feed = await startFeed(t)
  feed.give(page(0))
  const script = join(import.meta.dirname, 'feed-idle-process.ts')
  const run = promisify(execFile)(process.execPath, ['--conditions=@sealwax/source', script, feed.url], {
    timeout: 15_000,
  })
  const { stdout } = await run
  assert.equal(stdout, 'accepted\n')
})
