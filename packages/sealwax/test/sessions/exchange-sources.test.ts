import assert from 'node:assert/strict'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { describe, it } from 'node:test'
import { exportJwk, generateKey, importKey, type JwtPayload, sign, unsafeDecode } from '@sealwax/jwt'
import type { AuthOptions, OldSession } from '../../src/index.ts'
import { assertProblem, HOUR, listen, MINUTE, PASSWORD, SECOND, type Started, standing, startAuth } from '../server.ts'

const UNTIL = '2026-03-31'
const PHONE = { 'User-Agent': 'Phone/1.0' }
const HERE = { 'Sec-Fetch-Site': 'same-origin' }

/** An older issuer on loopback, with metadata and a JWK Set. */
async function startOlderIssuer() {
  const key = await generateKey('ES256')
  const server = await listen((request, response) => {
    response.setHeader('Content-Type', 'application/json')
    const metadata = { issuer: server.url, jwks_uri: `${server.url}/jwks` }
    response.end(JSON.stringify(request.url === '/jwks' ? { keys: [exportJwk(key.publicKey)] } : metadata))
  })
  const token = (now: number, claims: JwtPayload, audience = 'api') =>
    sign(claims, key, { issuer: server.url, audience, typ: 'JWT', expiresIn: '1h', currentDate: new Date(now) })
  return { url: server.url, token, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

async function withAnn(options: Partial<AuthOptions>): Promise<Started> {
  const server = await startAuth(options)
  await server.auth.users.create({ id: 'ann', email: 'ann@example.com', password: PASSWORD, roles: ['teacher'] })
  server.clock.advance(HOUR)
  return server
}

/** A server with its own users. Their older sessions are in `sessions`, their ids in a cookie. */
async function startWithCookies(options: Partial<AuthOptions> = {}) {
  const sessions = new Map<string, OldSession>()
  const read = async (request: Request) => {
    const value = /(?:^|; )connect\.sid=s%3A([^;]*)/.exec(request.headers.get('Cookie') ?? '')?.[1]
    const [id = '', signature = ''] = decodeURIComponent(value ?? '').split('.')
    const valid = timingSafeEqual(Buffer.from(signatureOf(id)), Buffer.from(signature.padEnd(43).slice(0, 43)))
    return valid ? sessions.get(id) : undefined
  }
  const server = await startAuth({ exchange: { until: UNTIL, read }, ...options })
  const now = server.clock.time / SECOND
  sessions.set('s-1', { id: 's-1', subject: 'user-7', issuedAt: now - 3600, roles: ['teacher'], amr: ['pwd'] })
  return { server, sessions, cookie: cookieOf('s-1') }
}

function signatureOf(id: string): string {
  return createHmac('sha256', 'the secret of express-session').update(id).digest('base64').replace(/=+$/, '')
}

function cookieOf(id: string): string {
  return `theme=dark; connect.sid=s%3A${encodeURIComponent(`${id}.${signatureOf(id)}`)}`
}

function exchange(server: Started, headers: Record<string, string>, json: object = {}) {
  return server.call('/login/exchange', { method: 'POST', json, headers: { ...PHONE, ...headers } })
}

function bearer(token: string) {
  return { Authorization: `Bearer ${token}` }
}

describe('the exchange of tokens of another issuer', () => {
  it('accepts a token whose keys come from a JWK Set, and keeps when and how the user logged in', async () => {
    await using older = await startOlderIssuer()
    const issuers = [{ issuer: older.url, until: UNTIL, revocation: null }]
    await using server = await withAnn({ issuers, exchange: { until: UNTIL } })
    const auth_time = Math.floor((server.clock.time - 20 * MINUTE) / SECOND)
    const claims = { sub: 'ann', sid: 'old-1', auth_time, amr: ['pwd', 'otp'], roles: ['sealwax:admin'], scope: 'all' }
    const reply = await exchange(server, bearer(older.token(server.clock.time, claims)))
    assert.equal(reply.status, 200, reply.text)
    const { payload } = unsafeDecode(reply.body.access_token)
    assert.deepEqual([payload.auth_time, payload.amr], [auth_time, ['pwd', 'otp']])
    assert.deepEqual([payload.roles, payload.scope], [['teacher'], undefined], 'nothing else is taken from the token')
    const event = server.events.find(({ type }) => type === 'session.exchanged')
    assert.deepEqual(event?.data, { issuer: older.url })
  })

  it('counts all tokens of one older session as one', async () => {
    await using older = await startOlderIssuer()
    const issuers = [{ issuer: older.url, until: UNTIL, revocation: null }]
    await using server = await withAnn({ issuers, exchange: { until: UNTIL } })
    const token = (jti: string) => bearer(older.token(server.clock.time, { sub: 'ann', sid: 'old-1', jti }))
    const first = await exchange(server, token('a'))
    assert.equal((await exchange(server, token('b'))).body.refresh_token, first.body.refresh_token, 'a repetition')
    await server.auth.sessions.revoke(first.body.session.id)
    assertProblem(await exchange(server, token('c')), [403, 'exchange_refused'])
  })

  it('distinguishes tokens without sid by jti, also those of different issuers', async () => {
    await using older = await startOlderIssuer()
    await using another = await startOlderIssuer()
    const issuers = [older, another].map(({ url }) => ({ issuer: url, until: UNTIL, revocation: null }))
    await using server = await withAnn({ issuers, exchange: { until: UNTIL } })
    const ids = new Set<string>()
    for (const { token } of [older, another]) {
      for (const jti of ['a', 'b', 'a']) {
        const reply = await exchange(server, bearer(token(server.clock.time, { sub: 'ann', jti })))
        ids.add(reply.body.session.id)
      }
    }
    assert.equal(ids.size, 4)
  })

  it('refuses what the guard refuses: another audience, an expired token, a foreign key, no token', async () => {
    await using older = await startOlderIssuer()
    await using stranger = await startOlderIssuer()
    const issuers = [
      { issuer: older.url, until: UNTIL, revocation: null, check: ({ subject = '' }) => subject !== 'bot' },
    ]
    await using server = await withAnn({ issuers, exchange: { until: UNTIL } })
    const now = server.clock.time
    const refusals = [
      [older.token(now, { sub: 'ann' }, 'another-api'), 401, 'token_audience_invalid'],
      [older.token(now - 2 * HOUR, { sub: 'ann' }), 401, 'token_expired'],
      [older.token(now, { sub: 'ann', type: 'refresh' }), 401, 'token_type_invalid'],
      [older.token(now, { sub: 'bot' }), 403, 'check_failed'],
      [older.token(now, { sub: `cli_${'a'.repeat(22)}` }), 422, 'validation_failed'],
      [stranger.token(now, { sub: 'ann' }), 401, 'token_key_unknown'],
    ] as const
    for (const [token, status, code] of refusals) assertProblem(await exchange(server, bearer(token)), [status, code])
    assertProblem(await exchange(server, {}), [401, 'token_missing'])
    assert.deepEqual(await server.auth.sessions.list('ann'), [])
  })

  it('refuses a token of this server, also if the older system has the same issuer', async () => {
    const octets = Buffer.from('an older secret of more than thirty-two octets')
    const issuer = 'http://127.0.0.1:5000'
    const issuers = [{ issuer, keys: importKey(octets, { alg: 'HS256' }), until: UNTIL }]
    await using server = await withAnn({ issuer, issuers, exchange: { until: UNTIL } })
    const own = await server.call('/login', { json: { email: 'ann@example.com', password: PASSWORD } })
    const refused = await exchange(server, bearer(own.body.access_token))
    assertProblem(refused, [403, 'exchange_refused'])
    assert.match(refused.body.detail, /issued by this server/)
    const options = {
      issuer,
      audience: 'api',
      typ: 'JWT',
      expiresIn: '1h',
      currentDate: new Date(server.clock.time),
    } as const
    const older = sign({ sub: 'ann' }, importKey(octets, { alg: 'HS256' }), options)
    assert.equal((await exchange(server, bearer(older))).status, 200)
  })

  it('refuses an unknown user and an administrator', async () => {
    await using older = await startOlderIssuer()
    const issuers = [{ issuer: older.url, until: UNTIL, revocation: null }]
    await using server = await withAnn({ issuers, exchange: { until: UNTIL } })
    await server.auth.users.setRoles('ann', ['teacher', 'sealwax:admin'])
    for (const [sub, sentence] of [
      ['bob', /no such user/],
      ['ann', /Administrators/],
    ] as const) {
      const reply = await exchange(server, bearer(older.token(server.clock.time, { sub })))
      assertProblem(reply, [403, 'exchange_refused'])
      assert.match(reply.body.detail, sentence)
    }
  })

  it('asks loadSubject: its roles are used, unknown users are refused, and an error is not final', async () => {
    await using older = await startOlderIssuer()
    const issuers = [{ issuer: older.url, until: UNTIL, revocation: null }]
    let fails = true
    const loadSubject = async (id: string) => {
      if (fails) throw new Error('away')
      return id === 'emp-1' ? { roles: ['staff'], claims: { tenant: 't1' } } : undefined
    }
    await using server = await startAuth({ issuers, exchange: { until: UNTIL }, loadSubject })
    const token = (sub: string) => bearer(older.token(server.clock.time, { sub, jti: sub }))
    assertProblem(await exchange(server, token('emp-1')), [503, 'temporarily_unavailable'])
    fails = false
    const { payload } = unsafeDecode((await exchange(server, token('emp-1'))).body.access_token)
    assert.deepEqual([payload.roles, payload.tenant], [['staff'], 't1'])
    assertProblem(await exchange(server, token('emp-2')), [403, 'user_disabled'])
  })
})

describe('the exchange of a cookie of an older system', () => {
  it('gives a page our cookie, and what read returned', async () => {
    const { server, cookie } = await startWithCookies()
    await using _ = server
    const reply = await exchange(server, { ...HERE, Cookie: cookie }, { mode: 'cookie' })
    assert.equal(reply.status, 200, reply.text)
    assert.equal(reply.body.refresh_token, undefined)
    const { payload } = unsafeDecode(reply.body.access_token)
    assert.deepEqual([payload.sub, payload.roles, payload.amr], ['user-7', ['teacher'], ['pwd']])
    assert.equal(payload.auth_time, server.clock.time / SECOND - 3600, 'the log-in to the older system')
    const ours = reply.headers.get('Set-Cookie')?.split(';')[0] ?? ''
    const refreshed = await server.call('/refresh', { json: {}, headers: { ...PHONE, ...HERE, Cookie: ours } })
    assert.equal(refreshed.status, 200)
  })

  it('a repetition with our cookie does not end the session, another older session does', async () => {
    const { server, sessions, cookie } = await startWithCookies()
    await using _ = server
    const send = (value: string) => exchange(server, { ...HERE, Cookie: value }, { mode: 'cookie' })
    const first = await send(cookie)
    const ours = first.headers.get('Set-Cookie')?.split(';')[0] ?? ''
    assert.equal((await send(`${cookie}; ${ours}`)).body.session.id, first.body.session.id)
    assert.equal(await standing(server.auth, first.body.access_token), 'accepted')
    sessions.set('s-2', { ...(sessions.get('s-1') as OldSession), id: 's-2' })
    assert.equal((await send(`${cookieOf('s-2')}; ${ours}`)).status, 200)
    assert.equal(await standing(server.auth, first.body.access_token), 'token_revoked')
  })

  it('refuses pages of other sites before read is called', async () => {
    const { server, cookie } = await startWithCookies()
    await using _ = server
    for (const headers of [{}, { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }]) {
      assertProblem(await exchange(server, { ...headers, Cookie: cookie }), [403, 'csrf_failed'])
    }
    assert.deepEqual(await server.auth.sessions.list('user-7'), [])
  })

  it('refuses a request without an older session, and one with a forged cookie', async () => {
    const { server, cookie } = await startWithCookies()
    await using _ = server
    for (const value of [cookie.slice(0, -2), 'theme=dark', cookie.replace('s-1', 's-9')]) {
      assertProblem(await exchange(server, { ...HERE, Cookie: value }), [403, 'exchange_refused'])
    }
  })

  it('goes on to the access token if there is no cookie', async () => {
    await using older = await startOlderIssuer()
    const { server } = await startWithCookies({ issuers: [{ issuer: older.url, until: UNTIL, revocation: null }] })
    await using _ = server
    await server.auth.users.create({ id: 'ann', email: 'ann@example.com', password: PASSWORD })
    assert.equal((await exchange(server, bearer(older.token(server.clock.time, { sub: 'ann' })))).status, 200)
  })

  it('an error of read is not final, and a wrong result is an error of the application', async () => {
    const answers: unknown[] = [new Error('away')]
    const read = async () => {
      const answer = answers[0]
      if (answer instanceof Error) throw answer
      return answer as OldSession
    }
    await using server = await startAuth({ exchange: { until: UNTIL, read } })
    assertProblem(await exchange(server, {}), [503, 'temporarily_unavailable'])
    const right = { id: 's-1', subject: 'user-7', issuedAt: new Date(server.clock.time - HOUR) }
    const wrong = [
      { ...right, id: '' },
      { ...right, id: 7 },
      { ...right, subject: 7 },
      { ...right, issuedAt: server.clock.time },
      { ...right, issuedAt: '2026-01-01' },
      { ...right, issuedAt: new Date(Number.NaN) },
      { ...right, roles: 'teacher' },
      { ...right, remember: 1 },
      { ...right, role: 'teacher' },
    ]
    for (const one of wrong) {
      answers[0] = one
      const reply = await server.call('/login/exchange', { method: 'POST', json: {}, headers: PHONE, fault: true })
      assertProblem(reply, [500, 'internal_error'], JSON.stringify(one))
    }
    answers[0] = { ...right, issuedAt: new Date(server.clock.time + 2 * MINUTE) }
    assertProblem(await exchange(server, {}), [403, 'exchange_refused'])
    answers[0] = null
    assertProblem(await exchange(server, {}), [403, 'exchange_refused'])
    answers[0] = right
    assert.equal((await exchange(server, {})).status, 200)
  })
})

describe('auth.sessions.exchange', () => {
  it('does the same for a route of the application', async () => {
    const { server, cookie } = await startWithCookies()
    await using _ = server
    const { exchange } = server.auth.sessions
    const request = new Request('http://127.0.0.1:5000/old-login', { headers: { ...PHONE, Cookie: cookie } })
    const tokens = await exchange(request, { device: 'd-1', remember: false, client: { ip: '203.0.113.7' } })
    assert.equal(tokens.session.remember, false)
    const again = new Request(request, { headers: { Cookie: cookie } })
    assert.equal((await exchange(again, { device: 'd-1' })).refresh_token, tokens.refresh_token, 'the same device')
    await assert.rejects(exchange(again, {}), { code: 'exchange_refused' })
    await assert.rejects(exchange(again, { subject: 'x' } as never), { code: 'validation_failed' })
    await assert.rejects(exchange({} as never), { code: 'validation_failed' })
  })

  it('is disabled without the option', async () => {
    await using server = await startAuth()
    assertProblem(await exchange(server, {}), [403, 'exchange_disabled'])
  })
})

describe('a lost reply of an exchange', () => {
  it('is repeated for the same client until it has used the refresh token, from another network too', async () => {
    const { server, cookie } = await startWithCookies({ trustProxy: 1 })
    await using _ = server
    const from = (address: string) => ({ ...HERE, Cookie: cookie, 'X-Forwarded-For': address })
    const first = await exchange(server, from('203.0.113.7'))
    server.clock.advance(23 * HOUR)
    const second = await exchange(server, from('198.51.100.7'))
    assert.equal(second.body.refresh_token, first.body.refresh_token)
    assert.equal(await standing(server.auth, second.body.access_token), 'accepted')
    await server.auth.sessions.revoke(second.body.session.id)
    assert.equal(await standing(server.auth, second.body.access_token), 'token_revoked', 'the later token, too')
  })

  it('is not repeated after refreshRecovery, nor after the refresh token was used', async () => {
    const { server, sessions, cookie } = await startWithCookies()
    await using _ = server
    const { body } = await exchange(server, { ...HERE, Cookie: cookie })
    assert.equal((await server.call('/refresh', { json: { refresh_token: body.refresh_token } })).status, 200)
    assertProblem(await exchange(server, { ...HERE, Cookie: cookie }), [403, 'exchange_refused'])
    assert.equal((await server.auth.sessions.list('user-7')).length, 1, 'the session continues')
    sessions.set('s-2', { ...(sessions.get('s-1') as OldSession), id: 's-2' })
    assert.equal((await exchange(server, { ...HERE, Cookie: cookieOf('s-2') })).status, 200)
    server.clock.advance(24 * HOUR)
    assertProblem(await exchange(server, { ...HERE, Cookie: cookieOf('s-2') }), [403, 'exchange_refused'])
  })
})
