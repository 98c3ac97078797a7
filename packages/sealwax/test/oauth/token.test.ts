import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { unsafeDecode } from '@sealwax/jwt'
import { HOUR, MINUTE, sendRaw, standing } from '../server.ts'
import { assertOAuthError, basic, type Credentials, type OAuthReply, type OAuthServer, startOAuth } from './oauth.ts'

let server: OAuthServer
let machine: Credentials

before(async () => {
  server = await startOAuth()
  machine = await server.machine('orders:read', 'orders:write')
})
after(() => server[Symbol.asyncDispose]())

const credentials = { grant_type: 'client_credentials' }
const token = (form: string | Record<string, string>, as?: Credentials, headers?: Record<string, string>) =>
  server.post('/oauth/token', form, as, headers)
const refresh = (refresh_token: string, more: Record<string, string> = {}) =>
  token({ grant_type: 'refresh_token', refresh_token, ...more })

function claimsOf(reply: OAuthReply): Record<string, unknown> {
  return unsafeDecode(reply.body.access_token as string).payload
}

describe('the client_credentials grant', () => {
  it('returns an access token with the claims of RFC 9068 and no refresh token, with no-store', async () => {
    const reply = await token(credentials, machine)
    assert.deepEqual(
      [reply.status, reply.headers.get('Cache-Control'), reply.headers.get('Pragma')],
      [200, 'no-store', 'no-cache'],
    )
    const { access_token, ...rest } = reply.body
    assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 900, scope: 'orders:read orders:write' })
    const { header, payload } = unsafeDecode(access_token as string)
    const { sid, jti, iat, exp, ver, ...claims } = payload
    assert.equal(header.typ, 'at+jwt')
    assert.deepEqual(claims, {
      ...{ iss: server.url, aud: 'api', sub: machine.id, client_id: machine.id },
      scope: 'orders:read orders:write',
    })
    const now = Math.floor(server.clock.time / 1000)
    assert.deepEqual([iat, exp, ver], [now, now + 900, now])
    assert.match(`${sid} ${jti}`, /^[\w-]{22} [\w-]{22}$/)
    const again = claimsOf(await token(credentials, machine))
    assert.ok(again.sid !== sid && again.jti !== jti, 'each token has its own sid and jti')
  })

  it('grants the requested scopes, all if none are requested, and refuses scopes that the client does not have', async () => {
    const scopeOf = async (scope: string) => {
      const reply = await token({ ...credentials, scope }, machine)
      assert.equal(reply.body.scope, claimsOf(reply).scope)
      return reply.body.scope
    }
    assert.equal(await scopeOf('orders:write'), 'orders:write')
    assert.equal(await scopeOf('orders:write orders:read orders:write'), 'orders:write orders:read')
    assert.equal(await scopeOf(''), 'orders:read orders:write')
    const bare = await token(credentials, await server.machine())
    assert.deepEqual([bare.status, 'scope' in bare.body, 'scope' in claimsOf(bare)], [200, false, false])
    for (const scope of [
      'admin',
      'orders:read admin',
      'orders',
      'orders:read  orders:write',
      ' orders:read',
      'ORDERS:READ',
      'a\tb',
      '"',
    ]) {
      assertOAuthError(await token({ ...credentials, scope }, machine), [400, 'invalid_scope'], scope)
    }
  })

  it('accepts Basic in any letter case with form-encoded credentials, and credentials in the body', async () => {
    const escaped = [machine.id, machine.secret].map((text) =>
      [...text].map((character) => `%${character.charCodeAt(0).toString(16)}`).join(''),
    )
    const everyLetter = Buffer.from(escaped.join(':')).toString('base64')
    for (const Authorization of [basic(machine).Authorization.replace('Basic', 'bAsIc'), `Basic ${everyLetter}`]) {
      assert.equal((await token(credentials, undefined, { Authorization })).status, 200)
    }
    const inBody = { client_id: machine.id, client_secret: machine.secret }
    assert.equal((await token({ ...credentials, ...inBody })).status, 200)
    assert.equal(
      (await token({ ...credentials, client_id: machine.id }, machine)).status,
      200,
      'the same client_id twice',
    )
    assert.equal(
      (await token({ ...credentials, client_secret: '' }, machine)).status,
      200,
      'an empty parameter counts as left out',
    )
  })

  it('every failed authentication gets invalid_client and a challenge', async () => {
    const disabled = await server.machine()
    await server.auth.clients.disable(disabled.id)
    const other = await server.machine()
    const unknown = { id: `cli_${'A'.repeat(22)}`, secret: machine.secret }
    const cases: [
      name: string,
      as: Credentials | undefined,
      form?: Record<string, string>,
      headers?: Record<string, string>,
    ][] = [
      ['nothing', undefined],
      ['only a client_id', undefined, { client_id: machine.id }],
      ['an invalid client_id', undefined, { client_id: 'somebody' }],
      ['a wrong secret', { ...machine, secret: other.secret }],
      ['a secret cut short', { ...machine, secret: machine.secret.slice(0, -1) }],
      ['no secret', { ...machine, secret: '' }],
      ['an unknown client', unknown],
      ['a disabled client', disabled],
      ['the client_id in capitals', { ...machine, id: machine.id.toUpperCase() }],
      ['the first-party client with a secret', { ...machine, id: 'sealwax' }],
      ['a NUL in the client_id', { ...machine, id: `${machine.id}%00` }],
      ['SQL', { ...machine, id: '%27 or 1=1 --' }],
      ['a very long client_id', { ...machine, id: 'x'.repeat(5000) }],
      ['a wrong secret in the body', undefined, { client_id: machine.id, client_secret: 'x' }],
      ['an assertion', undefined, { client_id: machine.id, client_assertion: 'x', client_assertion_type: 'y' }],
      ['a Bearer token', undefined, {}, { Authorization: `Bearer ${await server.tokenOf(machine)}` }],
      ['Basic without anything', undefined, {}, { Authorization: 'Basic' }],
      ['Basic that is not base64', undefined, {}, { Authorization: 'Basic !!!' }],
      ['Basic without a colon', undefined, {}, { Authorization: `Basic ${Buffer.from('x').toString('base64')}` }],
      ['Basic with a lone percent', { id: '%', secret: '%' }],
      [
        'two Basics',
        undefined,
        {},
        { Authorization: `${basic(machine).Authorization}, ${basic(machine).Authorization}` },
      ],
    ]
    for (const [name, as, form = {}, headers] of cases) {
      const reply = await token({ ...credentials, ...form }, as, headers)
      assertOAuthError(reply, [401, 'invalid_client'], name)
      assert.equal(reply.headers.get('WWW-Authenticate'), 'Basic realm="sealwax", charset="UTF-8"', name)
    }
  })

  it('unknown clients, disabled clients and wrong secrets get exactly the same response', async () => {
    const disabled = await server.machine()
    await server.auth.clients.disable(disabled.id)
    const attempts = [
      { id: `cli_${'A'.repeat(22)}`, secret: 'x' },
      disabled,
      { ...machine, secret: 'x' },
      { id: 'nobody', secret: 'x' },
    ]
    const answers = new Set<string>()
    for (const as of attempts) {
      const { status, body, headers } = await token(credentials, as)
      const shown = [...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id')
      answers.add(JSON.stringify([status, { ...body, request_id: '' }, shown]))
    }
    assert.equal(answers.size, 1)
  })

  it('failed authentications are audited with their reason', async () => {
    await using own = await startOAuth()
    const { id } = await own.machine()
    await own.post('/oauth/token', credentials, { id, secret: 'x' })
    await own.post('/oauth/token', credentials, { id: 'somebody', secret: 'x' })
    const { data } = await own.auth.audit.list({ type: 'client.authentication_failed' })
    assert.deepEqual(
      data.map((event) => [event.subject, event.data, event.ip]),
      [
        [undefined, { reason: 'unknown_client' }, '127.0.0.1'],
        [id, { reason: 'wrong_secret' }, '127.0.0.1'],
      ],
    )
  })
})

