import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { secretsOf } from '../../src/core/secrets.ts'
import { createAuth } from '../../src/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { DAY, HOUR, MINUTE, PASSWORD, SECRET, standing } from '../server.ts'
import { assertOAuthError, type Credentials, type OAuthServer, startOAuth } from './oauth.ts'

let server: OAuthServer
let asker: Credentials
let other: Credentials

before(async () => {
  server = await startOAuth()
  asker = await server.machine('introspect', 'x')
  other = await server.machine('x')
})
after(() => server[Symbol.asyncDispose]())

const session = (subject = 'ann') => server.auth.sessions.create({ subject, scope: 'a', roles: ['teacher'] })
const refresh = (refresh_token: string) => server.post('/oauth/token', { grant_type: 'refresh_token', refresh_token })
const stands = (token: string) => standing(server.auth, token)

async function introspect(token: string, as = asker): Promise<Record<string, unknown>> {
  const reply = await server.post('/oauth/introspect', { token }, as)
  assert.equal(reply.status, 200)
  return reply.body
}

async function revoke(token: string, as?: Credentials, more: Record<string, string> = {}): Promise<void> {
  const { status, text } = await server.post('/oauth/revoke', { token, ...more }, as)
  assert.deepEqual([status, text], [200, ''])
}

/**
 * Adds claims to an access token and signs it with the same key. `sign` of @sealwax/jwt refuses the
 * claim `cnf`.
 */
function withClaims(token: string, claims: Record<string, unknown>): string {
  const database = new DatabaseSync(server.file, { readOnly: true })
  const row = database.prepare('select kid, private_jwk from signing_keys').get()
  database.close()
  const { unwrap } = secretsOf([SECRET], () => assert.fail('nothing is wrapped here'))
  const key = unwrap(row?.private_jwk as Uint8Array, `signing_keys\0${row?.kid}\0private_jwk`)
  const [header = '', payload = ''] = token.split('.')
  const changed = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...claims }
  const input = `${header}.${Buffer.from(JSON.stringify(changed)).toString('base64url')}`
  const options = { key: JSON.parse(key.toString()), format: 'jwk', dsaEncoding: 'ieee-p1363' } as const
  return `${input}.${sign('sha256', Buffer.from(input), options).toString('base64url')}`
}

const garbage = [
  'x',
  ' ',
  'a.b.c',
  'swr_',
  'swr_AQ',
  'eyJ.eyJ.x',
  '\u0000',
  '\r\nX: y',
  'é'.repeat(50),
  'A, Bearer B',
  'x'.repeat(12_000),
  '__proto__',
]

