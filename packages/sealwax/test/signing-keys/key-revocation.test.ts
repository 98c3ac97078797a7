import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createGuard } from '@sealwax/guard'
import { generateKey, unsafeDecode } from '@sealwax/jwt'
import { createAuth } from '../../src/index.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { type PostgresServer, startPostgres } from '../postgres.ts'
import { assertProblem, PASSWORD, SECRET, standing, startAuth } from '../server.ts'

let postgres: PostgresServer
before(async () => {
  postgres = await startPostgres()
})
after(() => postgres.remove())

const kidOf = (token: string) => unsafeDecode(token).header.kid as string

async function eventually(expected: string, ask: () => Promise<string>): Promise<void> {
  for (let waited = 0; waited < 1500 && (await ask()) !== expected; waited += 10) await delay(10)
  assert.equal(await ask(), expected)
}

describe('revoking a signing key', () => {
  it('the standby signs immediately, the key leaves the set, its tokens are stale, and clients can refresh', async () => {
    await using server = await startAuth()
    const { auth } = server
    const tokens = await auth.sessions.create({ subject: 'ann' })
    const [signing, standby] = await auth.keys.list()
    const revocation = await auth.keys.revoke(signing?.kid ?? '')
    assert.deepEqual(revocation, {
      ...{ revoked: [signing?.kid], signing: standby?.kid, sessions: 1, subjects: 1, endsSessions: false },
    })
    assertProblem(await server.call('/me', { token: tokens.access_token }), [401, 'token_stale'])
    // The key stays in the set for 5 s. Otherwise a guard that has not read the revocation yet
    // could not tell that the token is stale.
    const lingering = await server.call('/.well-known/jwks.json')
    assert.deepEqual([lingering.body.keys.length, lingering.headers.get('Cache-Control')], [3, 'public, max-age=5'])
    server.clock.advance(5000)
    const { keys } = (await server.call('/.well-known/jwks.json')).body
    assert.deepEqual([keys.length, keys[0]?.kid], [2, standby?.kid])
    const fresh = await server.call('/refresh', { json: { refresh_token: tokens.refresh_token } })
    assert.deepEqual([fresh.status, kidOf(fresh.body.access_token)], [200, standby?.kid])
    assert.equal((await server.call('/me', { token: fresh.body.access_token })).status, 200)
    assert.deepEqual(
      (await auth.keys.list()).map(({ state }) => state),
      ['revoked', 'signing', 'published'],
    )
    assert.ok(server.events.some(({ type, data }) => type === 'key.revoked' && data?.kid === signing?.kid))
  })

  it('endSessions: users with its tokens must log in again; sessions without a token of the key stay valid', async () => {
    await using server = await startAuth({ keyPeriod: '1d' })
    const old = await server.auth.sessions.create({ subject: 'old' })
    server.clock.advance(2 * 86_400_000)
    await server.restart()
    const tokens = await server.auth.sessions.create({ subject: 'ann' })
    const kid = kidOf(tokens.access_token)
    assert.equal((await server.auth.keys.revoke(kid, { endSessions: true, dryRun: true })).sessions, 1)
    assert.equal((await server.auth.keys.revoke(kid, { endSessions: true })).sessions, 1)
    const refused = await server.call('/refresh', { json: { refresh_token: tokens.refresh_token } })
    assert.deepEqual([refused.status, refused.body.reason], [400, 'session_revoked'])
    assert.notEqual(await standing(server.auth, tokens.access_token), 'accepted')
    assert.equal((await server.call('/refresh', { json: { refresh_token: old.refresh_token } })).status, 200)
  })

  it('endSessions also ends sessions with a valid token of the previous key', async () => {
    await using server = await startAuth({ keyPeriod: '1d' })
    server.clock.advance(86_400_000 - 60_000)
    const tokens = await server.auth.sessions.create({ subject: 'ann' })
    server.clock.advance(60_000)
    const signing = kidOf((await server.auth.sessions.create({ subject: 'bob' })).access_token)
    assert.notEqual(kidOf(tokens.access_token), signing)
    const { revoked } = await server.auth.keys.revoke(signing, { endSessions: true })
    assert.deepEqual(revoked, [signing])
    assert.equal(await standing(server.auth, tokens.access_token), 'token_revoked')
  })

  it('endSessions of a retiring key also revokes the tokens of these sessions by the current key', async () => {
    await using server = await startAuth({ keyPeriod: '1d' })
    const retiring = kidOf((await server.auth.sessions.create({ subject: 'ann' })).access_token)
    server.clock.advance(86_400_000)
    const tokens = await server.auth.sessions.create({ subject: 'ann' })
    assert.notEqual(kidOf(tokens.access_token), retiring)
    await server.auth.keys.revoke(retiring, { endSessions: true })
    assert.equal(await standing(server.auth, tokens.access_token), 'token_revoked')
    const later = await server.auth.sessions.create({ subject: 'ann' })
    assert.equal(await standing(server.auth, later.access_token), 'accepted')
  })

  it('endSessions resumes after an interruption; sessions begun since then stay', async () => {
    await using server = await startAuth()
    const tokens = await server.auth.sessions.create({ subject: 'ann' })
    const kid = kidOf(tokens.access_token)
    await server.auth.keys.revoke(kid)
    server.clock.advance(120_000)
    const since = await server.auth.sessions.create({ subject: 'bob' })
    const again = await server.auth.keys.revoke(kid, { endSessions: true })
    assert.deepEqual([again.revoked, again.sessions], [[], 1])
    await assert.rejects(server.auth.sessions.refresh(tokens.refresh_token), { reason: 'session_revoked' })
    assert.equal((await server.auth.sessions.refresh(since.refresh_token)).token_type, 'Bearer')
  })

  it('of the current key and its standby at the same time: another key signs afterwards', async () => {
    const url = await postgres.createDatabase()
    const options = { issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET }
    const open = () => createAuth({ ...options, store: postgresStore(url, { connections: 3 }) })
    const [one, two] = await Promise.all([open(), open()])
    for (let round = 0; round < 4; round += 1) {
      const kids = (await one.keys.list()).flatMap(({ kid, state }) =>
        state === 'signing' || state === 'published' ? [kid] : [],
      )
      const all = round % 2 === 0
      const results = await Promise.allSettled([
        one.keys.revoke(kids[0] ?? '', { all }),
        two.keys.revoke(kids[1] ?? '', { all }),
      ])
      for (const result of results) {
        if (result.status === 'rejected') assert.equal(result.reason.code, 'not_found')
      }
      assert.ok(results.some(({ status }) => status === 'fulfilled'))
      const left = await two.keys.list()
      assert.equal(left.filter(({ state }) => state === 'signing').length, 1)
      for (const kid of kids) assert.ok(left.every((key) => key.kid !== kid || key.state === 'revoked'))
      await eventually('accepted', async () =>
        standing(one, (await two.sessions.create({ subject: 'u' })).access_token),
      )
    }
    await Promise.all([one.close(), two.close()])
  })

  it('many sessions end page by page, also one that is refreshed in between', async () => {
    await using server = await startAuth()
    const all = []
    for (let i = 0; i < 1203; i += 1) all.push(server.auth.sessions.create({ subject: `u${i}` }))
    const tokens = await Promise.all(all)
    const kid = kidOf(tokens[0]?.access_token ?? '')
    const ending = server.auth.keys.revoke(kid, { endSessions: true })
    const between = await server.auth.sessions.refresh(tokens[1]?.refresh_token ?? '').catch(() => undefined)
    assert.equal((await ending).sessions, 1203)
    if (between !== undefined) assert.notEqual(await standing(server.auth, between.access_token), 'accepted')
    for (const { refresh_token } of [tokens[0], tokens[1], tokens[1202]] as typeof tokens) {
      await assert.rejects(server.auth.sessions.refresh(refresh_token), { reason: 'session_revoked' })
    }
    const ended = server.events.find(({ type }) => type === 'sessions.ended')
    assert.deepEqual(ended?.data, { reason: 'key_revoked', count: 1203 })
  })

  it('all: the standby is revoked too, and a new key signs', async () => {
    await using server = await startAuth()
    const tokens = await server.auth.sessions.create({ subject: 'ann' })
    const before = (await server.auth.keys.list()).map(({ kid }) => kid)
    const revocation = await server.auth.keys.revoke(before[0] ?? '', { all: true })
    assert.deepEqual([revocation.revoked, revocation.signing], [before, undefined])
    const fresh = await server.auth.sessions.refresh(tokens.refresh_token)
    assert.ok(!before.includes(kidOf(fresh.access_token)))
    assert.equal(await standing(server.auth, fresh.access_token), 'accepted')
    server.clock.advance(5000)
    assert.equal((await server.call('/.well-known/jwks.json')).body.keys.length, 2)
  })

  it('a dry run changes nothing; unknown and revoked keys are not found', async () => {
    await using server = await startAuth()
    const tokens = await server.auth.sessions.create({ subject: 'ann' })
    const kid = kidOf(tokens.access_token)
    const known = await server.auth.keys.list()
    assert.equal((await server.auth.keys.revoke(kid, { dryRun: true, all: true })).revoked.length, 2)
    assert.deepEqual(await server.auth.keys.list(), known)
    assert.equal(await standing(server.auth, tokens.access_token), 'accepted')
    await assert.rejects(server.auth.keys.revoke('unknown'), { code: 'not_found' })
    await server.auth.keys.revoke(kid)
    await assert.rejects(server.auth.keys.revoke(kid), { code: 'not_found' })
  })

  it('on one of two servers: the other stops signing with it, and a remote guard responds token_stale, not token_key_unknown', async () => {
    const url = await postgres.createDatabase()
    const options = { issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET }
    const [one, two] = await Promise.all([
      createAuth({ ...options, store: postgresStore(url, { connections: 3 }) }),
      createAuth({ ...options, store: postgresStore(url, { connections: 3 }) }),
    ])
    const guard = createGuard({
      ...{ issuer: options.issuer, audience: 'api', keys: (await generateKey('ES256')).publicKey },
      revocation: { check: (token) => (token.header.kid === kid ? 'token_stale' : undefined) },
    })
    const tokens = await two.sessions.create({ subject: 'ann' })
    const kid = kidOf(tokens.access_token)
    await one.keys.revoke(kid)
    await eventually('token_stale', () => standing(two, tokens.access_token))
    const fresh = await two.sessions.refresh(tokens.refresh_token)
    assert.notEqual(kidOf(fresh.access_token), kid)
    for (const server of [one, two]) assert.equal(await standing(server, fresh.access_token), 'accepted')
    const ask = (token: string) => async () => guard.authenticate({ headers: { authorization: `Bearer ${token}` } })
    await assert.rejects(ask(tokens.access_token), { code: 'token_stale' })
    await assert.rejects(ask(fresh.access_token), { code: 'token_key_unknown' })
    await Promise.all([one.close(), two.close()])
  })
})