describe('the refresh_token grant', () => {
  it('behaves like POST /refresh: a retry gets the same successor, a replay ends the session with a reason', async () => {
    const { refresh_token: first, session } = await server.auth.sessions.create({ subject: 'ann' })
    const second = await refresh(first, { client_id: 'sealwax' })
    assert.deepEqual([second.status, second.body.token_type], [200, 'Bearer'])
    assert.equal((await refresh(first)).body.refresh_token, second.body.refresh_token)
    assert.equal(claimsOf(second).client_id, 'sealwax')
    server.clock.advance(MINUTE)
    const third = await refresh(second.body.refresh_token as string)
    const replay = await refresh(first)
    assertOAuthError(replay, [400, 'invalid_grant'])
    assert.equal(replay.body.reason, 'replayed')
    assert.equal(await standing(server.auth, third.body.access_token as string), 'token_revoked')
    assert.equal((await refresh(third.body.refresh_token as string)).body.reason, 'session_revoked')
    assert.equal(
      (await server.auth.sessions.list('ann')).some(({ id }) => id === session.id),
      false,
    )
  })

  it('narrows the scope of one access token; a wider scope is refused and does not use up the token', async () => {
    const { refresh_token } = await server.auth.sessions.create({ subject: 'bob', scope: 'a b c' })
    for (const scope of ['d', 'a d', 'A', 'a  b']) {
      assertOAuthError(await refresh(refresh_token, { scope }), [400, 'invalid_scope'], scope)
    }
    const narrowed = await refresh(refresh_token, { scope: 'c a' })
    assert.deepEqual([narrowed.body.scope, claimsOf(narrowed).scope], ['c a', 'c a'])
    const whole = await refresh(narrowed.body.refresh_token as string)
    assert.deepEqual([whole.body.scope, claimsOf(whole).scope], ['a b c', 'a b c'])
    const unscoped = await server.auth.sessions.create({ subject: 'bob' })
    assertOAuthError(await refresh(unscoped.refresh_token, { scope: 'a' }), [400, 'invalid_scope'])
    assert.equal((await refresh(unscoped.refresh_token)).status, 200)
  })

  it('an invalid scope does not hide a replay: the session ends', async () => {
    const { refresh_token: first, session } = await server.auth.sessions.create({ subject: 'kim', scope: 'a' })
    const second = (await refresh(first)).body.refresh_token as string
    server.clock.advance(MINUTE)
    const third = await refresh(second)
    const replay = await refresh(first, { scope: 'zzz' })
    assertOAuthError(replay, [400, 'invalid_grant'])
    assert.equal(replay.body.reason, 'replayed')
    assert.equal(await standing(server.auth, third.body.access_token as string), 'token_revoked')
    const { data } = await server.auth.audit.list({ type: 'session.replay_detected', limit: 1 })
    assert.equal(data[0]?.sessionId, session.id)
  })

  it('refuses invalid and expired refresh tokens with a reason', async () => {
    const { refresh_token, access_token } = await server.auth.sessions.create({ subject: 'eve' })
    for (const bad of [
      access_token,
      `${refresh_token}x`,
      refresh_token.slice(0, -1),
      'swr_',
      ' ',
      '\u0000',
      'x'.repeat(9000),
    ]) {
      const reply = await refresh(bad)
      assertOAuthError(reply, [400, 'invalid_grant'])
      assert.equal(reply.body.reason, 'malformed')
    }
    server.clock.advance(24 * 15 * HOUR)
    const late = await refresh(refresh_token)
    server.clock.advance(-24 * 15 * HOUR)
    assert.equal(late.body.reason, 'expired')
  })

  it('is refused for API clients, and never reads the cookie', async () => {
    const { refresh_token } = await server.auth.sessions.create({ subject: 'ann' })
    const form = { grant_type: 'refresh_token', refresh_token }
    assertOAuthError(await token(form, machine), [400, 'unauthorized_client'])
    assertOAuthError(await token({ ...form, client_id: machine.id }), [401, 'invalid_client'])
    assertOAuthError(await token({ ...credentials, client_id: 'sealwax' }), [400, 'unauthorized_client'])
    const cookie = { Cookie: `sealwax=${refresh_token}`, 'Sec-Fetch-Site': 'same-origin' }
    assertOAuthError(await token({ grant_type: 'refresh_token' }, undefined, cookie), [400, 'invalid_request'])
    assert.equal((await refresh(refresh_token)).status, 200, 'none of this affected the session')
  })
})

it('a form in chunked encoding, without Content-Length, is read like any other', async () => {
  const body = new URLSearchParams(credentials).toString()
  const head = `POST /oauth/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${basic(machine).Authorization}\r\n`
  const type = 'Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n'
  const port = Number(new URL(server.url).port)
  const answer = await sendRaw(port, `${head}${type}\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)
  assert.match(answer, /^HTTP\/1\.1 200/)
})