describe('revocation', () => {
  it('a refresh token or an access token ends its session', async () => {
    for (const kind of ['refresh_token', 'access_token'] as const) {
      const tokens = await session()
      const kept = await session()
      await revoke(tokens[kind], undefined, { token_type_hint: 'nonsense', client_id: 'sealwax' })
      assert.equal(await stands(tokens.access_token), 'token_revoked', kind)
      assert.equal((await refresh(tokens.refresh_token)).body.reason, 'session_revoked', kind)
      assert.equal(await stands(kept.access_token), 'accepted', kind)
      await revoke(tokens[kind])
    }
    const { data } = await server.auth.audit.list({ type: 'session.ended', limit: 2 })
    assert.deepEqual(
      data.map((event) => event.data),
      [{ reason: 'logout' }, { reason: 'logout' }],
    )
  })

  it('the access token of a client is revoked without its other tokens', async () => {
    const [first, second] = [await server.tokenOf(other), await server.tokenOf(other)]
    await revoke(first, other)
    assert.deepEqual([await stands(first), await stands(second)], ['token_revoked', 'accepted'])
    await revoke(second, other)
    const { data } = await server.auth.audit.list({ type: 'client.token_revoked', limit: 5 })
    assert.deepEqual(
      data.map(({ subject, count }) => [subject, count]),
      [[other.id, 2]],
    )
  })

  it('an access token that is stale after a role change ends its session; one with a revoked key ends nothing', async () => {
    await using own = await startOAuth()
    const user = { email: 'ann@example.com', password: PASSWORD, roles: ['teacher'] }
    const { id } = await own.auth.users.create(user)
    const client = await own.machine()
    const begin = () => own.auth.sessions.create({ subject: id })
    const alive = async () => (await own.auth.sessions.list(id)).map((one) => one.id)
    const [first, kept] = [await begin(), await begin()]
    await own.auth.users.setRoles(id, ['admin'])
    const { access_token: token } = first
    assert.equal(await standing(own.auth, token), 'token_stale')
    const ask = (sent: string, as?: Credentials) => own.post('/oauth/revoke', { token: sent }, as)
    assert.equal((await ask(token, client)).status, 200)
    assert.equal((await ask(`${token.slice(0, -8)}AAAAAAAA`)).status, 200)
    assert.equal((await alive()).length, 2, 'neither an authenticated client nor a forged token ends a session')
    assert.deepEqual([(await ask(token)).status, await alive()], [200, [kept.session.id]])
    const { data } = await own.auth.audit.list({ type: 'session.ended', limit: 1 })
    assert.deepEqual([data[0]?.sessionId, data[0]?.data], [first.session.id, { reason: 'logout' }])
    const current = await begin()
    const signing = (await own.auth.keys.list()).find(({ state }) => state === 'signing')
    await own.auth.keys.revoke(signing?.kid as string)
    for (const sent of [current.access_token, kept.access_token]) {
      assert.equal(await standing(own.auth, sent), 'token_stale')
      assert.equal((await ask(sent)).status, 200)
    }
    assert.equal((await alive()).length, 2)
  })

  it('a revoked key that the guard does not know about yet is looked up in the store', async () => {
    await using own = await startOAuth()
    const { id } = await own.auth.users.create({ email: 'ann@example.com', password: PASSWORD })
    const { access_token: token } = await own.auth.sessions.create({ subject: id })
    await own.auth.users.setRoles(id, ['admin'])
    const database = new DatabaseSync(own.file)
    database.prepare('update signing_keys set revoked_at = ?').run(own.clock.time)
    database.close()
    assert.equal((await own.post('/oauth/revoke', { token })).status, 200)
    assert.equal((await own.auth.sessions.list(id)).length, 1)
  })

  it('the access token of a client cannot be revoked without the secret of the client', async () => {
    const token = await server.tokenOf(other)
    for (const named of [{}, { client_id: 'sealwax' }, { client_id: other.id }]) {
      const reply = await server.post('/oauth/revoke', { token, ...named })
      assertOAuthError(reply, [401, 'invalid_client'])
      assert.match(reply.headers.get('WWW-Authenticate') ?? '', /^Basic /)
    }
    assert.equal(await stands(token), 'accepted')
    await revoke(token, other)
    await revoke(token)
    assert.equal(
      await stands(token),
      'token_revoked',
      'a token that is already invalid gets 200 without authentication',
    )
  })

  it('an authenticated client can revoke only its own tokens', async () => {
    const { access_token, refresh_token } = await session()
    const foreign = await server.tokenOf(asker)
    for (const token of [access_token, refresh_token, foreign]) await revoke(token, other)
    assert.deepEqual([await stands(access_token), await stands(foreign)], ['accepted', 'accepted'])
    assert.equal((await refresh(refresh_token)).status, 200)
    assertOAuthError(await server.post('/oauth/revoke', { token: foreign }, { ...asker, secret: 'x' }), [
      401,
      'invalid_client',
    ])
    assertOAuthError(await server.post('/oauth/revoke', { token: foreign, client_id: asker.id }), [
      401,
      'invalid_client',
    ])
    assert.equal(await stands(foreign), 'accepted')
  })

  it('unknown, malformed, expired and foreign tokens get 200, and nothing happens', async () => {
    const { access_token, refresh_token } = await session()
    const before = (await server.auth.audit.list({ limit: 1 })).data[0]?.id
    const foreign = await startOAuth()
    const theirs = await foreign.auth.sessions.create({ subject: 'ann' })
    for (const token of [
      ...garbage,
      `${refresh_token}x`,
      `${access_token}x`,
      theirs.access_token,
      theirs.refresh_token,
    ]) {
      await revoke(token)
      await revoke(token, other)
    }
    await foreign[Symbol.asyncDispose]()
    server.clock.advance(16 * MINUTE)
    await revoke(access_token)
    server.clock.advance(-16 * MINUTE)
    assert.equal(await stands(access_token), 'accepted')
    assert.equal((await server.auth.audit.list({ limit: 1 })).data[0]?.id, before)
    assertOAuthError(await server.post('/oauth/revoke', {}), [400, 'invalid_request'])
  })

  it('a used refresh token ends its session and no other', async () => {
    const kept = await session('carol')
    const spent = await session('carol')
    const next = (await refresh(spent.refresh_token)).body.refresh_token as string
    server.clock.advance(MINUTE)
    assert.equal((await refresh(next)).status, 200)
    await revoke(spent.refresh_token)
    assert.deepEqual([await stands(kept.access_token), await stands(spent.access_token)], ['accepted', 'token_revoked'])
  })
})