describe('/admin/keys', () => {
  it('lists, rotates and revokes for administrators; other users get 403, and 401 without a token', async () => {
    await using server = await startAuth()
    await server.auth.users.create({
      id: 'root',
      email: 'root@example.com',
      password: PASSWORD,
      roles: ['sealwax:admin'],
    })
    const { access_token: token } = await server.auth.sessions.create({ subject: 'root' })
    const { access_token: other } = await server.auth.sessions.create({ subject: 'ann' })
    const { body } = await server.call('/admin/keys', { token })
    const keys = body.data as unknown as { kid: string; state: string; signs_until: string | null }[]
    assert.deepEqual(
      keys.map(({ state }) => state),
      ['signing', 'published'],
    )
    assert.ok(!JSON.stringify(body).includes('private'))
    const path = `/admin/keys/${keys[0]?.kid}/revoke`
    for (const [route, method] of [['/admin/keys'], ['/admin/keys/rotate', 'POST'], [path, 'POST']] as const) {
      assertProblem(await server.call(route, { token: other, ...(method && { method }) }), [403, 'insufficient_role'])
      assertProblem(await server.call(route, { ...(method && { method }) }), [401, 'token_missing'])
    }
    const dry = await server.call(path, { token, json: { dry_run: true } })
    assert.deepEqual(JSON.parse(dry.text), {
      ...{ revoked: [keys[0]?.kid], signing: keys[1]?.kid, sessions: 2, subjects: 2, ends_sessions: false },
    })
    assertProblem(await server.call(path, { token, json: { dry: true } }), [422, 'validation_failed'])
    assertProblem(await server.call('/admin/keys/x/revoke', { token, json: {} }), [404, 'not_found'])
    assert.equal((await server.call('/admin/keys/rotate', { token, method: 'POST' })).status, 200)
    assert.equal((await server.call(path, { token, method: 'POST' })).status, 200)
    assertProblem(await server.call('/admin/keys', { token }), [401, 'token_stale'])
  })
})