describe('introspection', () => {
  it('requires a client with the scope introspect', async () => {
    const { access_token: token } = await session()
    assertOAuthError(await server.post('/oauth/introspect', { token }), [401, 'invalid_client'])
    assertOAuthError(await server.post('/oauth/introspect', { token, client_id: 'sealwax' }), [401, 'invalid_client'])
    assertOAuthError(await server.post('/oauth/introspect', { token }, { ...asker, secret: 'x' }), [
      401,
      'invalid_client',
    ])
    assertOAuthError(await server.post('/oauth/introspect', { token }, other), [403, 'insufficient_scope'])
    const bearer = { Authorization: `Bearer ${await server.tokenOf(asker)}` }
    assertOAuthError(await server.post('/oauth/introspect', { token }, undefined, bearer), [401, 'invalid_client'])
    assertOAuthError(await server.post('/oauth/introspect', {}, asker), [400, 'invalid_request'])
  })

  it('returns the claims of an access token, and no e-mail address', async () => {
    const { id } = await server.auth.users.create({ email: 'dora@example.com', password: PASSWORD, roles: ['teacher'] })
    const { access_token, session: begun } = await server.auth.sessions.create({ subject: id, scope: 'a b' })
    const now = Math.floor(server.clock.time / 1000)
    const { jti, ...told } = await introspect(access_token)
    assert.deepEqual(told, {
      ...{
        active: true,
        token_type: 'Bearer',
        token_use: 'access_token',
        sub: id,
        sid: begun.id,
        scope: 'a b',
        client_id: 'sealwax',
      },
      ...{ exp: now + 900, iat: now, aud: 'api', iss: server.url, roles: ['teacher'], auth_time: now },
    })
    assert.match(jti as string, /^[\w-]{22}$/)
  })

  it('a refresh token is active as long as a refresh would succeed, and introspection does not use it up', async () => {
    const first = await session()
    const { exp, ...told } = await introspect(first.refresh_token)
    assert.deepEqual(told, {
      ...{
        active: true,
        token_use: 'refresh_token',
        sub: 'ann',
        sid: first.session.id,
        scope: 'a',
        client_id: 'sealwax',
      },
      ...{ iss: server.url, auth_time: Math.floor(server.clock.time / 1000) },
    })
    assert.equal(exp, Math.floor((server.clock.time + 14 * DAY) / 1000))
    const second = (await refresh(first.refresh_token)).body.refresh_token as string
    for (const token of [first.refresh_token, second]) assert.equal((await introspect(token)).active, true)
    server.clock.advance(HOUR)
    assert.equal((await introspect(first.refresh_token)).active, true, 'the reply may have been lost')
    const third = (await refresh(second)).body.refresh_token as string
    assert.deepEqual(await introspect(first.refresh_token), { active: false })
    assert.equal((await introspect(third)).active, true, 'introspection ended nothing')
    server.clock.advance(15 * DAY)
    assert.deepEqual(await introspect(third), { active: false })
    server.clock.advance(-15 * DAY - HOUR)
  })

  it('an inactive token gets only active: false', async () => {
    const { access_token, refresh_token, session: begun } = await session()
    await server.auth.sessions.revoke(begun.id)
    const bad = [access_token, refresh_token, `${(await session()).refresh_token}x`, ...garbage]
    for (const token of bad) assert.deepEqual(await introspect(token), { active: false }, token.slice(0, 20))
  })

  it('tokens of a disabled user or of a session missing in the store are inactive', async () => {
    const { id } = await server.auth.users.create({ email: 'finn@example.com', password: PASSWORD })
    const tokens = await server.auth.sessions.create({ subject: id })
    // Written as by another process: the guard of this one need not know about it.
    const database = new DatabaseSync(server.file)
    database.prepare('update users set disabled_at = 1 where id = ?').run(id)
    for (const token of [tokens.access_token, tokens.refresh_token])
      assert.deepEqual(await introspect(token), { active: false })
    database.prepare('update users set disabled_at = null, ver = ver + 1 where id = ?').run(id)
    assert.deepEqual(await introspect(tokens.access_token), { active: false }, 'its roles are out of date')
    assert.equal((await introspect(tokens.refresh_token)).active, true)
    database.prepare('delete from sessions where subject = ?').run(id)
    for (const token of [tokens.access_token, tokens.refresh_token])
      assert.deepEqual(await introspect(token), { active: false })
    database.close()
  })

  it('calls loadSubject for an own user of the application, and returns 503 when it throws', async () => {
    let answer: { disabled?: boolean } | undefined | Error = {}
    const loadSubject = () => {
      if (answer instanceof Error) throw answer
      return answer
    }
    await using own = await startOAuth({ loadSubject })
    const client = await own.machine('introspect')
    const { access_token, refresh_token } = await own.auth.sessions.create({ subject: 'ann' })
    const ask = (token: string) => own.post('/oauth/introspect', { token }, client)
    const actives = async () => [(await ask(access_token)).body.active, (await ask(refresh_token)).body.active]
    assert.deepEqual(await actives(), [true, true])
    for (const gone of [{ disabled: true }, undefined]) {
      answer = gone
      assert.deepEqual(await actives(), [false, false])
    }
    answer = new Error('away')
    for (const token of [access_token, refresh_token])
      assertOAuthError(await ask(token), [503, 'temporarily_unavailable'])
    answer = {}
    assert.deepEqual(await actives(), [true, true], 'introspection ended nothing')
  })
})

describe('a token bound to a key', () => {
  it('is refused as a plain bearer token at /me, and introspection says what it is bound to', async () => {
    const { access_token } = await session()
    const free = withClaims(access_token, {})
    const bound = withClaims(access_token, { cnf: { jkt: 'A'.repeat(43) } })
    assert.equal((await server.call('/me', { token: free })).status, 200)
    const refused = await server.call('/me', { token: bound })
    assert.deepEqual([refused.status, refused.body.code], [401, 'token_proof_required'])
    assert.equal((await introspect(free)).active, true)
    const { active, token_type, cnf } = await introspect(bound)
    assert.deepEqual({ active, token_type, cnf }, { active: true, token_type: 'DPoP', cnf: { jkt: 'A'.repeat(43) } })
  })
})

describe('in two processes', () => {
  it('a client disabled by one is refused by the other, immediately at the token endpoint', async () => {
    const elsewhere = await createAuth({
      ...{
        issuer: server.url,
        audience: 'api',
        secret: SECRET,
        store: sqliteStore(server.file),
        now: () => server.clock.time,
      },
    })
    const client = await server.machine('introspect')
    const token = await server.tokenOf(client)
    await elsewhere.clients.disable(client.id)
    assertOAuthError(await server.post('/oauth/token', { grant_type: 'client_credentials' }, client), [
      401,
      'invalid_client',
    ])
    assert.deepEqual(await introspect(token), { active: false })
    await elsewhere.close()
    for (let i = 0; i < 100 && (await stands(token)) === 'accepted'; i += 1)
      await new Promise((done) => setTimeout(done, 20))
    assert.equal(await stands(token), 'token_stale')
  })
})
